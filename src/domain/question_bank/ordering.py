"""In which order the choices of a question are shown, and by which names where their own would give the key away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import Choice, PublicQuestion
from domain.question_bank.seeds import rank

_ORDER_IS_THE_KEY = frozenset({QuestionKind.ORDERING, QuestionKind.MATCHING})


def choice_order(seed: str, question: PublicQuestion) -> tuple[str, ...]:
    """The ids of the choices as a paper of this seed shows them.

    A question that keeps its order is shown as written, and a pinned choice keeps its place among shuffled ones.
    Neither holds where the written order is, or may be, the key: these questions are always shuffled as a whole. Chance
    may put them in the right order too; if it could not, a question of two choices would answer itself.
    """
    if question.kind in _ORDER_IS_THE_KEY:
        return _blindly(seed, question)
    if not question.shuffle:
        return tuple(choice.id for choice in question.choices)
    free = (choice.id for choice in question.choices if not choice.pinned)
    shuffled = iter(sorted(free, key=lambda choice: rank(seed, "choice", question.question_id, choice)))
    return tuple(choice.id if choice.pinned else next(shuffled) for choice in question.choices)


def shown_ids(kind: QuestionKind, order: Sequence[str]) -> Mapping[str, str]:
    """What each choice is called before whoever answers, by its own id.

    A choice is known by its own id, except where that id tells its place in the key: the choices of an ordering
    question are written as A, B, C… in the right order. There they share out the same ids anew, as they are shown.
    """
    return dict(zip(order, sorted(order) if kind in _ORDER_IS_THE_KEY else order, strict=True))


def keeps_ids(kind: QuestionKind) -> bool:
    """Whether `shown_ids` calls each choice by its own id, in whatever order."""
    return kind not in _ORDER_IS_THE_KEY


def in_order(kind: QuestionKind, choices: Iterable[Choice], order: Sequence[str]) -> tuple[Choice, ...]:
    """The choices in the order that their session froze, each by the name it is shown by."""
    by_id: Mapping[str, Choice] = {choice.id: choice for choice in choices}
    return tuple(
        by_id[choice] if name == choice else replace(by_id[choice], id=name)
        for choice, name in shown_ids(kind, order).items()
    )


def _blindly(seed: str, question: PublicQuestion) -> tuple[str, ...]:
    """By what the choices say and not by their ids: who knows the seed could find the place of every id."""

    def place(choice: Choice) -> bytes:
        return rank(seed, "choice", question.question_id, choice.text)

    return tuple(choice.id for choice in sorted(question.choices, key=place))
