"""From the columns of a version back to what it says; `content` has the way there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.postgres.question_bank.content import prompt_ids
from adapters.postgres.rows import entities, entity
from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import FormattedText, ImportedChoice, Prompt, TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, Choice


def content_of(row: Mapping[str, Any]) -> QuestionContent:
    """What a version says. Needs every column of `question_versions` that holds content, `answer_key` among them."""
    key = entity(row["answer_key"], AnswerKey)
    return QuestionContent(
        kind=QuestionKind(row["kind"]),
        stem=FormattedText(text=row["stem"], format=TextFormat(row["stem_format"])),
        choices=tuple(_choice(choice, key) for choice in entities(row["choices"], Choice)),
        bands=key.bands,
        accepted=key.accepted,
        prompts=_prompts(entities(row["prompts"], Choice), key),
        explanation=key.explanation,
        topic_id=row["topic_id"],
        difficulty_id=row["difficulty_id"],
        tags=tuple(row["tags"]),
        points=row["points"],
        shuffle=row["shuffle"],
    )


def _choice(choice: Choice, key: AnswerKey) -> ImportedChoice:
    return ImportedChoice(
        key=choice.id,
        text=FormattedText(text=choice.text, format=choice.format),
        correct=choice.id in key.correct,
        weight=(key.weights or {}).get(choice.id),
        explanation=key.explanations.get(choice.id),
        pinned=choice.pinned,
    )


def _prompts(prompts: tuple[Choice, ...], key: AnswerKey) -> tuple[Prompt, ...]:
    ids = prompt_ids(len(prompts))
    return tuple(
        Prompt(text=FormattedText(text=prompt.text, format=prompt.format), choice=key.pairs[id_])
        for id_, prompt in zip(ids, prompts, strict=True)
    )
