"""What statistics read of finished exams, on the real database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from adapters.postgres.database import Database
from adapters.postgres.exam.statistics import PostgresStatisticsReader
from adapters.postgres.exam.suggestions import PostgresSuggestionReader, PostgresSuggestionWork
from application.exam.ports.sessions import StartWork
from application.exam.ports.statistics import SampledPackage, SuggestionWork, WantedSuggestions
from application.exam.statistics import ReadStatistics, StatisticsMemory
from application.exam.suggestions import SuggestReviews
from domain.auth.people import Actor, Role
from domain.enrollment.settings import PackageSettings
from domain.exam.grading import AS_ASKED, grade
from domain.exam.sampling import UNIT, AttemptRule
from domain.exam.sessions import ExamSession, ExamStatus, SealReason
from domain.exam.suggesting import ReviewReason, Suggestion
from domain.exam.voiding import Void, VoidMode
from domain.question_bank.blueprints import Blueprint, Section
from domain.question_bank.kinds import QuestionKind
from tests.support.exam_builders import EVERY_KIND, PACKAGE, ROOT, START, Offer, exam_session, right, wrong
from tests.support.exam_stores import ExamsOnPostgres, exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock

STAFF = Actor(user_id="usr_staff", role=Role.INSTRUCTOR, session_id="ses_staff")
SINGLE, MULTIPLE = EVERY_KIND[:2]
PAIR = (SINGLE, MULTIPLE)
RIGHT, WRONG = "right", "wrong"
FIRST = AttemptRule.FIRST


@dataclass
class Exams:
    """Exams that were sat, and who reads of them."""

    store: ExamsOnPostgres
    reader: PostgresStatisticsReader
    clock: SettableClock

    async def sit(
        self,
        student: int,
        answers: Mapping[str, str],
        *,
        attempt: int = 1,
        paper: Sequence[Offer] = PAIR,
        status: ExamStatus = ExamStatus.FINISHED,
        voids: Sequence[Void] = (),
    ) -> tuple[str, str]:
        """A session with its grade; questions that are not answered are blank."""
        user_id, session_id = f"usr_{student:03}", f"exs_{student:03}_{attempt}"
        self.store.admit(Actor(user_id=user_id, role=Role.STUDENT, session_id=f"ses_{student:03}_{attempt}"))
        at = START + timedelta(hours=attempt, minutes=student)
        session = exam_session(
            user_id=user_id,
            session_id=session_id,
            at=at - timedelta(minutes=30),
            attempt_no=attempt,
            status=ExamStatus.SUBMITTED,
            sealed_at=at,
            seal_reason=SealReason.STUDENT,
        )
        await self.store.begin(session, paper)

        async def unit(work: StartWork) -> None:
            held = await work.hold_session(user_id, session_id)
            assert held is not None
            slots = []
            for asked in await work.hold_slots(held):
                offer = next(each for each in paper if each.id == asked.slot.question_id)
                if offer.id in answers:
                    said = right(offer) if answers[offer.id] == RIGHT else wrong(offer)
                    slots.append(replace(asked.slot, response=said, revision=1, answered_at=at))
            await work.save_slots(slots)
            await self._grade(work, held, voids, status)

        await self.store.exams(unit)
        return user_id, session_id

    async def regrade(self, name: tuple[str, str], voids: Sequence[Void]) -> None:
        async def unit(work: StartWork) -> None:
            held = await work.hold_session(*name)
            assert held is not None
            await self._grade(work, held, voids, ExamStatus.FINISHED)

        await self.store.exams(unit)

    async def _grade(self, work: StartWork, session: ExamSession, voids: Sequence[Void], status: ExamStatus) -> None:
        made = grade(session, await work.graded_slots(session), voids, self.clock.now(), mode=AS_ASKED)
        await work.add_grade(made)
        invalid = (
            {"invalidated_at": self.clock.now(), "invalidated_by": session.user_id, "invalidation_reason": "why"}
            if status is ExamStatus.INVALIDATED
            else {}
        )
        await work.save_session(
            replace(
                session,
                status=status,
                grade_revision=made.revision,
                mark=made.mark,
                max_mark=made.max_mark,
                passed=made.passed,
                graded_at=made.graded_at,
                **invalid,  # type: ignore[arg-type]
            )
        )

    async def chosen(self, rule: AttemptRule, most: int = 100) -> list[str]:
        return [session_id for _, session_id in await self.reader.attempts(PACKAGE, rule, most)]

    async def package(self) -> SampledPackage:
        found = await self.reader.package(PACKAGE)
        assert found is not None
        return found


@pytest.fixture
def exams(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> Exams:
    clock.set(START)
    store = exams_on_postgres(cloned, database, clock)
    store.offer(EVERY_KIND)
    store.hold_exams()
    store.admit(ROOT)
    store.admit(STAFF)
    return Exams(store, PostgresStatisticsReader(database, clock), clock)


async def test_a_package_by_id_and_by_slug_and_what_was_finished_in_it(exams: Exams) -> None:
    assert await exams.reader.package("pkg_none") is None
    found = await exams.reader.package(PACKAGE.removeprefix("pkg_"))
    assert found == await exams.package()
    assert (found.id, found.finished, found.changed_at, found.now) == (PACKAGE, 0, None, START)
    await exams.sit(1, {})
    await exams.sit(2, {}, status=ExamStatus.SUBMITTED)
    await exams.sit(3, {}, status=ExamStatus.INVALIDATED)
    exams.clock.advance(hours=1)
    found = await exams.package()
    assert (found.finished, found.changed_at, found.now) == (1, START, START + timedelta(hours=1))


async def test_only_packages_that_choose_among_questions_draw(exams: Exams) -> None:
    assert not (await exams.package()).draws
    exams.store.hold_exams(PackageSettings(question_count=3))
    assert (await exams.package()).draws
    exams.store.hold_exams(blueprint=Blueprint(sections=(Section(count=3),)))
    assert (await exams.package()).draws


async def test_which_attempts_count(exams: Exams) -> None:
    """The highest by its share of the marks, and of equal ones the first; only finished ones of this package."""
    await exams.sit(1, {SINGLE.id: WRONG}, attempt=1)
    await exams.sit(1, {SINGLE.id: RIGHT}, attempt=2)
    await exams.sit(1, {MULTIPLE.id: RIGHT}, attempt=3)
    await exams.sit(1, {SINGLE.id: RIGHT, MULTIPLE.id: RIGHT}, attempt=4, status=ExamStatus.INVALIDATED)
    await exams.sit(2, {}, attempt=1, status=ExamStatus.INVALIDATED)
    await exams.sit(2, {}, attempt=2)
    assert await exams.chosen(AttemptRule.FIRST) == ["exs_002_2", "exs_001_1"]
    assert await exams.chosen(AttemptRule.HIGHEST) == ["exs_002_2", "exs_001_2"]
    assert await exams.chosen(AttemptRule.LAST) == ["exs_001_3", "exs_002_2"]
    assert await exams.chosen(AttemptRule.ALL) == ["exs_001_3", "exs_002_2", "exs_001_2", "exs_001_1"]
    assert await exams.chosen(AttemptRule.ALL, 2) == ["exs_001_3", "exs_002_2"]
    assert await exams.reader.attempts("pkg_other", AttemptRule.ALL, 10) == []


async def test_what_a_paper_came_to_slot_by_slot(exams: Exams) -> None:
    name = await exams.sit(1, {SINGLE.id: WRONG, EVERY_KIND[3].id: RIGHT}, paper=EVERY_KIND)
    other = await exams.sit(2, {MULTIPLE.id: RIGHT})
    second, first = await exams.reader.papers([other, name])
    assert list(first.question_ids) == [offer.id for offer in EVERY_KIND]
    assert list(first.max_marks) == [UNIT, UNIT, UNIT, 2 * UNIT, UNIT, UNIT, UNIT]
    assert list(first.marks) == [0, 0, 0, 2 * UNIT, 0, 0, 0]
    assert list(first.correct) == [False, None, None, True, None, None, None]
    assert list(first.chosen) == [tuple(SINGLE.wrong), *[()] * 6]
    assert set(first.versions) == {1}
    assert set(first.sections) == {0}
    assert list(second.marks) == [0, UNIT]
    assert list(second.chosen) == [(), ("A", "C")]
    assert await exams.reader.papers([]) == []


@pytest.mark.parametrize(
    ("mode", "max_marks", "marks", "correct"),
    [
        (VoidMode.DROP, [0, UNIT], [0, 0], [None, False]),
        (VoidMode.CREDIT_ALL, [UNIT, UNIT], [UNIT, 0], [None, False]),
    ],
)
async def test_marks_are_those_of_the_latest_grade(
    exams: Exams, mode: VoidMode, max_marks: list[int], marks: list[int], correct: list[bool | None]
) -> None:
    """A question that was dropped is worth nothing in grades that regard it, and what it was in all others."""
    graded = await exams.sit(1, {SINGLE.id: RIGHT, MULTIPLE.id: WRONG})
    before = await exams.sit(2, {SINGLE.id: RIGHT, MULTIPLE.id: WRONG})
    void = Void(
        id="vod_1",
        exam_package_id=PACKAGE,
        question_id=SINGLE.id,
        version=1,
        mode=mode,
        reason="why",
        created_at=START,
        created_by=ROOT.user_id,
    )
    another = replace(void, id="vod_2", question_id=MULTIPLE.id, mode=VoidMode.CREDIT_ALL)
    for each in (void, another):
        exams.store.void(each)
    await exams.regrade(graded, [void])
    await exams.regrade(before, [another])
    found, untouched = await exams.reader.papers([graded, before])
    assert (list(found.max_marks), list(found.marks), list(found.correct)) == (max_marks, marks, correct)
    assert (list(untouched.max_marks), list(untouched.marks)) == ([UNIT, UNIT], [UNIT, UNIT])


async def test_what_is_void_in_a_package_is_so_as_was_declared_last(exams: Exams) -> None:
    assert await exams.reader.voided(PACKAGE) == {}
    void = Void(
        id="vod_3",
        exam_package_id=PACKAGE,
        question_id=SINGLE.id,
        version=1,
        mode=VoidMode.DROP,
        reason="why",
        created_at=START,
        created_by=ROOT.user_id,
    )
    exams.store.void(void)
    exams.store.void(
        replace(void, id="vod_1", mode=VoidMode.ACCEPT_ALSO, accepted=("A",), created_at=START + timedelta(days=1))
    )
    exams.store.void(replace(void, id="vod_2", question_id=MULTIPLE.id, mode=VoidMode.CREDIT_ALL))
    assert await exams.reader.voided(PACKAGE) == {
        (SINGLE.id, 1): VoidMode.ACCEPT_ALSO,
        (MULTIPLE.id, 1): VoidMode.CREDIT_ALL,
    }
    assert await exams.reader.voided("pkg_another") == {}


async def test_choices_of_those_kinds_that_have_some(exams: Exams) -> None:
    found = await exams.reader.choices((offer.id, 1) for offer in EVERY_KIND)
    assert found == {(SINGLE.id, 1): tuple("ABCD"), (MULTIPLE.id, 1): tuple("ABCD"), ("qst_true_false", 1): ("A", "B")}


async def test_labels_for_those_who_may_see_the_bank(exams: Exams) -> None:
    versions = [(SINGLE.id, 1), ("qst_none", 1)]
    found = await exams.reader.labels(STAFF, versions)
    assert set(found) == {SINGLE.id}
    assert (found[SINGLE.id].kind, found[SINGLE.id].stem) == (QuestionKind.SINGLE, SINGLE.public.stem)
    with exams.store.cloned.administration() as connection:
        connection.execute("update question_banks set visibility = 'hidden'")
    assert await exams.reader.labels(STAFF, versions) == {}
    assert set(await exams.reader.labels(ROOT, versions)) == {SINGLE.id}


async def test_packages_with_exams_are_walked_in_order(exams: Exams) -> None:
    assert await exams.reader.packages_with_exams("", 10) == []
    await exams.sit(1, {})
    assert await exams.reader.packages_with_exams("", 10) == [PACKAGE]
    assert await exams.reader.packages_with_exams(PACKAGE, 10) == []


async def test_an_exam_from_its_answers_to_its_figures_and_suggestions(exams: Exams, database: Database) -> None:
    """Twelve students: the better half knows the single question, and the worse half the other one."""
    for student in range(12):
        marks = {SINGLE.id: RIGHT if student < 6 else WRONG, "qst_true_false": RIGHT if student < 8 else WRONG}
        await exams.sit(student, marks | {MULTIPLE.id: WRONG if student < 6 else RIGHT}, paper=EVERY_KIND[:3])
        await exams.sit(student, {SINGLE.id: RIGHT}, attempt=2, paper=EVERY_KIND[:3])
    read = ReadStatistics(reader=exams.reader, memory=StatisticsMemory(), patience_seconds=30)
    found = await read(STAFF, PACKAGE, FIRST)
    assert (found.report.attempts, found.finished, found.complete) == (12, 24, True)
    single, multiple, _ = sorted(found.report.items, key=lambda item: item.question_id != SINGLE.id)
    assert single.figures is not None
    assert single.figures.facility == 0.5
    assert single.canvas is not None
    assert {option.choice_id: option.count for option in single.canvas.options}["B"] == 6
    assert (await read(STAFF, PACKAGE, AttemptRule.ALL)).report.attempts == 24
    transact = exams.store.unit(PostgresSuggestionWork, PostgresSuggestionWork)
    await SuggestReviews(reader=exams.reader, transact=transact)({})
    listed = await PostgresSuggestionReader(database).page(STAFF, WantedSuggestions(), None, 10)
    assert {view.suggestion.question_id for view in listed} >= {MULTIPLE.id}
    assert multiple.question_id == MULTIPLE.id


def a_suggestion(number: int, **changes: object) -> Suggestion:
    made = Suggestion(
        exam_package_id=PACKAGE,
        question_id=EVERY_KIND[number].id,
        version=1,
        reasons=(ReviewReason.VERY_HARD,),
        figures={},
        attempts=10,
        suggested_at=START,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def listed(
    exams: Exams, database: Database, *suggestions: Suggestion, actor: Actor = STAFF, **wanted: object
) -> list[str]:
    """The questions of all suggestions, in pages of two."""

    async def unit(work: SuggestionWork) -> None:
        await work.save_suggestions(suggestions)

    await exams.store.unit(PostgresSuggestionWork, PostgresSuggestionWork)(unit)
    reader, found, after = PostgresSuggestionReader(database), [], None
    while page := await reader.page(actor, WantedSuggestions(**wanted), after, 2):  # type: ignore[arg-type]
        found += [view.suggestion for view in page]
        after = (found[-1].suggested_at, *found[-1].key)
    return [each.question_id for each in found]


async def test_suggestions_are_listed_page_by_page_the_newest_first(exams: Exams, database: Database) -> None:
    late = START + timedelta(days=1)
    made = [a_suggestion(n, suggested_at=late if n % 2 else START) for n in range(5)]
    ids = [EVERY_KIND[n].id for n in range(5)]
    assert await listed(exams, database, *made) == sorted(ids[1::2]) + sorted(ids[::2])


async def test_suggestions_that_nobody_has_to_look_at_any_more(exams: Exams, database: Database) -> None:
    """Those that were dismissed, and those about a version that is not the published one."""
    dismissed = a_suggestion(1, dismissed_at=START, dismissed_by=ROOT.user_id)
    exams.store.withdraw(EVERY_KIND[2].id)
    assert await listed(exams, database, a_suggestion(0), dismissed, a_suggestion(2)) == [SINGLE.id]


async def test_suggestions_of_a_package_and_for_a_reason(exams: Exams, database: Database) -> None:
    made = [a_suggestion(0), a_suggestion(1, reasons=(ReviewReason.VERY_EASY, ReviewReason.POOR_DISCRIMINATOR))]
    assert await listed(exams, database, *made, reason=ReviewReason.POOR_DISCRIMINATOR) == [MULTIPLE.id]
    assert await listed(exams, database, exam_package_id="pkg_other") == []
    assert await listed(exams, database, exam_package_id=PACKAGE) == [MULTIPLE.id, SINGLE.id]


async def test_suggestions_about_questions_in_hidden_banks(exams: Exams, database: Database) -> None:
    with exams.store.cloned.administration() as connection:
        connection.execute("update question_banks set visibility = 'hidden'")
    assert await listed(exams, database, a_suggestion(0)) == []
    assert await listed(exams, database, actor=ROOT) == [SINGLE.id]
    with exams.store.cloned.administration() as connection:
        connection.execute("update question_banks set owner_id = %s", (STAFF.user_id,))
    assert await listed(exams, database) == [SINGLE.id]
