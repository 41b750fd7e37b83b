"""Response processing of QTI 1.2: which choices are right, what each is worth, and which feedback belongs to it.

Facts of the format (IMS QTI ASI 1.2 and the files that Canvas and Respondus write): a `respcondition` holds a test on
choices (`varequal`, `not`, `and`, `or`, `other`), then `setvar` with the action Set, Add or Subtract on a score called
SCORE (out of 100 in Canvas) or `que_score` (in points), then `displayfeedback`. Canvas states the key of a question
with several answers as one `and` over all choices, the wrong ones negated; Respondus adds up a score per choice, and
wrong ones may count below nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from adapters.files.qti_questions.elements import (
    attribute,
    fraction,
    number,
    text_in,
)

_GENERAL: Final = ("general_fb", "correct_fb", "general_incorrect_fb")
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """What is right. `weights` are fractions of the full score, where the item gives partial credit."""

    correct: frozenset[str]
    weights: Mapping[str, Decimal] | None


@dataclass(slots=True)
class Condition:
    """One respcondition: the choices that it asks for, those it excludes, and what follows."""

    wanted: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    alternatives: bool = False
    value: Decimal | None = None
    adds: bool = False
    feedback: list[str] = field(default_factory=list)


def conditions_of(item: Element, options: Collection[str]) -> list[Condition]:
    """The conditions of an item in their order."""
    return [_condition(element, options) for element in item.iter("respcondition")]


def marking(conditions: Sequence[Condition], options: Sequence[str], *, several: bool) -> Marking:
    """The key of a choice item. An item without a right answer has an empty one."""
    rewarded = [found for found in conditions if found.value is not None and found.value > 0]
    combined = [found for found in rewarded if _is_combination(found, several=several)]
    if combined:
        best = max(combined, key=lambda found: found.value or _NOTHING)
        return Marking(correct=frozenset(best.wanted), weights=None)
    scores = _scores(conditions)
    return _sum_of_scores(scores, options) if several else _best_score(scores, options)


def feedback_of(
    conditions: Sequence[Condition], identifiers: Sequence[str], options: Collection[str]
) -> tuple[Mapping[str, list[str]], list[str]]:
    """Which feedback belongs to which choice, and which to the question as a whole, the general one first."""
    owners = {f"{option}_fb": option for option in options}
    for condition in conditions:
        if len(condition.wanted) == 1 and not condition.excluded:
            owners.update((link, condition.wanted[0]) for link in condition.feedback if link not in owners)
    notes: dict[str, list[str]] = {}
    general = [known for known in _GENERAL if known in identifiers]
    for identifier in identifiers:
        if identifier in _GENERAL:
            continue
        if owner := owners.get(identifier):
            notes.setdefault(owner, []).append(identifier)
        else:
            general.append(identifier)
    return notes, general


def _condition(element: Element, options: Collection[str]) -> Condition:
    condition = Condition()
    for test in element.findall("conditionvar"):
        for choice, negated, alternative in _tests(test, negated=False, alternative=False):
            if choice in options:
                (condition.excluded if negated else condition.wanted).append(choice)
                condition.alternatives |= alternative
    score = element.find("setvar")
    if score is not None:
        value, action = number(text_in(score)), attribute(score, "action", "Set").lower()
        if value is not None and action in ("set", "add", "subtract"):
            condition.value = -value if action == "subtract" else value
            condition.adds = action != "set"
    condition.feedback = [attribute(shown, "linkrefid") for shown in element.findall("displayfeedback")]
    return condition


def _tests(element: Element, *, negated: bool, alternative: bool) -> Iterator[tuple[str, bool, bool]]:
    for test in element:
        kind = test.tag
        if kind == "varequal":
            yield text_in(test), negated, alternative
        elif kind in ("and", "or", "not"):
            yield from _tests(test, negated=negated ^ (kind == "not"), alternative=alternative or kind == "or")


def _is_combination(condition: Condition, *, several: bool) -> bool:
    """Whether the condition states a whole answer rather than the worth of one choice."""
    if not condition.wanted or condition.alternatives:
        return False
    return several and bool(condition.excluded or len(condition.wanted) > 1)


def _scores(conditions: Sequence[Condition]) -> dict[str, Decimal]:
    scores: dict[str, Decimal] = {}
    for condition in conditions:
        if condition.value is None or condition.excluded:
            continue
        for choice in condition.wanted:
            scores[choice] = condition.value + (scores.get(choice, _NOTHING) if condition.adds else _NOTHING)
    return scores


def _best_score(scores: Mapping[str, Decimal], options: Sequence[str]) -> Marking:
    full = max(scores.values(), default=_NOTHING)
    if full <= 0:
        return Marking(correct=frozenset(), weights=None)
    correct = frozenset(choice for choice, score in scores.items() if score == full)
    partial = any(score not in (_NOTHING, full) for score in scores.values())
    return Marking(correct=correct, weights=_weights(scores, options, full) if partial else None)


def _sum_of_scores(scores: Mapping[str, Decimal], options: Sequence[str]) -> Marking:
    full = sum((score for score in scores.values() if score > 0), _NOTHING)
    if full <= 0:
        return Marking(correct=frozenset(), weights=None)
    correct = frozenset(choice for choice, score in scores.items() if score > 0)
    return Marking(correct=correct, weights=_weights(scores, options, full))


def _weights(scores: Mapping[str, Decimal], options: Sequence[str], full: Decimal) -> dict[str, Decimal]:
    return {option: fraction(scores.get(option, _NOTHING), full) for option in options}
