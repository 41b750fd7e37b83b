"""What a student sees of practice. Nothing here holds a key unless it is named a revelation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from application.practice.ports.answering import Tally
from domain.practice.judging import FeedbackMode, MarkingRules
from domain.practice.paper import PracticePaper
from domain.practice.plans import Source
from domain.practice.results import Summary
from domain.practice.sessions import PracticeSession, PracticeSlot, PracticeStatus
from domain.question_bank.certainty import Certainty
from domain.question_bank.imported import NumericBand, TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.ordering import in_order, keeps_ids, shown_ids
from domain.question_bank.questions import Choice, Response
from domain.question_bank.revelation import Explanation, Revelation


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session. `correct_count` is None while right and wrong are not to be told apart yet, or not now."""

    id: str
    exam_package_id: str
    status: PracticeStatus
    feedback: FeedbackMode
    certainty: bool
    source: Source
    template_id: str | None
    template_version: int | None
    requested: int
    served: int
    answered_count: int
    correct_count: int | None
    started_at: datetime
    deadline: datetime | None
    remaining_seconds: int | None
    paused_at: datetime | None
    finished_at: datetime | None
    invalidation_reason: str | None

    @classmethod
    def of(cls, session: PracticeSession, now: datetime, *, under_exam: bool = False) -> SessionView:
        """`under_exam`: an exam that the student can go on with asks one of its questions, so it tells no result."""
        deadline = None if session.is_over else session.deadline
        return cls(
            id=session.id,
            exam_package_id=session.exam_package_id,
            status=session.status,
            feedback=session.feedback,
            certainty=session.certainty,
            source=session.source,
            template_id=session.template_id,
            template_version=session.template_version,
            requested=session.requested,
            served=session.served,
            answered_count=session.answered_count,
            correct_count=session.correct_count if session.judges_now and not under_exam else None,
            started_at=session.started_at,
            deadline=session.deadline,
            remaining_seconds=None if deadline is None else max(0, int((deadline - now).total_seconds())),
            paused_at=session.paused_at,
            finished_at=session.finished_at,
            invalidation_reason=session.invalidation_reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverseenSessionView:
    """A session as an administrator sees it: whose it is."""

    user_id: str
    session: SessionView

    @classmethod
    def of(cls, session: PracticeSession, now: datetime) -> OverseenSessionView:
        return cls(user_id=session.user_id, session=SessionView.of(session, now))


@dataclass(frozen=True, slots=True, kw_only=True)
class OverseenSlot:
    """What became of one question, judged whether or not its student may know that yet. No text and no key."""

    slot: int
    question_id: str
    version: int
    max_mark: Decimal
    answered_at: datetime | None
    correct: bool | None
    mark: Decimal | None
    certainty: Certainty | None
    certainty_mark: Decimal | None
    time_spent_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverseenPracticeView:
    """A session as an administrator sees it, with its slots."""

    user_id: str
    session: SessionView
    slots: tuple[OverseenSlot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView:
    """A question in its slot, choices in the session's order and by the names they have in it, and the own response.

    `flagged`: by the student, at the moment. `topic_id`: the topic that the answer counts for.
    """

    slot: int
    question_id: str
    version: int
    kind: QuestionKind
    stem: str
    stem_format: TextFormat
    choices: tuple[Choice, ...]
    prompts: tuple[Choice, ...]
    topic_id: str | None = None
    max_mark: Decimal
    response: Response | None
    certainty: Certainty | None
    answered_at: datetime | None
    flagged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeView:
    """A session with its questions."""

    session: SessionView
    questions: tuple[QuestionView, ...]

    @classmethod
    def of(cls, paper: PracticePaper) -> PracticeView:
        """A session that has just begun."""
        questions = tuple(
            QuestionView(
                slot=slot.slot,
                question_id=question.question_id,
                version=question.version,
                kind=question.kind,
                stem=question.stem,
                stem_format=question.stem_format,
                choices=in_order(question.kind, question.choices, slot.choice_order),
                prompts=question.prompts,
                topic_id=slot.topic_id,
                max_mark=slot.max_mark,
                response=None,
                certainty=None,
                answered_at=None,
                flagged=question.question_id in paper.flagged,
            )
            for slot, question in zip(paper.slots, paper.questions, strict=True)
        )
        return cls(session=SessionView.of(paper.session, paper.session.started_at), questions=questions)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackView:
    """How an answer was judged, and what its student may know from now on.

    `certainty_mark` is None where the session does not ask for certainty.
    """

    correct: bool
    mark: Decimal
    max_mark: Decimal
    certainty_mark: Decimal | None
    correct_choice_ids: tuple[str, ...]
    correct_order: tuple[str, ...]
    correct_pairs: Mapping[str, str]
    correct_values: tuple[NumericBand, ...]
    accepted_texts: tuple[str, ...]
    explanations: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """What an answer changed; `feedback` only where the session gives it at once."""

    slot: int
    question_id: str
    answered_count: int
    correct_count: int | None
    status: PracticeStatus
    feedback: FeedbackView | None

    @classmethod
    def of(cls, session: PracticeSession, slot: PracticeSlot, kind: QuestionKind) -> AnswerView:
        return cls(
            slot=slot.slot,
            question_id=slot.question_id,
            answered_count=session.answered_count,
            correct_count=session.correct_count if session.judges_now else None,
            status=session.status,
            feedback=_feedback(slot, kind),
        )

    @classmethod
    def of_open(cls, rules: MarkingRules, tally: Tally, slot: PracticeSlot, kind: QuestionKind) -> AnswerView:
        """Of a session that goes on, which tells right from wrong only where it does so at once."""
        at_once = rules.feedback is FeedbackMode.IMMEDIATE
        return cls(
            slot=slot.slot,
            question_id=slot.question_id,
            answered_count=tally.answered_count,
            correct_count=tally.correct_count if at_once else None,
            status=PracticeStatus.ACTIVE,
            feedback=_feedback(slot, kind),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """A slot after the fact; without an answer `correct` and the marks are None."""

    question: QuestionView
    correct: bool | None
    mark: Decimal | None
    certainty_mark: Decimal | None
    time_spent_seconds: int
    revelation: Revelation


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """A session and those of its slots that may be reviewed now."""

    session: PracticeSession
    items: tuple[ReviewItem, ...]
    under_exam: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Sessions that are over, the one that ended last first, and how many there are in all."""

    total: int
    sessions: tuple[SessionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageScore:
    """What a student's attempts at a package came to.

    Percents are of all questions of an attempt, 0 to 100; `percents` is the sum of those of all attempts.
    """

    exam_package_id: str
    attempts: int
    answered: int
    percents: Decimal
    best_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryView:
    """A session in numbers."""

    session: SessionView
    summary: Summary
    under_exam: bool = False


def _feedback(slot: PracticeSlot, kind: QuestionKind) -> FeedbackView | None:
    if slot.feedback is None or slot.mark is None:
        return None
    told = slot.feedback
    shown = told if keeps_ids(kind) else told.renamed(shown_ids(kind, slot.choice_order))
    return FeedbackView(
        correct=slot.correct is True,
        mark=slot.mark,
        max_mark=slot.max_mark,
        certainty_mark=slot.certainty_mark,
        correct_choice_ids=shown.correct_choice_ids,
        correct_order=shown.correct_order,
        correct_pairs=shown.correct_pairs,
        correct_values=shown.correct_values,
        accepted_texts=shown.accepted_texts,
        explanations=shown.explanations,
    )
