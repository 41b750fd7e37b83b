"""Questions that are declared void after they were asked, and what becomes of their marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from domain.errors import FieldProblem
from domain.exam.refusals import VoidNotApplicable
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import KeyedQuestion, Response

_ONE_CHOICE = frozenset({QuestionKind.SINGLE, QuestionKind.TRUE_FALSE})
_BY_CHOICE = _ONE_CHOICE | {QuestionKind.MULTIPLE}


class VoidMode(StrEnum):
    """The question counts for nobody, every student gets its full mark, or more answers are right."""

    DROP = "drop"
    CREDIT_ALL = "credit_all"
    ACCEPT_ALSO = "accept_also"


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """A version of a question that is void in a package. `accepted` are the choices that are right as well."""

    id: str
    exam_package_id: str
    question_id: str
    version: int
    mode: VoidMode
    accepted: tuple[str, ...] = ()
    reason: str
    created_at: datetime
    created_by: str


Asked = tuple[str, int]
"""A question and the version of it that was asked."""


def counting(voids: Iterable[Void]) -> Mapping[Asked, Void]:
    """The one void that counts of each version: the latest, which takes the place of all before it."""
    latest: dict[Asked, Void] = {}
    for void in sorted(voids, key=lambda each: (each.created_at, each.id)):
        latest[void.question_id, void.version] = void
    return latest


def voids_of(voids: Iterable[Void], asked: Iterable[Asked]) -> tuple[str, ...]:
    """The ids of the voids that count for a paper, in their own order: what its grade must regard."""
    on_paper = frozenset(asked)
    return tuple(sorted(void.id for version, void in counting(voids).items() if version in on_paper))


def widened(question: KeyedQuestion, response: Response, void: Void | None) -> KeyedQuestion:
    """The question with the key that this response is marked by.

    A choice that is accepted as well is right for whoever made it, and missed by nobody: the key gains the accepted
    choices that were made. So no response earns less than by the key as it was, under any policy. Of a single choice
    each accepted one is fully right; of several, an accepted one costs nothing and stands beside those that are due.
    """
    if void is None or void.mode is not VoidMode.ACCEPT_ALSO or question.kind not in _BY_CHOICE:
        return question
    gained = tuple(
        choice for choice in response.choice_ids if choice in void.accepted and choice not in question.key.correct
    )
    if not gained:
        return question
    key = question.key
    weights = None if key.weights is None else {**key.weights, **_raised(question, gained, key.weights)}
    return replace(question, key=replace(key, correct=(*key.correct, *gained), weights=weights))


def refuse_inapplicable(mode: VoidMode, accepted: tuple[str, ...], question: KeyedQuestion) -> None:
    """Choices are accepted where there are choices, and only those that the question has and that are not right yet."""
    if mode is not VoidMode.ACCEPT_ALSO:
        if accepted:
            raise _inapplicable("not_asked", "Choices are named where they are accepted as well")
        return
    if question.kind not in _BY_CHOICE:
        raise _inapplicable("not_a_choice", "Only a question that is answered by choices accepts other ones")
    if not accepted:
        raise _inapplicable("required", "Name the choices that are right as well")
    unknown = next((choice for choice in accepted if choice not in question.choice_ids), None)
    if unknown is not None:
        raise _inapplicable("unknown_choice", f"The question has no option {unknown[:64]}")
    if all(choice in question.key.correct for choice in accepted):
        raise _inapplicable("right_already", "All of these choices are right already")


def _raised(question: KeyedQuestion, gained: Iterable[str], weights: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    if question.kind in _ONE_CHOICE:
        return dict.fromkeys(gained, Decimal(1))
    return {choice: max(weights.get(choice, Decimal(0)), Decimal(0)) for choice in gained}


def _inapplicable(code: str, message: str) -> VoidNotApplicable:
    return VoidNotApplicable(message, problems=(FieldProblem("/acceptedChoiceIds", code, message),))
