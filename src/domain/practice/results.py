"""What may be told about a session: the review rule and the summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from domain.practice.judging import FeedbackMode
from domain.practice.refusals import ExamUnderWay, ReviewNotAvailable
from domain.practice.sessions import PracticeSession, PracticeStatus
from domain.question_bank.certainty import HIGHEST_FACTOR, Calibration, Certainty, calibration
from domain.question_bank.scoring import Score
from domain.question_bank.totals import SlotMark, Total, TotalPolicy, percent_of, total

# Nothing is passed or failed by practising, and no total is below zero.
_PRACTICE = TotalPolicy(pass_mark=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotResult:
    """What one slot adds to the summary; `correct` and the marks are None while it is unanswered."""

    topic_id: str | None
    topic_name: str | None
    max_mark: Decimal
    mark: Decimal | None
    correct: bool | None
    certainty: Certainty | None = None
    certainty_mark: Decimal | None = None
    time_spent_seconds: int

    @property
    def plain(self) -> Score | None:
        """The score that the mark was made of, as exactly as the mark tells it; None while it is unanswered."""
        if self.mark is None:
            return None
        earned = Fraction(self.mark) / Fraction(self.max_mark) if self.max_mark else Fraction(0)
        return Score(fraction=earned, correct=self.correct is True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts over slots. Marks are over the answered ones: in practice a skipped question does not count.

    No total is below zero: what was lost is forgiven at the end, and not slot by slot, in all and for each topic by
    itself. `correct`, `mark`, `percent` and `certainty_mark` are None while they are not to be known yet; `percent`
    also while nothing is answered, and what certainty earns, or could, where it is not asked for.
    """

    served: int
    answered: int
    correct: int | None
    mark: Decimal | None
    max_mark: Decimal
    percent: Decimal | None
    certainty_mark: Decimal | None
    certainty_max_mark: Decimal | None
    time_spent_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicTally:
    """The tally of one topic; questions without a topic are counted under None."""

    topic_id: str | None
    name: str | None
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A session as a whole and topic by topic, and whether the student was as sure as it was right to be.

    `calibration` is None where certainty is not asked for, and while right and wrong are not to be told apart.
    """

    overall: Tally
    topics: tuple[TopicTally, ...]
    calibration: tuple[Calibration, ...] | None


def refuse_during_exam(under_exam: bool) -> None:
    """While an exam of the student asks one of its questions, a session takes nothing and tells nothing."""
    if under_exam:
        raise ExamUnderWay("It opens again when that exam is over.")


def refuse_early_review(session: PracticeSession) -> None:
    """With immediate feedback what was answered is open at any time, with deferred nothing before the end."""
    if session.judges_now:
        return
    if session.status is PracticeStatus.INVALIDATED:
        raise ReviewNotAvailable("The practice session was declared void: its review never opens.")
    raise ReviewNotAvailable("The review opens when the practice session is finished.")


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
        overall=_tally(session, every),
        topics=tuple(
            TopicTally(topic_id=members[0].topic_id, name=members[0].topic_name, tally=_tally(session, members))
            for _, members in sorted(by_topic.items())
        ),
        calibration=_calibrated(every) if session.certainty and session.judges_now else None,
    )


def _calibrated(results: Iterable[SlotResult]) -> tuple[Calibration, ...]:
    scores = ((result.certainty, result.plain) for result in results)
    return calibration((certainty, plain) for certainty, plain in scores if plain is not None)


def _tally(session: PracticeSession, results: Iterable[SlotResult]) -> Tally:
    every, judged = tuple(results), session.judges_now
    answered = [result for result in every if result.mark is not None]
    come_to, by_certainty = _total(answered), session.certainty
    return Tally(
        served=len(every),
        answered=len(answered),
        correct=sum(result.correct is True for result in answered) if judged else None,
        mark=come_to.mark if judged else None,
        max_mark=come_to.max_mark,
        percent=percent_of(come_to.percent / 100) if judged and come_to.max_mark else None,
        certainty_mark=come_to.certainty_mark or Decimal(0) if judged and by_certainty else None,
        certainty_max_mark=come_to.max_mark * HIGHEST_FACTOR if by_certainty else None,
        time_spent_seconds=sum(result.time_spent_seconds for result in every),
    )


def _total(answered: Iterable[SlotResult]) -> Total:
    marks = (
        SlotMark(mark=result.mark, max_mark=result.max_mark, certainty_mark=result.certainty_mark)
        for result in answered
        if result.mark is not None
    )
    return total(marks, _PRACTICE)
