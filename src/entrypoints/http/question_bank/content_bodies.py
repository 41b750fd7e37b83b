"""What every version of a question says, as staff are answered it: with its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

from msgspec import Meta

from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import FormattedText, TextFormat
from domain.question_bank.kinds import QuestionKind
from entrypoints.http.fields import MarkedBody, ResponseBody

TOPIC_ID: Final = "top_01m7y0w5089re0wwbvvzgw20sn"
Topic: TypeAlias = Annotated[str | None, Meta(description="Null: it has none yet")]
_Points: TypeAlias = Annotated[Decimal, Meta(description="The marks that can be had, as a decimal string")]


class QuestionText(ResponseBody):
    """A text and how it is to be read."""

    text: str
    format: TextFormat


_Explanation: TypeAlias = Annotated[QuestionText | None, Meta(description="Null: there is none")]


class QuestionChoice(MarkedBody):
    """An option with all that is known of it."""

    id: str
    text: str
    format: TextFormat
    correct: bool
    weight: Annotated[Decimal | None, Meta(description="The fraction of the mark that it earns; null: by the rule")]
    explanation: _Explanation
    pinned: Annotated[bool, Meta(description="Whether it keeps its place where the others are shuffled")]


class QuestionPrompt(ResponseBody):
    """What is to be matched, and with which choice."""

    id: str
    text: str
    format: TextFormat
    choice_id: str


class QuestionBand(MarkedBody):
    """A right number."""

    answer: Annotated[Decimal, Meta(description="As a decimal string")]
    tol_abs: Annotated[Decimal, Meta(description="How far off it may be, as a decimal string")]
    tol_rel: Annotated[Decimal, Meta(description="How far off, as a fraction of the answer, as a decimal string")]
    fraction: Annotated[Decimal, Meta(description="The fraction of the mark that it earns, as a decimal string")]


class QuestionContentBody(MarkedBody):
    """All that a version says, with its key."""

    kind: QuestionKind
    stem: Annotated[str, Meta(description="The text of the question")]
    stem_format: TextFormat
    choices: Annotated[list[QuestionChoice], Meta(description="As written; of `ordering` in the right order")]
    prompts: Annotated[list[QuestionPrompt], Meta(description="Of `matching`")]
    bands: Annotated[list[QuestionBand], Meta(description="Of `numeric`")]
    accepted: Annotated[list[str], Meta(description="Of `short_text`")]
    correct_choice_ids: Annotated[list[str], Meta(description="Of `ordering` from first to last")]
    explanation: _Explanation
    topic_id: Topic
    difficulty_id: Topic
    tags: list[str]
    points: _Points
    shuffle: bool


CONTENT_EXAMPLE: Mapping[str, Any] = {
    "kind": "single",
    "stem": "Which address is private?",
    "stemFormat": "plain",
    "choices": [
        {
            "id": "A",
            "text": "8.8.8.8",
            "format": "plain",
            "correct": False,
            "weight": None,
            "explanation": None,
            "pinned": False,
        },
        {
            "id": "B",
            "text": "10.1.2.3",
            "format": "plain",
            "correct": True,
            "weight": None,
            "explanation": {"text": "10.0.0.0/8 is private (RFC 1918).", "format": "plain"},
            "pinned": False,
        },
    ],
    "prompts": [],
    "bands": [],
    "accepted": [],
    "correctChoiceIds": ["B"],
    "explanation": None,
    "topicId": TOPIC_ID,
    "difficultyId": "dif_easy",
    "tags": ["addressing"],
    "points": "1",
    "shuffle": True,
}


def content_fields(content: QuestionContent) -> dict[str, Any]:
    """The fields of `QuestionContentBody`, for the bodies that have more."""
    return {
        "kind": content.kind,
        "stem": content.stem.text,
        "stem_format": content.stem.format,
        "choices": list(_choices(content)),
        "prompts": list(_prompts(content)),
        "bands": [
            QuestionBand(answer=band.answer, tol_abs=band.tol_abs, tol_rel=band.tol_rel, fraction=band.fraction)
            for band in content.bands
        ],
        "accepted": list(content.accepted),
        "correct_choice_ids": [choice.key for choice in content.choices if choice.correct],
        "explanation": _text(content.explanation),
        "topic_id": content.topic_id,
        "difficulty_id": content.difficulty_id,
        "tags": list(content.tags),
        "points": content.points,
        "shuffle": content.shuffle,
    }


def _choices(content: QuestionContent) -> Iterator[QuestionChoice]:
    for choice in content.choices:
        yield QuestionChoice(
            id=choice.key,
            text=choice.text.text,
            format=choice.text.format,
            correct=choice.correct,
            weight=choice.weight,
            explanation=_text(choice.explanation),
            pinned=choice.pinned,
        )


def _prompts(content: QuestionContent) -> Iterator[QuestionPrompt]:
    for number, prompt in enumerate(content.prompts, 1):
        yield QuestionPrompt(id=str(number), text=prompt.text.text, format=prompt.text.format, choice_id=prompt.choice)


def _text(text: FormattedText | None) -> QuestionText | None:
    return None if text is None else QuestionText(text=text.text, format=text.format)
