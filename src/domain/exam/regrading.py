"""By which keys an exam is graded again, and what that changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.exam.grading import AS_ASKED, LATEST_VERSIONS, Grade, SlotGrade
from domain.exam.papers import GradedSlot
from domain.exam.voiding import Asked, Void, voids_of
from domain.question_bank.questions import Choice, KeyedQuestion


class RegradeMode(StrEnum):
    """By the keys of the versions that were asked, or of the latest published ones where these ask the same."""

    AS_ASKED = AS_ASKED
    LATEST_VERSIONS = LATEST_VERSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedContent:
    """A version with its key and with what can be chosen in it: enough to tell whether another one asks the same."""

    question: KeyedQuestion
    choices: tuple[Choice, ...]
    prompts: tuple[Choice, ...] = ()


def asks_the_same(asked: KeyedContent, latest: KeyedContent) -> bool:
    """Whether an answer to the one is an answer to the other: of the same kind, with the same options and texts.

    In which order they are written does not matter, and neither do the words of the question itself: those are what a
    correction usually corrects, beside the key.
    """
    return asked.question.kind is latest.question.kind and _options(asked) == _options(latest)


def latest_keys(
    slots: Sequence[GradedSlot], contents: Mapping[Asked, KeyedContent], published: Mapping[str, int]
) -> tuple[GradedSlot, ...]:
    """The slots with the keys of the published versions of their questions, each where that one asks the same."""
    return tuple(_with_latest(graded, contents, published.get(graded.slot.question_id)) for graded in slots)


def same_keys(
    slots: Sequence[GradedSlot], contents: Mapping[Asked, KeyedContent], before: Iterable[SlotGrade]
) -> tuple[GradedSlot, ...]:
    """The slots with the keys that the grade before was made by."""
    versions = {each.slot: each.key_version for each in before}
    return tuple(_with_key(graded, contents, versions.get(graded.slot.slot)) for graded in slots)


def keys_beside(slots: Sequence[GradedSlot], before: Iterable[SlotGrade]) -> list[Asked]:
    """The versions whose keys the grade before was made by, where these are others than were asked."""
    versions = {each.slot: each.key_version for each in before}
    return [(each.slot.question_id, version) for each in slots if (version := versions.get(each.slot.slot))]


def is_outdated(grade: Grade, voids: Iterable[Void], asked: Iterable[Asked]) -> bool:
    """Whether the grade regards other voids than those that count for its paper by now."""
    return frozenset(grade.voids) != frozenset(voids_of(voids, asked))


def _with_latest(graded: GradedSlot, contents: Mapping[Asked, KeyedContent], latest: int | None) -> GradedSlot:
    question_id, version = graded.slot.question_id, graded.slot.version
    if latest is None or latest == version:
        return graded
    asked, now = contents.get((question_id, version)), contents.get((question_id, latest))
    if asked is None or now is None or not asks_the_same(asked, now):
        return graded
    return _with_key(graded, contents, latest)


def _with_key(graded: GradedSlot, contents: Mapping[Asked, KeyedContent], version: int | None) -> GradedSlot:
    if version is None or version == graded.slot.version:
        return graded
    return replace(graded, question=contents[graded.slot.question_id, version].question, key_version=version)


def _options(content: KeyedContent) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    return (
        frozenset((choice.id, choice.text) for choice in content.choices),
        frozenset((prompt.id, prompt.text) for prompt in content.prompts),
    )
