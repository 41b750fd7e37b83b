"""What is left to one round trip, and what is not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from application.exam.ports.quick import KeptAnswer, KeptBeat, QuickAnswer, QuickBeat, QuickExam
from application.idempotency import OnceOnly, Replayed, once_only
from domain.enrollment.settings import Navigation, OverduePolicy
from domain.errors import DomainError
from domain.exam.papers import AskedQuestion, AskedSlot, FrozenPaper
from domain.exam.refusals import ExamAlreadySubmitted, ExamSlotNotFound
from domain.exam.sessions import ExamRules, ExamStatus
from domain.question_bank.certainty import Certainty
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerInvalid, Response
from tests.support.exam_builders import PAPER, SESSION, STUDENT, exam_rules, exam_session, exam_slots, later
from tests.support.exam_sitting import Sitting, final
from tests.support.exam_stores import ExamsInMemory
from tests.support.postgres import SettableClock

A = Response.choosing("A")
MATCH = 6


@dataclass
class TakesAll(QuickExam):
    """Takes whatever it is asked to take, and remembers it."""

    rules: ExamRules
    taken: list[QuickAnswer | QuickBeat] = field(default_factory=list)

    async def paper(self, user_id: str, session_id: str) -> FrozenPaper | None:
        slots = {slot.slot: slot for slot in exam_slots(exam_session())}
        slots[MATCH] = replace(slots[MATCH], choice_order=("D", "C", "B", "A"))
        asked = {
            number: AskedSlot(slot=slot, question=AskedQuestion(kind=offer.kind, choice_ids=slot.choice_order))
            for (number, slot), offer in zip(slots.items(), PAPER, strict=True)
        }
        asked[MATCH] = replace(asked[MATCH], question=replace(asked[MATCH].question, prompt_ids=("1", "2", "3")))
        return FrozenPaper(rules=self.rules, slots=asked)

    async def save_answer(self, answer: QuickAnswer) -> KeptAnswer | None:
        self.taken.append(answer)
        slot = exam_slots(exam_session())[answer.slot - 1]
        return KeptAnswer(at=later(), slot=replace(slot, revision=7, answered_at=later(minutes=7)))

    async def heartbeat(self, beat: QuickBeat) -> KeptBeat | None:
        self.taken.append(beat)
        return KeptBeat(at=later(), last_seq=9, deadline=later(seconds=59.000001) if beat.seq else None)


@pytest.fixture
def store() -> ExamsInMemory:
    store = ExamsInMemory(SettableClock(at=later()))
    store.stock(STUDENT)
    return store


def quickly(store: ExamsInMemory, rules: ExamRules | None = None) -> tuple[Sitting, TakesAll]:
    quick = TakesAll(rules or exam_rules())
    store.quick_exam = quick
    return Sitting(store), quick


async def test_a_plain_answer_is_kept_in_the_names_of_its_question(store: ExamsInMemory) -> None:
    sitting, quick = quickly(store)
    assert PAPER[MATCH - 1].kind is QuestionKind.MATCHING
    saved = await sitting.save(MATCH, Response.matching({"1": "A"}), base=6, autosave=True, flagged=True)
    assert (saved.slot, saved.revision, saved.saved_at, saved.stale) == (MATCH, 7, later(minutes=7), False)
    assert quick.taken == [
        QuickAnswer(
            user_id=STUDENT.user_id,
            session_id=SESSION,
            slot=MATCH,
            response=Response.matching({"1": "D"}),
            base_revision=6,
            autosave=True,
            flagged=True,
        )
    ]


async def test_what_is_unsaid_is_said_before(store: ExamsInMemory) -> None:
    sitting, quick = quickly(store, exam_rules(certainty=True))
    await sitting.save(1, A)
    await sitting.save(1, Response())
    assert [(each.response, each.certainty) for each in quick.taken if isinstance(each, QuickAnswer)] == [
        (A, Certainty.LOW),
        (None, None),
    ]


async def test_what_is_not_plain_is_for_the_unit_of_work(store: ExamsInMemory) -> None:
    """A linear exam, an answer that does not fit, a slot that there is not, a key whose answer has to be kept."""
    await store.begin(exam_session(rules=exam_rules(navigation=Navigation.LINEAR)))
    sitting, quick = quickly(store, exam_rules(navigation=Navigation.LINEAR))
    assert (await sitting.save(1, A)).revision == 1

    sitting, quick = quickly(store)
    with pytest.raises(AnswerInvalid):
        await sitting.save(1, Response.choosing("E"), base=1)
    with pytest.raises(ExamSlotNotFound):
        await sitting.save(99, A)
    key = OnceOnly(user_id=STUDENT.user_id, key="k", fingerprint=b"", render=lambda result: repr(result).encode())
    token = once_only.set(key)
    try:
        assert (await sitting.save(2, A)).revision == 1
        key.claimed = False
        key.key = "l"
        assert (await sitting.beat(seq=5)).last_seq == 5
    finally:
        once_only.reset(token)
    await sitting.submit()
    with pytest.raises(ExamAlreadySubmitted):
        await sitting.save(1, Response.choosing("E"), base=1)
    assert quick.taken == []


async def test_a_heartbeat_is_answered_with_the_seconds_that_are_left_rounded_up(store: ExamsInMemory) -> None:
    sitting, quick = quickly(store)
    beaten = await sitting.beat(seq=9, client_at=later(seconds=1), snapshot=b"{}")
    assert (beaten.id, beaten.status, beaten.server_time) == (SESSION, ExamStatus.ACTIVE, later())
    assert (beaten.deadline, beaten.remaining_seconds, beaten.last_seq) == (later(seconds=59.000001), 60, 9)
    assert (await sitting.beat()).remaining_seconds is None
    assert quick.taken[0] == QuickBeat(
        user_id=STUDENT.user_id, session_id=SESSION, seq=9, client_at=later(seconds=1), snapshot=b"{}"
    )


async def test_a_refusal_is_not_kept_for_a_key(store: ExamsInMemory) -> None:
    """The same request is taken once it can be; that time has ended an exam is kept, and that this was said is not."""
    await store.begin(exam_session(rules=exam_rules(time_limit_seconds=None, pause_allowed=True)))

    sitting = Sitting(store)

    async def with_key(key: str, session_id: str) -> str:
        once = OnceOnly(user_id=STUDENT.user_id, key=key, fingerprint=b"", render=lambda result: repr(result).encode())
        token = once_only.set(once)
        try:
            return (await sitting.submit([final(1, A)], session_id=session_id)).status.value
        except DomainError as refusal:
            return refusal.code
        except Replayed as replayed:
            return replayed.answer.decode()
        finally:
            once_only.reset(token)

    await sitting.pause()
    assert await with_key("one", SESSION) == "exam.paused"
    await sitting.resume()
    assert await with_key("one", SESSION) == "finished"

    abandoned = exam_rules(overdue_policy=OverduePolicy.ABANDON)
    await store.begin(exam_session(session_id="exs_3", attempt_no=3, rules=abandoned))
    store.clock.advance(hours=2)
    assert [await with_key("two", "exs_3") for _ in range(2)] == ["exam.abandoned"] * 2
    assert (await store.session_of(STUDENT.user_id, "exs_3")).status is ExamStatus.ABANDONED
