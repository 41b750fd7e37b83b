"""Answering an exam and handing it in, from beginning to end, on memory."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from application.exam.answering import GivenAnswer
from domain.enrollment.settings import Navigation, OverduePolicy
from domain.errors import DomainError
from domain.exam.record import EntryKind, EntrySource, first_broken
from domain.exam.refusals import (
    ExamAbandoned,
    ExamAlreadySubmitted,
    ExamNotActive,
    ExamPaused,
    ExamSessionNotFound,
    ExamSlotNotFound,
    ExamTimeExpired,
    NoReturn,
    PausedByStaff,
    PauseNotAllowed,
    StaleWrite,
)
from domain.exam.sessions import ExamStatus, SealReason
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import AnswerInvalid, Response
from tests.support.exam_builders import (
    PAPER,
    SESSION,
    STRANGER,
    STUDENT,
    exam_rules,
    exam_session,
    later,
    right,
    wrong,
)
from tests.support.exam_sitting import Sitting, final
from tests.support.exam_stores import ExamsInMemory
from tests.support.postgres import SettableClock

A, B, C = (Response.choosing(letter) for letter in "ABC")
SINGLE, MULTIPLE = 1, 2


@pytest.fixture
def store() -> ExamsInMemory:
    clock = SettableClock(at=later())
    store = ExamsInMemory(clock)
    store.stock(STUDENT)
    return store


@pytest.fixture
def sitting(store: ExamsInMemory) -> Sitting:
    return Sitting(store)


async def _answers(store: ExamsInMemory) -> list[tuple[int | None, int | None, bool]]:
    record = await store.record_of(STUDENT.user_id, SESSION)
    assert first_broken(record) is None
    return [(each.slot, each.revision, each.autosave) for each in record if each.kind is EntryKind.ANSWER]


async def _response(store: ExamsInMemory, slot: int = SINGLE) -> Response | None:
    return (await store.slots_of(STUDENT.user_id, SESSION))[slot - 1].response


async def test_every_answer_that_differs_is_a_revision_and_stays_in_the_record(
    store: ExamsInMemory, sitting: Sitting
) -> None:
    await store.begin(exam_session())
    first = await sitting.save(SINGLE, A, autosave=True)
    store.clock.advance(minutes=1)
    second = await sitting.save(SINGLE, B, base=1)
    taken_back = await sitting.save(SINGLE, None, base=2)
    assert [first.revision, second.revision, taken_back.revision] == [1, 2, 3]
    assert (first.saved_at, second.saved_at) == (later(), later(minutes=1))
    assert await _answers(store) == [(SINGLE, 1, True), (SINGLE, 2, False), (SINGLE, 3, False)]
    assert await _response(store) is None


async def test_the_same_answer_again_changes_nothing(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session())
    saved = await sitting.save(SINGLE, A)
    store.clock.advance(minutes=1)
    assert await sitting.save(SINGLE, A, base=1) == saved
    assert len(await _answers(store)) == 1


@pytest.mark.parametrize("autosave", [False, True])
async def test_a_save_whose_reply_was_lost_is_answered_again(
    store: ExamsInMemory, sitting: Sitting, autosave: bool
) -> None:
    await store.begin(exam_session())
    saved = await sitting.save(SINGLE, A, autosave=autosave)
    store.clock.advance(minutes=1)
    assert await sitting.save(SINGLE, A, autosave=autosave) == saved
    assert not saved.stale
    assert await _answers(store) == [(SINGLE, 1, autosave)]


async def test_final_answers_that_had_been_saved_are_no_hindrance(store: ExamsInMemory, sitting: Sitting) -> None:
    """Their replies were lost, so that the client brings them once more."""
    await store.begin(exam_session())
    await sitting.save(SINGLE, right(PAPER[0]))
    handed_in = await sitting.submit([final(SINGLE, right(PAPER[0])), final(MULTIPLE, right(PAPER[1]))])
    assert handed_in.status is ExamStatus.FINISHED
    assert handed_in.result is not None
    assert handed_in.result.mark == Decimal(2)
    assert await _answers(store) == [(SINGLE, 1, False), (MULTIPLE, 1, False)]


async def test_a_flag_is_no_answer(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session())
    flagged = await sitting.save(SINGLE, None, flagged=True)
    assert (flagged.flagged, flagged.revision, flagged.saved_at) == (True, 0, None)
    answered = await sitting.save(SINGLE, A)
    assert (answered.flagged, answered.revision) == (True, 1), "an answer that does not speak of it leaves the flag"
    assert not (await sitting.save(SINGLE, A, base=1, flagged=False)).flagged
    assert len(await _answers(store)) == 1


async def test_an_answer_that_was_changed_meanwhile_is_not_overwritten(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session())
    await sitting.save(SINGLE, A)
    with pytest.raises(StaleWrite) as stale:
        await sitting.save(SINGLE, B)
    assert stale.value.facts == {"currentRevision": 1}
    by_itself = await sitting.save(SINGLE, B, autosave=True)
    assert (by_itself.stale, by_itself.revision, by_itself.saved_at) == (True, 1, later())
    assert await _response(store) == A


async def test_what_is_wrong_with_an_answer_is_said_before_that_it_is_stale(
    store: ExamsInMemory, sitting: Sitting
) -> None:
    await store.begin(exam_session())
    await sitting.save(SINGLE, A)
    with pytest.raises(ExamSlotNotFound):
        await sitting.save(len(PAPER) + 1, A)
    with pytest.raises(AnswerInvalid) as invalid:
        await sitting.save(SINGLE, Response.choosing("E"), autosave=True)
    assert invalid.value.problems[0].pointer == "/response/choiceIds"


async def test_in_a_linear_exam_nobody_goes_back(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session(rules=exam_rules(navigation=Navigation.LINEAR)))
    await sitting.save(MULTIPLE, A)
    await sitting.save(MULTIPLE, B, base=1)
    with pytest.raises(NoReturn):
        await sitting.save(SINGLE, A)


async def test_certainty_is_part_of_an_answer_where_it_is_asked_for(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session(rules=exam_rules(certainty=True)))
    await sitting.save(SINGLE, A, certainty=Certainty.HIGH)
    assert (await sitting.save(SINGLE, A, base=1)).revision == 2, "unsaid is the lowest, which is another answer"


async def test_nobody_answers_for_somebody_else(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session())
    with pytest.raises(ExamSessionNotFound):
        await sitting.save(SINGLE, A, actor=STRANGER)
    with pytest.raises(ExamSessionNotFound):
        await sitting.submit(actor=STRANGER)


async def test_what_comes_just_after_the_deadline_counts_for_the_deadline(
    store: ExamsInMemory, sitting: Sitting
) -> None:
    await store.begin(exam_session())
    store.clock.advance(hours=1, seconds=60)
    assert (await sitting.save(SINGLE, A)).saved_at == later(hours=1)
    handed_in = await sitting.submit()
    assert (handed_in.submitted_at, handed_in.late) == (later(hours=1), True)


async def test_what_comes_later_is_refused_and_the_exam_is_handed_in_by_itself(
    store: ExamsInMemory, sitting: Sitting
) -> None:
    await store.begin(exam_session())
    await sitting.save(SINGLE, right(PAPER[0]))
    store.clock.advance(hours=1, seconds=60.000001)
    with pytest.raises(ExamAlreadySubmitted):
        await sitting.save(SINGLE, A, base=1)
    session = await store.session_of(STUDENT.user_id, SESSION)
    assert (session.status, session.seal_reason) == (ExamStatus.FINISHED, SealReason.TIMEOUT)
    assert (session.sealed_at, session.mark) == (later(hours=1), Decimal(1))


async def test_an_exam_that_is_handed_in_is_graded_at_once_and_stays_as_it_is(
    store: ExamsInMemory, sitting: Sitting
) -> None:
    await store.begin(exam_session())
    await sitting.answer_all()
    store.clock.advance(minutes=5)
    handed_in = await sitting.submit()
    assert handed_in.status is ExamStatus.FINISHED
    assert handed_in.result is not None
    assert (handed_in.result.mark, handed_in.result.max_mark, handed_in.result.passed) == (Decimal(8), Decimal(8), True)
    assert (handed_in.submitted_at, handed_in.late, handed_in.remaining_seconds) == (later(minutes=5), False, None)
    store.clock.advance(hours=5)
    assert await sitting.submit() == handed_in
    again = await sitting.submit([final(SINGLE, wrong(PAPER[0]), base=1), final(99, A)])
    assert again == handed_in, "whatever comes with a repetition"
    assert len(await store.grades_of(STUDENT.user_id, SESSION)) == 1
    with pytest.raises(ExamAlreadySubmitted):
        await sitting.save(SINGLE, A, base=1)


async def test_the_last_answers_come_with_the_submission(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session())
    await sitting.save(SINGLE, wrong(PAPER[0]))
    handed_in = await sitting.submit(
        [final(SINGLE, right(PAPER[0]), base=1), final(MULTIPLE, A), final(MULTIPLE, right(PAPER[1]), base=1)]
    )
    assert handed_in.result is not None
    assert handed_in.result.mark == Decimal(2)
    assert await _answers(store) == [(1, 1, False), (1, 2, False), (2, 1, False), (2, 2, False)]
    told = (await store.record_of(STUDENT.user_id, SESSION))[-2:]
    assert [(each.type, each.source) for each in told] == [
        ("session_submitted", EntrySource.STUDENT),
        ("grade_recorded", EntrySource.SYSTEM),
    ]


@pytest.mark.parametrize(
    ("second", "refusal", "pointer"),
    [
        (final(MULTIPLE, A, base=3), StaleWrite, ["/answers/1/baseRevision"]),
        (final(MULTIPLE, Response.choosing("E")), AnswerInvalid, ["/answers/1/response/choiceIds"]),
        (final(99, A), ExamSlotNotFound, []),
    ],
)
async def test_one_answer_that_is_refused_refuses_the_submission(
    store: ExamsInMemory, sitting: Sitting, second: GivenAnswer, refusal: type[DomainError], pointer: list[str]
) -> None:
    await store.begin(exam_session())
    with pytest.raises(refusal) as refused:
        await sitting.submit([final(SINGLE, A), second])
    assert [problem.pointer for problem in refused.value.problems] == pointer
    assert (await store.session_of(STUDENT.user_id, SESSION)).status is ExamStatus.ACTIVE
    assert await _answers(store) == []
    assert await _response(store) is None


async def test_an_overdue_exam_can_be_handed_in_late_but_not_answered(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session(rules=exam_rules(overdue_policy=OverduePolicy.GRACE)))
    await sitting.save(SINGLE, right(PAPER[0]))
    store.clock.advance(hours=2)
    with pytest.raises(ExamTimeExpired):
        await sitting.save(SINGLE, A, base=1)
    with pytest.raises(ExamTimeExpired):
        await sitting.submit([final(MULTIPLE, A)])
    handed_in = await sitting.submit()
    assert (handed_in.status, handed_in.late, handed_in.submitted_at) == (ExamStatus.FINISHED, True, later(hours=1))
    assert handed_in.result is not None
    assert handed_in.result.mark == Decimal(1)


async def test_an_exam_that_was_given_up_cannot_be_handed_in(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session(rules=exam_rules(overdue_policy=OverduePolicy.ABANDON)))
    store.clock.advance(hours=2)
    with pytest.raises(ExamAbandoned):
        await sitting.submit()
    assert (await store.session_of(STUDENT.user_id, SESSION)).status is ExamStatus.ABANDONED


async def test_students_pause_an_exam_without_a_limit_where_they_may(store: ExamsInMemory, sitting: Sitting) -> None:
    await store.begin(exam_session(rules=exam_rules(time_limit_seconds=None, pause_allowed=True)))
    paused = await sitting.pause()
    assert (paused.status, paused.paused_at) == (ExamStatus.PAUSED, later())
    assert await sitting.pause() == paused
    with pytest.raises(ExamPaused):
        await sitting.save(SINGLE, A)
    with pytest.raises(ExamPaused):
        await sitting.submit()
    store.clock.advance(hours=3)
    assert (await sitting.resume()).status is ExamStatus.ACTIVE
    assert (await sitting.resume()).status is ExamStatus.ACTIVE
    await sitting.submit()
    with pytest.raises(ExamNotActive):
        await sitting.pause()
    record = await store.record_of(STUDENT.user_id, SESSION)
    assert [each.type for each in record][:2] == ["session_paused", "session_resumed"]


async def test_nobody_stops_the_time_that_runs_nor_ends_a_pause_of_staff(
    store: ExamsInMemory, sitting: Sitting
) -> None:
    await store.begin(exam_session(rules=exam_rules(pause_allowed=True)))
    with pytest.raises(PauseNotAllowed):
        await sitting.pause()
    stopped = exam_session(session_id="exs_2", attempt_no=2, status=ExamStatus.PAUSED, paused_at=later())
    await store.begin(replace(stopped, paused_by_staff=True))
    with pytest.raises(PausedByStaff):
        await sitting.resume(session_id="exs_2")
