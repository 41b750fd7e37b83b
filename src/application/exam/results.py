"""What became of an exam, as its student sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from application.exam.ports.results import ResultReader, ResultRecord, ReviewedQuestion
from application.exam.sweeping import LapseExam
from domain.auth.people import Actor
from domain.enrollment.settings import ReviewRule
from domain.exam.deadlines import is_due
from domain.exam.grading import SlotGrade
from domain.exam.refusals import ExamSessionNotFound, ResultNotReady
from domain.exam.results import Attempt, Official, Score, TopicScore, by_topic, may_review, official
from domain.exam.sessions import ExamSession, ExamSlot
from domain.exam.voiding import VoidMode
from domain.question_bank.certainty import Certainty
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.ordering import in_order, shown_ids
from domain.question_bank.questions import Choice, Response
from domain.question_bank.revelation import Revelation, reveal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedSlot:
    """A question after the fact: what was answered, what it earned, and what is right, choices as they were shown.

    `void` says that the question was declared void, and how: then its mark is not what the key alone would give.
    """

    slot: int
    question_id: str
    version: int
    kind: QuestionKind
    stem: str
    stem_format: TextFormat
    choices: tuple[Choice, ...]
    prompts: tuple[Choice, ...]
    response: Response | None
    certainty: Certainty | None
    answered_at: datetime | None
    flagged: bool
    correct: bool | None
    mark: Decimal
    max_mark: Decimal
    certainty_mark: Decimal | None
    void: VoidMode | None
    revelation: Revelation

    @classmethod
    def of(cls, reviewed: ReviewedQuestion, grade: SlotGrade) -> ReviewedSlot:
        slot, question = reviewed.slot, reviewed.question
        names = shown_ids(question.kind, slot.choice_order)
        return cls(
            slot=slot.slot,
            question_id=slot.question_id,
            version=slot.version,
            kind=question.kind,
            stem=question.stem,
            stem_format=question.stem_format,
            choices=in_order(question.kind, question.choices, slot.choice_order),
            prompts=question.prompts,
            response=_shown(slot, names),
            certainty=slot.certainty,
            answered_at=slot.answered_at,
            flagged=slot.flagged,
            correct=grade.correct,
            mark=grade.mark,
            max_mark=grade.max_mark,
            certainty_mark=grade.certainty_mark,
            void=grade.void,
            revelation=reveal(question.kind, reviewed.key, slot.choice_order).renamed(names),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamResult:
    """What a finished session came to. `review` is None as long as its rule does not allow it, and names it."""

    session: ExamSession
    score: Score
    topics: tuple[TopicScore, ...]
    official: Official
    review_rule: ReviewRule
    reviewable_from: datetime | None
    review: tuple[ReviewedSlot, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """A student sees what a finished exam came to, in all and topic by topic, and which of the attempts counts.

    Question by question, with what is right, it is told as the package allows it now: never, after the release of the
    result, or after the window of the exam, when nobody sits it any more. There is no result of what is under way or
    does not count.
    """

    results: ResultReader
    lapse_exam: LapseExam

    async def __call__(self, actor: Actor, session_id: str) -> ExamResult:
        found = await self._up_to_date(actor.user_id, session_id)
        score = Score.of(found.session)
        counts = official(found.settings.official_result, _attempts(found.attempts))
        if score is None or counts is None or found.grade is None:
            raise ResultNotReady
        review = None
        if may_review(found.settings, found.now, is_sat=found.is_sat):
            marks = {each.slot: each for each in found.grade.marks}
            questions = await self.results.review(actor.user_id, session_id)
            review = tuple(ReviewedSlot.of(each, marks[each.slot.slot]) for each in questions)
        rule = found.settings.review_rule
        return ExamResult(
            session=found.session,
            score=score,
            topics=by_topic(found.slots),
            official=counts,
            review_rule=rule,
            reviewable_from=found.settings.closes_at if rule is ReviewRule.AFTER_WINDOW else None,
            review=review,
        )

    async def _up_to_date(self, user_id: str, session_id: str) -> ResultRecord:
        """What time has ended is written down first, as if it had been swept already."""
        found = _found(await self.results.result(user_id, session_id))
        if not is_due(found.session, found.now):
            return found
        await self.lapse_exam(user_id, session_id)
        return _found(await self.results.result(user_id, session_id))


def _found(record: ResultRecord | None) -> ResultRecord:
    if record is None:
        raise ExamSessionNotFound
    return record


def _attempts(sessions: Sequence[ExamSession]) -> list[Attempt]:
    return [attempt for attempt in map(Attempt.of, sessions) if attempt is not None]


def _shown(slot: ExamSlot, names: Mapping[str, str]) -> Response | None:
    return None if slot.response is None else slot.response.renamed(names)
