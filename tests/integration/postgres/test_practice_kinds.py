"""Questions of every kind in practice: on every store, and as PostgreSQL tells them afterwards."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.postgres.database import Database
from adapters.postgres.practice.reading import PostgresPracticeReader
from adapters.postgres.question_bank.content import answer_key_column, choices_column, prompts_column
from adapters.postgres.rows import entity
from application.practice.ports.sessions import HeldSlot, PracticeWork, SlotTarget
from application.practice.sitting import FinishPractice
from application.practice.views import PracticeView, QuestionView, ReviewItem
from domain.practice.judging import Answer, FeedbackMode
from domain.practice.sessions import give_answer
from domain.question_bank.imported import (
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    Origin,
    Prompt,
)
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, Choice, Response
from domain.question_bank.revelation import Revelation
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import EVERY_KIND, MATCH, NUMBER, ORDER, SECRET, STUDENT, TEXT, Offer, World
from tests.support.practice_worlds import answering, create, draw, give, hold, stocked, world_of

OTHER = Offer(id="qst_other")


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    return world_of(request, clock)


@pytest.fixture
def reader(database: Database, clock: SettableClock) -> PostgresPracticeReader:
    return PostgresPracticeReader(database, clock)


on_postgres = pytest.mark.parametrize("world", ["postgres"], indirect=True)


async def test_questions_of_every_kind_are_drawn_with_all_that_is_asked(world: World) -> None:
    world.offer(EVERY_KIND)
    drawn = {question.question_id: question for question in await draw(world)}
    assert drawn == {offer.id: offer.public for offer in EVERY_KIND}


def right_answer(offer: Offer) -> Response:
    """By the names that the question itself gives to its choices."""
    return {
        QuestionKind.NUMERIC: Response.counting("98.60"),
        QuestionKind.SHORT_TEXT: Response.writing(" dns "),
        QuestionKind.MATCHING: Response.matching(offer.pairs),
        QuestionKind.ORDERING: Response.arranging(offer.correct),
    }.get(offer.kind, Response.choosing(offer.correct))


@pytest.mark.parametrize("offer", EVERY_KIND, ids=lambda offer: offer.kind)
async def test_an_answer_of_any_kind_is_held_as_it_was_saved(world: World, offer: Offer) -> None:
    stocked(world, [offer, Offer(id="qst_other")])
    session_id = (await create(world)).session.id
    target = SlotTarget(question_id=offer.id)

    async def unit(work: PracticeWork) -> HeldSlot:
        held = await work.hold_slot(STUDENT.user_id, session_id, target)
        assert held is not None
        assert sorted(held.question.choice_ids) == list(offer.options)
        assert held.question.prompt_ids == offer.keyed.prompt_ids
        assert held.question.key == offer.key
        answered = give_answer(held.session, held.slot, held.question, Answer(response=right_answer(offer)), work.now)
        await work.save_answer(answered.session, answered.slot)
        return replace(held, session=answered.session, slot=answered.slot)

    saved = await world.transact(unit)
    assert (saved.slot.correct, saved.slot.mark, saved.slot.response) == (True, offer.points, right_answer(offer))
    assert await hold(world, session_id, target) == saved


async def test_what_is_ordered_is_answered_by_the_names_it_is_shown_by(world: World) -> None:
    """And kept by its own names, so that whoever marks it again needs nothing but the question."""
    stocked(world, [ORDER, Offer(id="qst_other")])
    practice = await create(world)
    (asked,) = (question for question in practice.questions if question.question_id == ORDER.id)
    name_of = {choice.text[0]: choice.id for choice in asked.choices}
    assert [choice.id for choice in asked.choices] == list("ABCDEF")
    answer, target = answering(world), SlotTarget(slot=asked.slot)
    order = Response.arranging(name_of[letter] for letter in ORDER.correct)
    reply = await answer(STUDENT, practice.session.id, target, Answer(response=order))
    assert reply.feedback is not None
    assert (reply.feedback.correct, reply.feedback.correct_order) == (True, order.order)
    assert {each.text[-1]: each.choice_id for each in reply.feedback.explanations if each.choice_id} == name_of
    assert await answer(STUDENT, practice.session.id, target, Answer(response=order)) == reply
    held = await hold(world, practice.session.id, target)
    assert held is not None
    assert held.slot.response == Response.arranging(ORDER.correct)


async def test_what_is_matched_is_answered_by_the_names_it_is_shown_by(world: World) -> None:
    stocked(world, [MATCH, Offer(id="qst_other")])
    practice = await create(world)
    (asked,) = (question for question in practice.questions if question.question_id == MATCH.id)
    assert [prompt.id for prompt in asked.prompts] == ["1", "2", "3"]
    name_of = {choice.text[0]: choice.id for choice in asked.choices}
    pairs = Response.matching({"1": name_of["A"], "2": name_of["C"]})
    reply = await answering(world)(STUDENT, practice.session.id, SlotTarget(slot=asked.slot), Answer(response=pairs))
    assert reply.feedback is not None
    assert (reply.feedback.correct, reply.feedback.mark) == (False, Decimal("0.333333"))
    assert reply.feedback.correct_pairs == {number: name_of[letter] for number, letter in MATCH.pairs.items()}
    held = await hold(world, practice.session.id, SlotTarget(slot=asked.slot))
    assert held is not None
    assert held.slot.response == Response.matching({"1": "A", "2": "C"})


def by_shown_names(asked: QuestionView, response: Response) -> Response:
    """What a student sends who means this; the first letter of an option's text is its own id."""
    return response.renamed({choice.text[0]: choice.id for choice in asked.choices})


async def everything_answered(world: World, feedback: FeedbackMode) -> PracticeView:
    stocked(world, EVERY_KIND)
    practice = await create(world, feedback=feedback)
    offers = {offer.id: offer for offer in EVERY_KIND}
    for asked in practice.questions:
        answer = Answer(response=by_shown_names(asked, right_answer(offers[asked.question_id])))
        await answering(world)(STUDENT, practice.session.id, SlotTarget(slot=asked.slot), answer)
    return practice


def revealed(items: tuple[ReviewItem, ...], offer: Offer) -> tuple[ReviewItem, dict[str, str]]:
    """The item of a question, and the names of its options in this session."""
    (item,) = (item for item in items if item.question.question_id == offer.id)
    return item, {choice.text[0]: choice.id for choice in item.question.choices}


@on_postgres
@pytest.mark.parametrize("feedback", FeedbackMode)
async def test_a_review_tells_what_was_right_of_every_kind(
    world: World, reader: PostgresPracticeReader, feedback: FeedbackMode
) -> None:
    practice = await everything_answered(world, feedback)
    found = await reader.review(STUDENT.user_id, practice.session.id)
    assert found is not None
    assert [item.correct for item in found.items] == [True] * len(EVERY_KIND)
    number, _ = revealed(found.items, NUMBER)
    assert number.revelation.correct_values == NUMBER.bands
    assert number.question.response == Response(numeric_value=Decimal("98.6"))
    text, _ = revealed(found.items, TEXT)
    assert text.revelation.accepted_texts == TEXT.accepted
    assert text.question.response == Response(text="dns")
    order, names = revealed(found.items, ORDER)
    right_order = tuple(names[letter] for letter in ORDER.correct)
    assert (order.revelation.correct_order, order.revelation.correct_choice_ids) == (right_order, ())
    assert order.question.response == Response(order=right_order)
    match, names = revealed(found.items, MATCH)
    assert match.revelation.correct_pairs == {prompt: names[letter] for prompt, letter in MATCH.pairs.items()}
    assert match.question.response == Response.matching(match.revelation.correct_pairs)
    for item in (order, match):
        told = {text.text[-1]: text.choice_id for text in item.revelation.explanations if text.choice_id}
        assert told == {choice.text[0]: choice.id for choice in item.question.choices}


@on_postgres
async def test_a_session_of_every_kind_is_read_as_it_was_created(world: World, reader: PostgresPracticeReader) -> None:
    stocked(world, EVERY_KIND)
    created = await create(world)
    assert await reader.session(STUDENT.user_id, created.session.id) == created
    assert SECRET not in repr(created)


@on_postgres
async def test_the_summary_adds_up_every_kind(world: World, reader: PostgresPracticeReader) -> None:
    practice = await everything_answered(world, FeedbackMode.DEFERRED)
    found = await reader.summary(STUDENT.user_id, practice.session.id)
    assert found is not None
    overall = found.summary.overall
    assert (overall.answered, overall.correct, overall.mark, overall.max_mark) == (7, 7, Decimal(8), Decimal(8))


@on_postgres
async def test_answers_and_feedback_from_before_there_were_other_kinds_are_read(
    world: World, reader: PostgresPracticeReader, cloned: ClonedDatabase
) -> None:
    stocked(world, [OTHER])
    session_id = (await create(world)).session.id
    await give(world, session_id, 1)
    with cloned.administration() as connection:
        connection.execute(
            """update practice_slots set response = '{"choice_ids": ["B"]}',
               feedback = '{"correct_choice_ids": ["B"], "explanations": []}'"""
        )
    held = await hold(world, session_id, SlotTarget(slot=1))
    found = await reader.review(STUDENT.user_id, session_id)
    assert held is not None
    assert found is not None
    assert held.slot.response == found.items[0].question.response == Response.choosing("B")
    assert held.slot.feedback == found.items[0].revelation == Revelation(correct_choice_ids=("B",))
    await FinishPractice(world.transact)(STUDENT, session_id)


def written(kind: QuestionKind, letters: str, *prompts: str, pinned: str = "") -> ImportedQuestion:
    """A question as it is authored: every option is right, in this order."""
    choices = (
        ImportedChoice(key=letter, text=FormattedText(text=f"text {letter}"), correct=True, pinned=letter in pinned)
        for letter in letters
    )
    values: dict[str, Any] = {"explanation": None, "tags": (), "points": Decimal(1), "shuffle": False}
    return ImportedQuestion(
        external_id="q1",
        bank="bank",
        domain="",
        difficulty=None,
        kind=kind,
        stem=FormattedText(text="?"),
        choices=tuple(choices),
        prompts=tuple(Prompt(text=FormattedText(text=f"to {choice}"), choice=choice) for choice in prompts),
        origin=Origin(format="csv", file="", record=1, line=1),
        **values,
    )


def test_what_is_authored_is_what_practice_reads() -> None:
    """The columns that authoring and importing write, read back as the question that is served and its key."""
    order, match = written(QuestionKind.ORDERING, "ABC", pinned="C"), written(QuestionKind.MATCHING, "ABC", "B", "A")
    assert entity(msgspec.json.decode(answer_key_column(order)), AnswerKey).correct == ("A", "B", "C")
    assert entity(msgspec.json.decode(answer_key_column(match)), AnswerKey).pairs == {"1": "B", "2": "A"}
    choices = msgspec.convert(msgspec.json.decode(choices_column(order)), tuple[Choice, ...])
    assert [(choice.id, choice.pinned) for choice in choices] == [("A", False), ("B", False), ("C", True)]
    prompts = msgspec.convert(msgspec.json.decode(prompts_column(match)), tuple[Choice, ...])
    assert prompts == (Choice(id="1", text="to B"), Choice(id="2", text="to A"))
