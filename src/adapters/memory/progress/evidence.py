"""Evidence and predictions in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.memory.store import MemoryWork
from application.progress.ports.evidence import EvidenceWork, FacilityWork, Grounds, ReadinessWork
from domain.enrollment.packages import ExamPackage, Visibility
from domain.exam.sessions import ExamSession, ExamSlot, ExamStatus
from domain.exam.voiding import Void, VoidMode, counting
from domain.practice.judging import FeedbackMode
from domain.practice.sessions import PracticeSession, PracticeSlot, PracticeStatus
from domain.progress.calibration import Outcomes
from domain.progress.evidence import MOST_ANSWERS, Facility, JudgedAnswer, PackageEvidence, PackageTopic, fraction
from domain.progress.readiness import Prediction


class _JudgedWork(MemoryWork):
    """What has been judged by now: the view `topic_evidence`."""

    def _judged(self) -> Iterator[tuple[str, JudgedAnswer]]:
        """Whose answer, and the answer."""
        yield from self._practised()
        yield from self._examined()

    def _examined(self) -> Iterator[tuple[str, JudgedAnswer]]:
        """Every question of a finished exam, a blank one too, but those that were dropped or credited to everybody."""
        slots: list[ExamSlot] = list(self._tables["exam_slots"].values())
        voids: list[Void] = list(self._tables["exam_voids"].values())
        for slot in slots:
            session: ExamSession = self._tables["exam_sessions"][slot.user_id, slot.session_id]
            if session.status is not ExamStatus.FINISHED or session.sealed_at is None:
                continue
            in_package = counting(void for void in voids if void.exam_package_id == session.exam_package_id)
            declared = in_package.get((slot.question_id, slot.version))
            if declared is not None and declared.mode is not VoidMode.ACCEPT_ALSO:
                continue
            answer = JudgedAnswer(
                question_id=slot.question_id,
                topic_id=slot.topic_id,
                fraction=fraction(slot.mark or Decimal(0), slot.max_mark),
                answered_at=slot.answered_at or session.sealed_at,
            )
            yield slot.user_id, answer

    def _practised(self) -> Iterator[tuple[str, JudgedAnswer]]:
        """The view `judged_answers`."""
        slots: list[PracticeSlot] = list(self._tables["practice_slots"].values())
        for slot in slots:
            session: PracticeSession = self._tables["practice_sessions"][slot.user_id, slot.session_id]
            if slot.answered_at is None or slot.mark is None or not _is_judged(session, self.now):
                continue
            yield (
                slot.user_id,
                JudgedAnswer(
                    question_id=slot.question_id,
                    topic_id=slot.topic_id,
                    fraction=fraction(slot.mark, slot.max_mark),
                    answered_at=slot.answered_at,
                ),
            )


class MemoryEvidenceWork(_JudgedWork, EvidenceWork):
    """The topics of a package are those of the questions that are published in it; they have no names here."""

    async def evidence(self, user_id: str, exam_package_id: str) -> PackageEvidence | None:
        package: ExamPackage | None = self._tables["exam_packages"].get((exam_package_id,))
        if package is None:
            return None
        published = {
            question_id: row.topic_id
            for (package_id, question_id), row in self._tables["published_questions"].items()
            if package_id == exam_package_id
        }
        topics = list(published.values())
        facilities: dict[str | None, Facility] = self._tables["topic_facilities"]
        answers = [
            answer
            for answerer, answer in self._judged()
            if answerer == user_id
            and (answer.question_id in published if answer.topic_id is None else answer.topic_id in topics)
        ]
        answers.sort(key=lambda answer: answer.answered_at, reverse=True)
        return PackageEvidence(
            at=self.now,
            visible=package.visibility is Visibility.VISIBLE,
            enrolled=self._was_enrolled(user_id, exam_package_id),
            pass_mark=package.pass_mark,
            settings=package.settings,
            blueprint=package.blueprint,
            topics=tuple(
                PackageTopic(id=topic, published=topics.count(topic), facility=facilities.get(topic, Facility()))
                for topic in dict.fromkeys(topics)
            ),
            answers=tuple(answers[:MOST_ANSWERS]),
        )

    def _was_enrolled(self, user_id: str, exam_package_id: str) -> bool:
        rows: list[Any] = list(self._tables["enrollments"].values())
        return any(row.user_id == user_id and row.exam_package_id == exam_package_id for row in rows)


class MemoryReadinessWork(MemoryEvidenceWork, ReadinessWork):
    """Units of work take turns, so whatever is read is held. The table `readiness_outcomes` tells who passed."""

    async def grounds(self, user_id: str, exam_package_id: str) -> Grounds | None:
        found = await self.evidence(user_id, exam_package_id)
        rows: dict[tuple[str, str], Prediction] = self._tables["readiness_predictions"]
        passed: dict[tuple[str, str], bool] = self._tables["readiness_outcomes"]
        outcomes = [
            Outcomes(p_pass=rows[key].p_pass, count=1, passed=int(passed[key]))
            for key in passed
            if rows[key].exam_package_id == exam_package_id
        ]
        return None if found is None else Grounds(evidence=found, outcomes=tuple(outcomes))

    async def hold_predictions(
        self, user_id: str, exam_package_id: str, shown_after: datetime
    ) -> tuple[Prediction, ...]:
        rows: list[Prediction] = list(self._tables["readiness_predictions"].values())
        return tuple(
            row
            for row in rows
            if (row.user_id, row.exam_package_id) == (user_id, exam_package_id) and row.shown_at > shown_after
        )

    async def add_prediction(self, prediction: Prediction) -> None:
        self._tables["readiness_predictions"][prediction.user_id, prediction.id] = prediction


class MemoryFacilityWork(_JudgedWork, FacilityWork):
    """The table `topic_facilities` is keyed by topic."""

    async def count_facilities(self) -> None:
        counted: dict[str, Facility] = {}
        for _, answer in self._judged():
            if answer.topic_id is not None:
                known = counted.get(answer.topic_id, Facility())
                counted[answer.topic_id] = Facility(
                    responses=known.responses + 1, earned=known.earned + answer.fraction
                )
        self._tables["topic_facilities"] = counted


def _is_judged(session: PracticeSession, now: datetime) -> bool:
    if session.status is PracticeStatus.INVALIDATED:
        return False
    if session.feedback is FeedbackMode.IMMEDIATE:
        return True
    ends = [instant for instant in (session.finished_at, session.deadline) if instant is not None]
    return bool(ends) and min(ends) <= now
