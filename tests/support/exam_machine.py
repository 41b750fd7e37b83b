"""Any history of exams, on several stores and in the model at once. Time's part is written down early or late."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.auth.people import Actor
from domain.errors import DomainError
from domain.exam.deadlines import deadline
from domain.exam.record import EntryKind, first_broken
from domain.exam.sessions import ExamSession
from domain.exam.starting import foreseen
from tests.support.exam_builders import ROOT, START, STUDENT
from tests.support.exam_model import ModelExam, ModelRules, Refusal
from tests.support.exam_overseeing import Oversight
from tests.support.exam_sitting import final
from tests.support.exam_student_model import ModelStudent
from tests.support.exam_worlds import World, a_void, packages, response_of, settings_of, told_by, told_of
from tests.support.postgres import SettableClock
from tests.support.practice_builders import offers

OTHER = replace(ROOT, user_id="usr_other")
WHICH, SLOT = st.integers(0, 3), st.integers(0, 4)
LETTERS = st.sampled_from(["B", "B", "A", None, "Z"])
BEHIND = st.sampled_from([0, 0, 0, 0, -1, 1])
ADMINS = st.sampled_from([ROOT, OTHER])
AGAIN = st.sampled_from(["reinstate", "reopen", "regrade"])
NO_TIME, SOME_TIME = st.sampled_from([0, 1, 30]), st.sampled_from([59, 60, 61, 600, 3600, 7300, 86_400, 700_000])


class Exams(RuleBasedStateMachine):
    """A student who sits exams of a package, staff who interfere, and a sweeper that comes when it likes.

    The first world is never swept, the others are at any moment: none of that makes a difference to anybody.
    """

    def __init__(self, runner: asyncio.Runner, clock: SettableClock, worlds: Sequence[World]) -> None:
        super().__init__()
        self.runner, self.clock, self.worlds = runner, clock, worlds
        self.clock.set(START)
        self.granted = False
        self.sealed: dict[tuple[str, str], tuple[datetime, object]] = {}

    @initialize(rules=packages)
    def hold_exams(self, rules: ModelRules) -> None:
        self.model = ModelStudent(rules)
        for world in self.worlds:
            told = settings_of(rules)
            world.store.stock(
                STUDENT, paper=offers(3), settings=told, duration_seconds=rules.limit, weekly=rules.weekly
            )
            Oversight(world.store).settle_in(STUDENT)
            for admin in (ROOT, OTHER):
                world.store.admit(admin)
            if rules.dropped:
                world.store.void(a_void())

    # What the student does.

    @rule(times=st.integers(1, 3))
    def start(self, times: int) -> None:
        session_id = f"exs_{len(self.model.exams) + 1}"
        refusal, live = self.model.start(self.now, session_id)
        told = self.ask(lambda world: world.start(session_id, times), refusal)
        assert told is None or (live is not None and set(told) == {live.id})

    @precondition(lambda self: self.model.exams)
    @rule(which=WHICH, slot=SLOT, letter=LETTERS, behind=BEHIND, autosave=st.booleans())
    def save(self, which: int, slot: int, letter: str | None, behind: int, autosave: bool) -> None:
        exam, base = self.exam(which), self.base(which, slot, behind)
        refusal, became = exam.save(self.now, slot, letter, base, autosave=autosave)
        told = self.ask(
            lambda world: world.sitting.save(
                slot, response_of(letter), base, session_id=exam.id, autosave=autosave, flagged=None
            ),
            refusal,
        )
        if told is not None:
            assert (told.revision, told.stale) == (exam.slots[slot - 1].revision, became == "stale")

    @precondition(lambda self: self.model.exams)
    @rule(which=WHICH, finals=st.lists(st.tuples(SLOT, LETTERS, BEHIND), max_size=2), repeat=st.booleans())
    def submit(self, which: int, finals: list[tuple[int, str | None, int]], repeat: bool) -> None:
        exam = self.exam(which)
        given = [(slot, letter, self.base(which, slot, behind)) for slot, letter, behind in finals]
        answers = [final(slot, response_of(letter), base) for slot, letter, base in given]
        for _ in range(2 if repeat else 1):
            refusal = exam.submit(self.now, given)
            self.ask(lambda world: world.sitting.submit(answers, session_id=exam.id), refusal)

    @precondition(lambda self: self.model.exams)
    @rule(which=WHICH, seq=st.integers(1, 9), drift=st.sampled_from([None, 0, 31]))
    def beat(self, which: int, seq: int, drift: int | None) -> None:
        """Doubled, lost and overtaken as it comes; one that is behind the last one says nothing. With it an event."""
        exam = self.exam(which)
        self.ask(lambda world: world.sitting.record(session_id=exam.id), exam.event(self.now))
        refusal = exam.beat(self.now, seq)
        client_at = None if drift is None else self.now + timedelta(seconds=drift)
        told = self.ask(
            lambda world: world.sitting.beat(
                session_id=exam.id, seq=seq, client_at=client_at, snapshot=b'{"seq":%d}' % seq
            ),
            refusal,
        )
        if told is not None:
            assert (told.status, told.deadline, told.last_seq) == (exam.status, exam.deadline(self.now), exam.last_seq)

    @precondition(lambda self: self.model.exams)
    @rule(which=WHICH, resume=st.booleans())
    def pause_oneself(self, which: int, resume: bool) -> None:
        exam = self.exam(which)
        if resume:
            refusal = exam.resume(self.now, staff=False)
            self.ask(lambda world: world.sitting.resume(session_id=exam.id), refusal)
        else:
            self.ask(lambda world: world.sitting.pause(session_id=exam.id), exam.pause(self.now, staff=False))

    # What staff do.

    @precondition(lambda self: self.model.exams)
    @rule(which=WHICH, command=st.sampled_from(["pause", "resume"]))
    def stop_the_time(self, which: int, command: str) -> None:
        self.interfere(which, command, lambda exam: getattr(exam, command)(self.now, staff=True))

    @precondition(lambda self: self.model.exams)
    @rule(
        which=WHICH,
        command=st.sampled_from(["force_submit", "terminate", "invalidate"]),
        admins=st.lists(ADMINS, min_size=1, max_size=2),
    )
    def end(self, which: int, command: str, admins: list[Actor]) -> None:
        for admin in admins:
            self.end_as(admin, which, command)

    @precondition(lambda self: self.model.exams)
    @rule(which=WHICH, seconds=st.sampled_from([-3600, -60, 60, 600, 90_000]))
    def adjust(self, which: int, seconds: int) -> None:
        self.interfere(which, "adjust_time", lambda exam: exam.adjust_time(self.now, seconds), seconds=seconds)

    @rule(multiplier=st.sampled_from(["1", "1.333", "2"]), extra=st.sampled_from([0, 300]), live=st.booleans())
    def accommodate(self, multiplier: str, extra: int, live: bool) -> None:
        granted, changed = (Decimal(multiplier), extra), not self.granted
        if live:
            exam = self.model.live(self.now)
            if exam is not None:
                before = told_of(exam)
                exam.accommodate(self.now, *granted)
                self.model.audited += told_of(exam) != before
        self.model.audited += changed or granted != (self.model.multiplier, self.model.extra)
        self.model.multiplier, self.model.extra = granted
        self.granted = True
        self.ask(lambda world: Oversight(world.store).grant(multiplier, extra, live=live), None)

    @precondition(lambda self: self.model.exams)
    @rule(
        which=WHICH,
        command=st.sampled_from(["reinstate", "reopen", "regrade"]),
        extra=st.sampled_from([0, 600, 90_000]),
    )
    def think_again(self, which: int, command: str, extra: int) -> None:
        exam, live = self.exam(which), self.model.live(self.now) is not None
        if command == "regrade":
            self.counted(exam, lambda: exam.regrade(self.now), lambda world: world.regrade(exam.id))
        elif command == "reinstate":
            self.interfere(which, command, lambda exam: exam.reinstate(self.now))
        else:
            self.interfere(
                which, command, lambda exam: exam.reopen(self.now, extra, another_is_live=live), extra_seconds=extra
            )

    @precondition(lambda self: self.model.exams)
    @rule(which=WHICH)
    def authorise_with_a_remark(self, which: int) -> None:
        """The remark has no effect, in whatever state the session is."""
        exam = self.exam(which)
        self.counted(exam, lambda: exam.authorise(self.now), lambda world: world.authorise(exam.id))
        self.model.audited += 1
        self.ask(lambda world: Oversight(world.store).flag(session_id=exam.id), None)

    # What time does.

    @rule(seconds=SOME_TIME)
    def wait_unseen(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(seconds=NO_TIME | SOME_TIME, sweeps=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=2))
    def wait(self, seconds: int, sweeps: list[tuple[int, int]]) -> None:
        begun, eager = self.now, [world for world in self.worlds if world.swept]
        for tenth, which in sorted(sweeps):
            self.clock.set(begun + timedelta(seconds=seconds * tenth / 10))
            swept = self.runner.run(eager[which % len(eager)].sitting.sweep())
            assert (swept.ended, swept.failed) == (swept.due, 0)
        self.clock.set(begun + timedelta(seconds=seconds))

    # How it is done and compared.

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def exam(self, which: int) -> ModelExam:
        """Rather a later one, which may be live."""
        exams: list[ModelExam] = self.model.exams
        return exams[-1 - which // 2 % len(exams)]

    def base(self, which: int, slot: int, behind: int) -> int:
        slots = self.exam(which).slots
        return max(0, behind + (slots[slot - 1].revision if 1 <= slot <= len(slots) else 0))

    def end_as(self, admin: Actor, which: int, command: str) -> None:
        reason = f"says {admin.user_id}"
        by = admin.user_id, reason
        self.interfere(which, command, lambda exam: getattr(exam, command)(self.now, by), admin=admin, reason=reason)

    def interfere(
        self, which: int, command: str, expect: Callable[[ModelExam], Refusal], *, admin: Actor = ROOT, **more: Any
    ) -> None:
        exam = self.exam(which)
        self.counted(
            exam,
            lambda: expect(exam),
            lambda world: Oversight(world.store, admin).act(command, session_id=exam.id, **more),
        )

    def counted(self, exam: ModelExam, expect: Callable[[], Refusal], ask: Callable[[World], Awaitable[Any]]) -> None:
        """Whatever changes something is audited, once."""
        exam.expire(self.now)
        before = told_of(exam)
        refusal = expect()
        self.model.audited += told_of(exam) != before
        self.ask(ask, refusal)

    def ask(self, ask: Callable[[World], Awaitable[Any]], expected: Refusal) -> Any:
        """What the last world answered; all refuse alike, and as the model says."""
        answered: Any = None
        for world in self.worlds:
            try:
                answered, refusal = self.runner.run(_coroutine(ask(world))), None
            except DomainError as refused:
                answered, refusal = None, refused.code
            assert refusal == expected, (world.name, refusal, expected)
        return answered

    @invariant()
    def every_store_has_what_the_model_has(self) -> None:
        for world in self.worlds:
            self.runner.run(self.compare(world))

    async def compare(self, world: World) -> None:
        live = 0
        for exam in self.model.exams[-2:]:
            exam.expire(self.now)
            stored = await world.store.session_of(STUDENT.user_id, exam.id)
            seen = foreseen(stored, self.now)
            told, expected = told_by(seen), told_of(exam)
            # The grade of what time has just handed in is still to come.
            assert told[:-1] == expected[:-1], world.name
            assert seen != stored or told == expected, world.name
            assert deadline(seen, self.now) == exam.deadline(self.now)
            live += seen.is_live
            slots = await world.store.slots_of(STUDENT.user_id, exam.id)
            kept = [(slot.response, slot.revision, slot.answered_at) for slot in slots]
            assert kept == [(response_of(slot.letter), slot.revision, slot.counts_for) for slot in exam.slots]
            self.stays_as_it_was_sealed(world, seen, kept)
            if seen == stored and exam.status == "finished":
                assert sum(slot.mark or 0 for slot in slots) == stored.mark
                assert stored.sealed_at is not None
                assert stored.graded_at is not None
                assert stored.graded_at >= stored.sealed_at
        assert live <= 1

    def stays_as_it_was_sealed(self, world: World, session: ExamSession, kept: object) -> None:
        place = (world.name, session.id)
        if session.sealed_at is None:
            self.sealed.pop(place, None)
            return
        assert self.sealed.setdefault(place, (session.sealed_at, kept)) == (session.sealed_at, kept)
        instants = [at for at in (session.created_at, session.started_at, session.sealed_at) if at is not None]
        assert instants == sorted(instants)

    def teardown(self) -> None:
        """In the end everything is written down everywhere, and it is the same."""
        for world in self.worlds:
            self.runner.run(self.settle_up(world))

    async def settle_up(self, world: World) -> None:
        await world.sitting.sweep()
        for exam in self.model.exams:
            exam.expire(self.now)
            stored = await world.store.session_of(STUDENT.user_id, exam.id)
            assert told_of(exam) == told_by(stored), world.name
            record = await world.store.record_of(STUDENT.user_id, exam.id)
            assert first_broken(record) is None
            assert stored.record_count == len(record)
            answers = [entry for entry in record if entry.kind is EntryKind.ANSWER]
            assert len(answers) == sum(slot.revision for slot in exam.slots)
            assert all(entry.effective_at <= entry.at for entry in answers)
        counted = Counter(exam.status for exam in self.model.exams)
        student = await world.store.exams(lambda work: work.hold_progress(STUDENT.user_id))
        assert student.exams_finished == counted["finished"]
        assert len(await world.store.audit_log()) == self.model.audited


async def _coroutine(asked: Awaitable[Any]) -> Any:
    return await asked
