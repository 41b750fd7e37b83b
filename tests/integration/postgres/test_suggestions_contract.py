"""Suggestions to reviewers, on dictionaries and on the real database: made by night, dismissed by editors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from adapters.memory.exam.suggestions import MemorySuggestionWork
from adapters.postgres.exam.suggestions import PostgresSuggestionWork
from application.exam.ports.statistics import SuggestionWork
from application.exam.suggestions import DismissReviewSuggestion, SuggestReviews
from application.ports import Transaction
from domain.auth.people import Actor, Role
from domain.exam.sampling import GradedPaper
from domain.exam.suggesting import ReviewReason, Suggestion, SuggestionNotFound
from domain.question_bank.authority import BankAccess
from domain.question_bank.lifecycle_refusals import NotAnEditor
from tests.support.exam_builders import PACKAGE, ROOT, START
from tests.support.exam_samples import SampledExams, paper
from tests.support.exam_stores import ExamsInMemory, ExamsOnPostgres, ExamStore, exam_store_of
from tests.support.postgres import SettableClock
from tests.support.practice_builders import offers

OWNER = Actor(user_id="usr_owner", role=Role.INSTRUCTOR, session_id="ses_owner")
OTHER = Actor(user_id="usr_other", role=Role.INSTRUCTOR, session_id="ses_other")
STUDENT = Actor(user_id="usr_student", role=Role.STUDENT, session_id="ses_student")
KEY = (PACKAGE, "qst_000", 1)


@dataclass
class Exams(SampledExams):
    """Ten attempts at two questions, of which the first came out as the test says."""

    first: Sequence[float] = field(default_factory=lambda: [1] * 10)
    name: str = PACKAGE

    async def papers(self, attempts: Sequence[tuple[str, str]]) -> Sequence[GradedPaper]:
        return [paper({"qst_000": mark, "qst_001": n % 2}) for n, mark in enumerate(self.first)]

    async def packages_with_exams(self, after: str, limit: int) -> Sequence[str]:
        return [self.name] if after < self.name else []


@dataclass
class World:
    """A store, the exams that were sat, and what is done with both."""

    store: ExamStore
    clock: SettableClock
    exams: Exams = field(default_factory=lambda: Exams(count=10))

    @property
    def transact(self) -> Transaction[SuggestionWork]:
        return self.store.unit(MemorySuggestionWork, PostgresSuggestionWork)

    async def night(self) -> None:
        await SuggestReviews(reader=self.exams, transact=self.transact)({})

    async def dismiss(
        self, actor: Actor = OWNER, reason: str | None = "fine", key: tuple[str, str, int] = KEY
    ) -> Suggestion:
        return await DismissReviewSuggestion(transact=self.transact)(actor, key, reason)

    async def suggested(self) -> Sequence[Suggestion]:
        return await self.transact(lambda work: work.suggestions_of(PACKAGE))

    def hide_bank(self, *, visible: bool) -> None:
        """The bank belongs to the owner."""
        if isinstance(self.store, ExamsInMemory):
            bank = BankAccess(id="qbk_security", slug="security", visible=visible, owner_id=OWNER.user_id)
            self.store.store.tables["question_banks_of"].update({f"qst_00{n}": (bank, None) for n in range(2)})
        elif isinstance(self.store, ExamsOnPostgres):
            with self.store.cloned.administration() as connection:
                connection.execute(
                    "update question_banks set owner_id = %s, visibility = %s",
                    (OWNER.user_id, "visible" if visible else "hidden"),
                )


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    """Two questions in the bank of an instructor."""
    store = exam_store_of(request, clock)
    store.offer(offers(2))
    for actor in (OWNER, OTHER, ROOT):
        store.admit(actor)
    found = World(store, clock)
    found.hide_bank(visible=True)
    return found


async def test_the_night_finds_a_question_wanting(world: World) -> None:
    await world.night()
    assert await world.suggested() == (
        Suggestion(
            exam_package_id=PACKAGE,
            question_id="qst_000",
            version=1,
            reasons=(ReviewReason.VERY_EASY,),
            figures={"facility": "1", "discriminationIndex": None, "discriminativeEfficiency": None},
            attempts=10,
            suggested_at=START,
        ),
    )


async def test_the_next_night_brings_new_figures_and_keeps_the_day(world: World) -> None:
    await world.night()
    world.clock.advance(days=1)
    world.exams.first = [0] * 9 + [1]
    await world.night()
    (found,) = await world.suggested()
    assert (found.suggested_at, found.figures["facility"]) == (START, "0.1")
    assert ReviewReason.VERY_HARD in found.reasons


async def test_what_is_not_wanting_any_more_is_gone(world: World) -> None:
    await world.night()
    world.exams.first = [n % 2 for n in range(10)]
    await world.night()
    assert await world.suggested() == ()


@pytest.mark.parametrize("actor", [OWNER, ROOT])
async def test_an_editor_dismisses_once_and_it_is_on_record(world: World, actor: Actor) -> None:
    await world.night()
    world.clock.advance(hours=5)
    first = await world.dismiss(actor)
    assert (first.dismissed_by, first.dismissed_at, first.dismiss_reason) == (
        actor.user_id,
        START + timedelta(hours=5),
        "fine",
    )
    assert await world.dismiss(OWNER, "again") == first
    assert await world.suggested() == (first,)
    (entry,) = await world.store.audit_log()
    assert (entry.actor_id, entry.action, entry.subject, entry.reason) == (
        actor.user_id,
        "review_suggestion.dismissed",
        "qst_000",
        "fine",
    )
    assert entry.after == {"exam_package_id": PACKAGE, "version": 1, "reasons": ["very_easy"]}


async def test_what_was_dismissed_stays_so_whatever_the_nights_find(world: World) -> None:
    await world.night()
    dismissed = await world.dismiss()
    for marks in ([0.0] * 10, [n % 2 for n in range(10)]):
        world.exams.first = marks
        await world.night()
        assert await world.suggested() == (dismissed,)


async def test_who_may_see_the_question_but_not_change_it(world: World) -> None:
    await world.night()
    with pytest.raises(NotAnEditor):
        await world.dismiss(OTHER)
    assert not await world.store.audit_log()


@pytest.mark.parametrize("actor", [OTHER, STUDENT])
async def test_who_may_not_see_the_question_does_not_learn_of_it(world: World, actor: Actor) -> None:
    await world.night()
    world.hide_bank(visible=False)
    with pytest.raises(SuggestionNotFound):
        await world.dismiss(actor)


@pytest.mark.parametrize("key", [("pkg_none", *KEY[1:]), (PACKAGE, "qst_none", 1), (PACKAGE, "qst_000", 2)])
async def test_nothing_is_suggested_about_that(world: World, key: tuple[str, str, int]) -> None:
    await world.night()
    with pytest.raises(SuggestionNotFound):
        await world.dismiss(key=key)


async def test_two_who_dismiss_at_once_leave_one_trace(world: World) -> None:
    await world.night()
    both = await asyncio.gather(world.dismiss(OWNER), world.dismiss(ROOT))
    assert both[0] == both[1]
    assert len(await world.store.audit_log()) == 1


async def test_a_night_and_a_dismissal_at_once(world: World) -> None:
    """Whichever is first: what was dismissed is not suggested."""
    await world.night()
    world.exams.first = [0] * 10
    await asyncio.gather(world.night(), world.dismiss())
    (found,) = await world.suggested()
    assert not found.is_open


async def test_what_a_night_has_read_before_somebody_dismissed_it_opens_nothing(world: World) -> None:
    """The store itself does not write over what is dismissed, nor forget it."""
    await world.night()
    (stale,) = await world.suggested()
    dismissed = await world.dismiss()

    async def late(work: SuggestionWork) -> None:
        await work.save_suggestions([replace(stale, attempts=99)])
        await work.drop_suggestions([stale.key])

    await world.transact(late)
    assert await world.suggested() == (dismissed,)
