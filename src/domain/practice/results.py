"""What may be told about a session: the review rule and the summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from domain.practice.refusals import ReviewNotAvailable
from domain.practice.sessions import FeedbackMode, PracticeSession

_PERCENT_PLACES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotResult:
    """What one slot adds to the summary; `correct` and `mark` are None while it is unanswered."""

    topic_id: str | None
    topic_name: str | None
    max_mark: Decimal
    mark: Decimal | None
    correct: bool | None
    time_spent_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts over slots. Marks are over the answered ones: in practice a skipped question does not count.

    `correct`, `mark`, `max_mark` and `percent` are None while they are not to be known yet.
    """

    served: int
    answered: int
    correct: int | None
    mark: Decimal | None
    max_mark: Decimal
    percent: Decimal | None
    time_spent_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicTally:
    """The tally of one topic; questions without a topic are counted under None."""

    topic_id: str | None
    name: str | None
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A session as a whole and topic by topic."""

    overall: Tally
    topics: tuple[TopicTally, ...]


def refuse_early_review(session: PracticeSession) -> None:
    """With immediate feedback what was answered is open at any time, with deferred nothing before the end."""
    if not session.judges_now:
        raise ReviewNotAvailable


def may_review(session: PracticeSession, *, answered: bool) -> bool:
    """With immediate feedback a key is shown for an answer only; a finished deferred session shows them all."""
    return session.judges_now and (answered or session.feedback is FeedbackMode.DEFERRED)


def summarise(session: PracticeSession, results: Iterable[SlotResult]) -> Summary:
    """Count a session; topics in the order of their names. Right and wrong are told apart only when they may be."""
    every = tuple(results)
    by_topic: dict[tuple[str, str], list[SlotResult]] = {}
    for result in every:
        by_topic.setdefault((result.topic_name or "", result.topic_id or ""), []).append(result)
    return Summary(
        overall=_tally(every, judged=session.judges_now),
        topics=tuple(
            TopicTally(
                topic_id=members[0].topic_id,
                name=members[0].topic_name,
                tally=_tally(members, judged=session.judges_now),
            )
            for _, members in sorted(by_topic.items())
        ),
    )


def _tally(results: Iterable[SlotResult], *, judged: bool) -> Tally:
    every = tuple(results)
    answered = [result for result in every if result.mark is not None]
    mark = sum((result.mark for result in answered if result.mark is not None), Decimal(0))
    max_mark = sum((result.max_mark for result in answered), Decimal(0))
    return Tally(
        served=len(every),
        answered=len(answered),
        correct=sum(result.correct is True for result in answered) if judged else None,
        mark=mark if judged else None,
        max_mark=max_mark,
        percent=_percent(mark, max_mark) if judged else None,
        time_spent_seconds=sum(result.time_spent_seconds for result in every),
    )


def _percent(mark: Decimal, max_mark: Decimal) -> Decimal:
    """Rounded once, half to even, at the second decimal place; nothing out of nothing is 0."""
    if not max_mark:
        return Decimal(0)
    hundredths = round(Fraction(mark) / Fraction(max_mark) * 100 * 10**_PERCENT_PLACES)
    return Decimal(hundredths).scaleb(-_PERCENT_PLACES)
