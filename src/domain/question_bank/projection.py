"""What a question loses in a file: the difference between what it says and what is left of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from domain.question_bank.imported import ImportedQuestion

_Facet = Callable[[ImportedQuestion], object]


def _texts(question: ImportedQuestion) -> list[str]:
    choices = [choice.text.text for choice in question.choices]
    return [question.stem.text, *choices, *(prompt.text.text for prompt in question.prompts)]


def _formats(question: ImportedQuestion) -> list[str]:
    choices = [choice.text.format for choice in question.choices]
    return [question.stem.format, *choices, *(prompt.text.format for prompt in question.prompts)]


def _key(question: ImportedQuestion) -> tuple[object, ...]:
    pairs = [prompt.choice for prompt in question.prompts]
    return question.answer, question.bands, question.accepted, pairs


def _explanations(question: ImportedQuestion) -> list[object]:
    return [question.explanation, *(choice.explanation for choice in question.choices)]


_FACETS: Final[tuple[tuple[str, str, _Facet], ...]] = (
    ("id_changed", "The format has no room for the id.", lambda question: question.external_id),
    ("kind_changed", "The question comes back as one of another kind.", lambda question: question.kind),
    ("domain_changed", "The domain is lost or spelt differently.", lambda question: question.domain),
    ("difficulty_lost", "The difficulty is lost.", lambda question: question.difficulty),
    ("points_lost", "The points are lost.", lambda question: question.points),
    ("shuffle_lost", "Whether choices are shuffled is lost.", lambda question: question.shuffle),
    ("tags_changed", "Tags are lost or spelt differently.", lambda question: question.tags),
    ("text_changed", "Texts are spelt differently.", _texts),
    ("format_lost", "Marked-up text comes back as plain text.", _formats),
    ("weights_lost", "Partial credit is lost.", lambda question: [choice.weight for choice in question.choices]),
    ("pinned_lost", "Which choices keep their place is lost.", lambda question: [c.pinned for c in question.choices]),
    ("answer_changed", "What is right is not the same.", _key),
    ("explanations_lost", "Explanations are lost or spelt differently.", _explanations),
)


def losses_of(question: ImportedQuestion, left: ImportedQuestion | None) -> Iterator[tuple[str, str]]:
    """Codes and messages of everything that differs between a question and what is left of it; None: all of it."""
    if left is None:
        yield "unsupported", f"The format has no questions like this one ({question.kind})."
        return
    for code, message, facet in _FACETS:
        if facet(question) != facet(left):
            yield code, message
