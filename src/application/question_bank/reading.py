"""Looking at questions: staff with everything there is to them, students with what they may know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeVar

from application.auth.claimants import Caller, claim_of, confirmed
from application.question_bank.ports.reading import QuestionReader
from application.question_bank.steps import QuestionState
from application.question_bank.views import Difference, ReviewView, StudentQuestion, VersionSummary, VersionView
from domain.auth.people import Actor
from domain.errors import DomainError, Kind
from domain.question_bank.differences import compare
from domain.question_bank.lifecycle_refusals import QuestionNotFound
from domain.question_bank.ordering import choice_order, shown_ids

T = TypeVar("T")
MOST_ROUNDS: Final = 200
"""Rounds of review that are shown, the latest; a question that took more has been a long story."""
_REMEMBERED: Final = 2_048
"""Questions whose order is not worked out again while they are asked for; it follows from what they are."""


class QuestionVersionNotFound(DomainError):
    """The question has no such version."""

    code = "question.version_not_found"
    kind = Kind.NOT_FOUND
    title = "The question has no such version"


@dataclass(frozen=True, slots=True)
class ReadQuestion:
    """Staff see a question of a bank that they may see: its latest version with the key, and how it stands."""

    questions: QuestionReader

    async def __call__(self, actor: Actor, question_id: str) -> QuestionState:
        return _found(await self.questions.question(actor, question_id))


@dataclass(frozen=True, slots=True)
class ListVersions:
    """Staff see how a question came to be: every version, who wrote at it and what became of it."""

    questions: QuestionReader

    async def __call__(
        self, actor: Actor, question_id: str, *, before: int | None, limit: int
    ) -> Sequence[VersionSummary]:
        return _found(await self.questions.versions(actor, question_id, before=before, limit=limit))


@dataclass(frozen=True, slots=True)
class ReadVersion:
    """Staff see any version as it was."""

    questions: QuestionReader

    async def __call__(self, actor: Actor, question_id: str, version: int) -> VersionView:
        (found,) = await _read(self.questions, actor, question_id, (version,))
        return found


@dataclass(frozen=True, slots=True)
class CompareVersions:
    """Staff see what changed in a version since another one; unless told, since the one before it."""

    questions: QuestionReader

    async def __call__(self, actor: Actor, question_id: str, version: int, against: int | None = None) -> Difference:
        numbers = (version - 1 if against is None else against, version)
        before, after = await _read(self.questions, actor, question_id, numbers)
        return Difference(before=before.version, after=after.version, changes=compare(before.content, after.content))


@dataclass(frozen=True, slots=True)
class ListReviews:
    """Staff see each time that a question was handed in, what was decided, by whom and why."""

    questions: QuestionReader

    async def __call__(self, actor: Actor, question_id: str) -> Sequence[ReviewView]:
        return _found(await self.questions.reviews(actor, question_id, limit=MOST_ROUNDS))


@dataclass(frozen=True, slots=True)
class ReadPublishedQuestion:
    """A student sees a published question of a package that they are enrolled in; never its key.

    The choices stand in an order that is always the same for the question and tells nothing about the answer.
    """

    questions: QuestionReader

    async def __call__(self, caller: Caller, question_id: str) -> StudentQuestion:
        found = await self.questions.published_question(caller.user_id, question_id, claim=claim_of(caller))
        if found is None:
            await confirmed(caller)
        return _without_hints(_found(found))


def _found(thing: T | None) -> T:
    if thing is None:
        raise QuestionNotFound
    return thing


async def _read(
    questions: QuestionReader, actor: Actor, question_id: str, numbers: tuple[int, ...]
) -> list[VersionView]:
    read = {each.version: each for each in _found(await questions.versions_of(actor, question_id, numbers))}
    if not read.keys() >= set(numbers):
        raise QuestionVersionNotFound
    return [read[number] for number in numbers]


@lru_cache(maxsize=_REMEMBERED)
def _without_hints(seen: StudentQuestion) -> StudentQuestion:
    question = seen.question
    order = choice_order(question.question_id, question)
    names = shown_ids(question.kind, order)
    choices = {choice.id: choice for choice in question.choices}
    shown = tuple(replace(choices[id_], id=names[id_]) for id_ in order)
    return replace(seen, question=replace(question, choices=shown))
