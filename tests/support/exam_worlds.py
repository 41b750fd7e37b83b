"""The places where the same history of exams is played, and what is said of a session in all of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st

from adapters.memory.exam.regrading import MemoryRegradeWork
from adapters.postgres.exam.regrading import PostgresRegradeWork
from application.exam.regrading import RegradeExam
from application.exam.starting import AuthoriseExam, StartExam
from domain.enrollment.settings import Navigation, OverduePolicy, PackageSettings
from domain.exam.regrading import RegradeMode
from domain.exam.sessions import ExamSession
from domain.exam.voiding import Void, VoidMode
from domain.question_bank.questions import Response
from tests.support.exam_builders import PACKAGE, ROOT, START, STUDENT
from tests.support.exam_model import ModelExam, ModelRules
from tests.support.exam_sitting import Sitting
from tests.support.exam_stores import ExamStore


@dataclass(slots=True)
class World:
    """A store, and what is done on it. `swept`: time's part is written down now and then."""

    name: str
    store: ExamStore
    swept: bool

    @property
    def sitting(self) -> Sitting:
        return Sitting(self.store)

    async def start(self, session_id: str, times: int) -> list[str]:
        """As often at the same time: the ids of the sessions that they got, of which one at most is new."""
        start = StartExam(ids=self.store.ids, transact=self.store.exams, paper_reader=self.store.papers)
        begun = await asyncio.gather(*(start(STUDENT, PACKAGE, session_id=session_id) for _ in range(times)))
        assert sum(each.new for each in begun) <= 1
        return [each.session.id for each in begun]

    async def authorise(self, session_id: str) -> ExamSession:
        return await AuthoriseExam(ids=self.store.ids, transact=self.store.exams)(ROOT, STUDENT.user_id, session_id)

    async def regrade(self, session_id: str) -> object:
        regrade = RegradeExam(transact=self.store.unit(MemoryRegradeWork, PostgresRegradeWork), ids=self.store.ids)
        return await regrade(ROOT, STUDENT.user_id, session_id, mode=RegradeMode.AS_ASKED, reason="why", dry_run=False)


def response_of(letter: str | None) -> Response | None:
    return None if letter is None else Response.choosing(letter)


packages = st.builds(
    ModelRules,
    limit=st.sampled_from([3600, 3600, None]),
    closes=st.sampled_from([None, None, START + timedelta(seconds=1800), START + timedelta(seconds=5000)]),
    extends=st.booleans(),
    policy=st.sampled_from(OverduePolicy).map(str),
    grace=st.just(7200),
    linear=st.booleans(),
    pause_allowed=st.booleans(),
    authorised=st.sampled_from([False, False, True]),
    attempts=st.sampled_from([None, None, 3]),
    cooldown=st.sampled_from([0, 0, 600]),
    later_cooldown=st.sampled_from([0, 0, 7200]),
    weekly=st.sampled_from([None, None, 2]),
    dropped=st.sampled_from([0, 0, 1]),
)


def settings_of(rules: ModelRules) -> PackageSettings:
    """The package that says so, and asks its questions in order."""
    return PackageSettings(
        shuffle_questions=False,
        shuffle_options=False,
        overdue_policy=OverduePolicy(rules.policy),
        latency_seconds=rules.latency,
        grace_seconds=rules.grace,
        closes_at=rules.closes,
        window_extends=rules.extends,
        navigation=Navigation.LINEAR if rules.linear else Navigation.FREE,
        pause_allowed=rules.pause_allowed,
        authorised_start=rules.authorised,
        attempts_allowed=rules.attempts,
        cooldown_seconds=rules.cooldown,
        later_cooldown_seconds=rules.later_cooldown,
    )


def told_of(exam: ModelExam) -> tuple[object, ...]:
    """What a model says of a session, in the order of `told_by`."""
    return (
        exam.status,
        exam.attempt,
        (exam.created, exam.started, exam.sealed, exam.paused_at),
        (exam.adjust, exam.multiplier, exam.extra, exam.paused_total),
        (exam.paused_by_staff, exam.last_seq, exam.late, exam.seal_reason),
        exam.sealed_by or (None, None),
        exam.before_invalidation,
        exam.invalidated or (None, None, None),
        (exam.grades, exam.mark),
    )


def told_by(session: ExamSession) -> tuple[object, ...]:
    """What a store says of it."""
    return (
        session.status,
        session.attempt_no,
        (session.created_at, session.started_at, session.sealed_at, session.paused_at),
        (
            session.adjust_seconds,
            session.accommodation.multiplier,
            session.accommodation.extra_seconds,
            timedelta(microseconds=session.paused_microseconds),
        ),
        (session.paused_by_staff, session.last_seq, session.late, session.seal_reason),
        (session.sealed_by, session.seal_note),
        session.status_before_invalidation,
        (session.invalidated_at, session.invalidated_by, session.invalidation_reason),
        (session.grade_revision, session.mark),
    )


def a_void() -> Void:
    """The first question counts for nobody."""
    return Void(
        id="vod_1",
        exam_package_id=PACKAGE,
        question_id="qst_000",
        version=1,
        mode=VoidMode.DROP,
        reason="why",
        created_at=START,
        created_by=ROOT.user_id,
    )
