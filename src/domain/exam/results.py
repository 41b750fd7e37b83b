"""What an exam comes to for its student: the score, topic by topic, and over several attempts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from domain.enrollment.settings import OfficialResult, PackageSettings, ReviewRule
from domain.exam.grading import SlotGrade
from domain.exam.sessions import ExamSession, ExamStatus
from domain.question_bank.totals import percent_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The mark that counts out of the most there is, and whether it passed. The share is exact, from 0 to 1.

    A total below zero, where a package has such, is 0 percent. Nothing out of nothing is 0 percent too.
    """

    mark: Decimal
    max_mark: Decimal
    passed: bool

    @classmethod
    def of(cls, session: ExamSession) -> Score | None:
        """By the latest grade; None of a session that does not count, or not yet."""
        if session.status is not ExamStatus.FINISHED or session.mark is None or session.max_mark is None:
            return None
        return cls(mark=session.mark, max_mark=session.max_mark, passed=session.passed is True)

    @property
    def share(self) -> Fraction:
        return _share(self.mark, self.max_mark)

    @property
    def percent(self) -> Decimal:
        """Two decimal places. Whether it is a pass was decided before anything was rounded."""
        return percent_of(self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A finished session among those of its student in the package. `pass_mark` is the one it began with."""

    session_id: str
    attempt_no: int
    score: Score
    pass_mark: Decimal

    @classmethod
    def of(cls, session: ExamSession) -> Attempt | None:
        score = Score.of(session)
        if score is None:
            return None
        return cls(
            session_id=session.id,
            attempt_no=session.attempt_no,
            score=score,
            pass_mark=session.rules.pass_mark,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """What counts of all attempts. `session_id` names the attempt that it is; None where it is an average."""

    rule: OfficialResult
    percent: Decimal
    passed: bool
    session_id: str | None = None
    score: Score | None = None
    attempts: int


def official(rule: OfficialResult, attempts: Iterable[Attempt]) -> Official | None:
    """The official result by the rule of the package; None without a finished attempt.

    Of two attempts that are equally high the earlier one counts. An average is that of the exact percentages, and is
    held against the pass mark that the latest attempt began with.
    """
    every = sorted(attempts, key=lambda each: each.attempt_no)
    if not every:
        return None
    if rule is OfficialResult.AVERAGE:
        mean = sum((each.score.share for each in every), Fraction(0)) / len(every)
        passed = 100 * mean >= Fraction(every[-1].pass_mark)
        return Official(rule=rule, percent=percent_of(mean), passed=passed, attempts=len(every))
    chosen = _chosen(rule, every)
    return Official(
        rule=rule,
        percent=chosen.score.percent,
        passed=chosen.score.passed,
        session_id=chosen.session_id,
        score=chosen.score,
        attempts=len(every),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicScore:
    """What the slots of one topic earned; without a topic those that have none. A dropped slot is not among them."""

    topic_id: str | None
    name: str | None
    questions: int
    answered: int
    mark: Decimal
    max_mark: Decimal

    @property
    def percent(self) -> Decimal:
        return percent_of(_share(self.mark, self.max_mark))


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSlot:
    """A slot's grade, and the topic that its question belonged to when the exam began."""

    topic_id: str | None
    name: str | None
    grade: SlotGrade


def by_topic(slots: Sequence[TopicSlot]) -> tuple[TopicScore, ...]:
    """Every topic of a paper in the order of its first slot. No topic earns less than nothing."""
    topics: dict[str | None, list[TopicSlot]] = {}
    for slot in slots:
        if slot.grade.max_mark > 0:
            topics.setdefault(slot.topic_id, []).append(slot)
    return tuple(_topic_score(topic_id, of_topic) for topic_id, of_topic in topics.items())


def may_review(settings: PackageSettings, now: datetime, *, is_sat: bool) -> bool:
    """Whether students may see question by question how a finished exam went, as the package says now.

    After its window, but not while the time of anybody who sits the package goes on (`is_sat`): by extra time, or given
    by staff, some sit beyond the window.
    """
    if settings.review_rule is ReviewRule.AFTER_RELEASE:
        return True
    closes = settings.closes_at
    return settings.review_rule is ReviewRule.AFTER_WINDOW and closes is not None and now >= closes and not is_sat


def _chosen(rule: OfficialResult, attempts: Sequence[Attempt]) -> Attempt:
    """`attempts` from the first to the last; `max` keeps the first of equals."""
    if rule is OfficialResult.FIRST:
        return attempts[0]
    if rule is OfficialResult.LATEST:
        return attempts[-1]
    return max(attempts, key=lambda each: each.score.share)


def _topic_score(topic_id: str | None, slots: Sequence[TopicSlot]) -> TopicScore:
    return TopicScore(
        topic_id=topic_id,
        name=slots[0].name,
        questions=len(slots),
        answered=sum(slot.grade.answered for slot in slots),
        mark=max(sum((slot.grade.mark for slot in slots), Decimal(0)), Decimal(0)),
        max_mark=sum((slot.grade.max_mark for slot in slots), Decimal(0)),
    )


def _share(mark: Decimal, max_mark: Decimal) -> Fraction:
    if not max_mark:
        return Fraction(0)
    return min(max(Fraction(mark) / Fraction(max_mark), Fraction(0)), Fraction(1))
