"""Exams that were handed in, and their questions corrected afterwards, in either store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import msgspec

from adapters.memory.exam.regrading import MemoryAffectedReader, MemoryRegradeWork
from adapters.memory.practice.drawing import PublishedQuestion
from adapters.postgres.exam.regrading import PostgresAffectedReader, PostgresRegradeWork
from application.exam.ports.regrading import AffectedReader, RegradeWork
from application.exam.regrading import RegradeExam
from application.exam.settling import hold, settle
from application.exam.void_listing import ListVoids
from application.exam.voiding import RegardVoid, VoidQuestion, VoidReport, VoidRequest
from application.ports import Transaction
from domain.auth.people import Actor
from domain.exam.grading import Grade
from domain.exam.moves import submit
from domain.exam.regrading import RegradeMode
from domain.exam.sessions import ExamSession
from domain.exam.voiding import Void, VoidMode
from domain.progress.badges import Badge
from domain.progress.students import StudentProgress
from domain.question_bank.questions import Response
from tests.support.exam_builders import PAPER, ROOT, exam_rules, exam_session, later, right
from tests.support.exam_stores import ExamsInMemory, ExamsOnPostgres, ExamStore
from tests.support.practice_builders import PACKAGE, STUDENT, Offer

SINGLE, MULTIPLE, TRUTH, NUMBER, TEXT, MATCH, ORDER = PAPER
WHY = "the key was wrong"
FOUR_RIGHT = {each.id: right(each) for each in (SINGLE, MULTIPLE, NUMBER)}
"""Four of eight marks: passed, if only just."""
_NEXT_VERSION = """
insert into question_versions
select (jsonb_populate_record(v, jsonb_build_object('version', 2, 'status', 'published', 'answer_key', %(key)s::jsonb,
        'choices', %(choices)s::jsonb))).*
  from question_versions v where question_id = %(id)s and version = 1
"""


@dataclass(frozen=True, slots=True)
class Regrading:
    """A store with the use cases that grade again."""

    store: ExamStore

    @property
    def transact(self) -> Transaction[RegradeWork]:
        found: Transaction[RegradeWork] = self.store.unit(MemoryRegradeWork, PostgresRegradeWork)
        return found

    @property
    def affected(self) -> AffectedReader:
        if isinstance(self.store, ExamsInMemory):
            return MemoryAffectedReader(self.store.store)
        assert isinstance(self.store, ExamsOnPostgres)
        return PostgresAffectedReader(self.store.database)

    @property
    def regrade(self) -> RegradeExam:
        return RegradeExam(transact=self.transact, ids=self.store.ids)

    @property
    def regard(self) -> RegardVoid:
        return RegardVoid(transact=self.transact, affected_reader=self.affected, ids=self.store.ids)

    @property
    def void(self) -> VoidQuestion:
        return VoidQuestion(
            transact=self.transact, affected_reader=self.affected, regard_void=self.regard, ids=self.store.ids
        )

    async def list_voids(
        self, actor: Actor, package_id: str, *, after: tuple[datetime, str] | None = None, limit: int = 100
    ) -> tuple[Void, ...]:
        return await ListVoids(self.affected)(actor, package_id, after=after, limit=limit)

    async def begun(
        self,
        *,
        user_id: str = STUDENT.user_id,
        session_id: str = "exs_1",
        paper: Sequence[Offer] = PAPER,
        **changes: object,
    ) -> ExamSession:
        """A session under way: as a rule with a question of each kind, eight marks, and half of them to pass."""
        at: datetime = self.store.clock.now()
        rules = changes.pop("rules", exam_rules(pass_mark=Decimal(50)))
        session = exam_session(user_id=user_id, session_id=session_id, at=at, rules=rules, **changes)
        return await self.store.begin(session, paper)

    async def handed_in(self, session: ExamSession, answers: Mapping[str, Response]) -> Grade:
        """With these answers, by question; and graded."""

        async def unit(work: RegradeWork) -> None:
            held = await hold(work, lambda: self.store.ids.new("evt"), session.user_id, session.id)
            slots = await work.hold_slots(held.session)
            for asked in slots:
                response = answers.get(asked.slot.question_id)
                if response is not None:
                    answered = replace(asked.slot, response=response, revision=1, answered_at=work.now)
                    await work.save_slot(answered)
            await settle(work, lambda: self.store.ids.new("evt"), held, submit(held.session, work.now), None)

        await self.transact(unit)
        return await self.grade_of(session)

    async def again(
        self, session: ExamSession, mode: RegradeMode = RegradeMode.AS_ASKED, *, dry_run: bool = False
    ) -> Grade:
        """The grade that it gets a day after the start."""
        self.store.clock.set(later(days=1))
        done = await self.regrade(ROOT, session.user_id, session.id, mode=mode, reason=WHY, dry_run=dry_run)
        return done.after

    async def declare(
        self, question: str, mode: VoidMode, accepted: str = "", *, dry_run: bool = False, version: int | None = None
    ) -> VoidReport:
        request = VoidRequest(question_id=question, version=version, mode=mode, accepted=tuple(accepted), reason=WHY)
        return await self.void(ROOT, PACKAGE, request, dry_run=dry_run)

    async def grade_of(self, session: ExamSession) -> Grade:
        """The latest."""
        return list(await self.store.grades_of(session.user_id, session.id))[-1]

    async def progress(self, user_id: str = STUDENT.user_id) -> StudentProgress:
        return await self.transact(lambda work: work.hold_progress(user_id))

    async def badges(self, user_id: str = STUDENT.user_id) -> dict[str, Badge]:
        """Those that are held, by code."""
        found = await self.transact(lambda work: work.badges(user_id))
        return {badge.code: badge for badge in found if badge.is_held}

    def correct(self, offer: Offer, right: str, *, texts: bool = False) -> None:
        """Publishes a second version with another key; with `texts` its options say something else too."""
        key = replace(offer.key, correct=tuple(right))
        said = [replace(each, text=f"{each.text}, anew" if texts else each.text) for each in offer.public.choices]
        if isinstance(self.store, ExamsInMemory):
            public = replace(offer.public, version=2, choices=tuple(said))
            row = PublishedQuestion(
                question=public, key=key, topic_id=offer.topic_id, difficulty_id=offer.difficulty_id
            )
            self.store.store.tables["asked_versions"][offer.id, 2] = row
            self.store.store.tables["published_questions"][PACKAGE, offer.id] = row
            return
        assert isinstance(self.store, ExamsOnPostgres)
        keeper = self.store.cloned.keeper
        params = {"id": offer.id, "key": _json(key), "choices": _json(said)}
        keeper.execute("update question_versions set status = 'superseded' where question_id = %(id)s", params)
        keeper.execute(_NEXT_VERSION, params)
        keeper.execute("update questions set published_version = 2 where id = %(id)s", params)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
