"""Conversations about questions: who may write, what a step leads to, and what is on record afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from application.question_bank.authoring import NewQuestion
from application.question_bank.changes import MOST_HTML, QuestionChange
from domain.auth.people import Actor
from domain.auth.sessions import Forbidden
from domain.errors import DomainError, InvalidInput
from domain.question_bank.imported import FormattedText, ImportedChoice, TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import Expected, VersionStatus
from domain.question_bank.lifecycle_refusals import (
    BankNotFound,
    DifficultyUnknown,
    ExternalIdTaken,
    LockedInReview,
    NotAnEditor,
    OpenVersionExists,
    QuestionChanged,
    QuestionInUse,
    QuestionNotFound,
    QuestionStale,
    TopicUnknown,
    WrongStatus,
)
from tests.support.authoring_builders import (
    ANN,
    BEN,
    CAT,
    COMPLETE,
    DEN,
    EVE,
    NET,
    RITA,
    ROOT,
    SAM,
    SECRET,
    a_question,
    choices,
    text,
)
from tests.support.authoring_stores import InMemory
from tests.support.postgres import SettableClock

REWORDED = QuestionChange(stem=text("What is uno?"))


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def store(clock: SettableClock) -> InMemory:
    found = InMemory(clock=clock)
    await found.settle()
    return found


async def actions(store: InMemory) -> list[str]:
    return [entry.action.removeprefix("question.") for entry in await store.audited()]


async def test_a_question_begins_as_its_authors_draft(store: InMemory, clock: SettableClock) -> None:
    state = await store.begin(ANN)
    assert (state.author_id, state.editors, state.status) == (ANN.user_id, (ANN.user_id,), VersionStatus.DRAFT)
    assert (state.version, state.rev, state.etag, state.published_version) == (1, 1, 1_000_001, None)
    assert state.external_id == state.id
    assert state.created_at == state.updated_at == clock.now()
    assert state.content == a_question()
    assert await actions(store) == ["created"]


async def test_a_draft_may_lack_nearly_everything(store: InMemory) -> None:
    state = await store.begin(stem=text(""), choices=(), topic_id=None, difficulty_id=None, tags=())
    assert state.status is VersionStatus.DRAFT


async def test_an_external_id_is_kept_as_files_spell_it(store: InMemory) -> None:
    assert (await store.begin(external_id=" N-1\u200b ")).external_id == "N-1"
    assert (await store.begin(external_id=" ")).external_id == "qst_002"
    with pytest.raises(ExternalIdTaken):
        await store.begin(external_id="N-1")
    assert (await store.begin(ROOT, external_id="N-1", bank_id=DEN.id, topic_id="top_den")).external_id == "N-1"


@pytest.mark.parametrize("bank_id", [DEN.id, "qbk_none"])
async def test_nobody_writes_into_a_bank_that_they_do_not_see(store: InMemory, bank_id: str) -> None:
    with pytest.raises(BankNotFound):
        await store.begin(ANN, bank_id=bank_id, topic_id=None)
    assert await actions(store) == []


async def test_owner_and_admins_write_into_a_hidden_bank(store: InMemory) -> None:
    for actor in (CAT, ROOT):
        assert (await store.begin(actor, bank_id=DEN.id, topic_id="top_den")).bank_id == DEN.id


async def test_students_write_nothing(store: InMemory) -> None:
    state = await store.begin()
    with pytest.raises(Forbidden):
        await store.begin(SAM)
    with pytest.raises(Forbidden):
        await store.edit(SAM, state.id, REWORDED)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"topic_id": "top_none"}, TopicUnknown),
        ({"topic_id": "top_den"}, TopicUnknown),
        ({"difficulty_id": "dif_none"}, DifficultyUnknown),
    ],
)
async def test_topic_and_difficulty_are_of_the_bank(
    store: InMemory, changes: dict[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal) as refused:
        await store.begin(**changes)
    assert len(refused.value.problems) == 1
    state = await store.begin()
    with pytest.raises(refusal):
        await store.edit(ANN, state.id, QuestionChange(**changes))
    assert (await store.rows()).versions[state.id, 1].version.content == a_question()


@pytest.mark.parametrize("actor", [ANN, BEN, CAT, ROOT])
async def test_editors_change_a_draft_and_are_remembered(store: InMemory, actor: Actor, clock: SettableClock) -> None:
    before = await store.begin(ANN)
    clock.advance(minutes=1)
    after = await store.edit(actor, before.id, REWORDED)
    assert (after.rev, after.status, after.content.stem.text) == (2, VersionStatus.DRAFT, "What is uno?")
    assert after.content == replace(before.content, stem=text("What is uno?"))
    assert after.editors == ((ANN.user_id,) if actor is ANN else (ANN.user_id, actor.user_id))
    assert after.updated_at == clock.now() > after.created_at


Command = Callable[[InMemory, Actor, str], Awaitable[object]]
COMMANDS: dict[str, Command] = {
    "edit": lambda store, actor, id_: store.edit(actor, id_, REWORDED),
    "replace": lambda store, actor, id_: store.edit(actor, id_, QuestionChange(choices=choices("A"))),
    "submit": lambda store, actor, id_: store.submit(actor, id_),
    "withdraw": lambda store, actor, id_: store.withdraw(actor, id_),
    "delete": lambda store, actor, id_: store.delete(actor, id_),
    "archive": lambda store, actor, id_: store.archive(actor, id_),
    "redraft": lambda store, actor, id_: store.redraft(actor, id_),
    "publish": lambda store, actor, id_: store.publish(actor, id_),
    "approve": lambda store, actor, id_: store.approve(actor, id_, Expected(rev=1)),
    "request changes": lambda store, actor, id_: store.request_changes(actor, id_, "Why?"),
}
OF_EDITORS = ("edit", "replace", "submit", "withdraw", "delete", "archive", "redraft")


@pytest.mark.parametrize("command", OF_EDITORS)
async def test_a_stranger_changes_nothing(store: InMemory, command: str) -> None:
    state = await store.begin()
    before = await store.rows()
    with pytest.raises(NotAnEditor):
        await COMMANDS[command](store, EVE, state.id)
    assert await store.rows() == before


@pytest.mark.parametrize("command", ["delete", "archive", "redraft"])
@pytest.mark.parametrize("actor", [BEN, CAT])
async def test_a_question_is_put_away_by_its_author_or_an_admin(store: InMemory, actor: Actor, command: str) -> None:
    state = await store.begin()
    with pytest.raises(NotAnEditor):
        await COMMANDS[command](store, actor, state.id)


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_question_out_of_sight_does_not_exist(store: InMemory, command: str) -> None:
    state = await store.begin(CAT, bank_id=DEN.id, topic_id="top_den")
    stranger = EVE if command in OF_EDITORS else ROOT
    with pytest.raises(QuestionNotFound):
        await COMMANDS[command](store, stranger, state.id if stranger is EVE else "qst_none")


async def test_whoever_read_an_older_state_changes_nothing(store: InMemory) -> None:
    state = await store.begin()
    fresh = await store.edit(ANN, state.id, REWORDED, Expected(rev=1, etag=state.etag))
    with pytest.raises(QuestionStale):
        await store.edit(BEN, state.id, QuestionChange(shuffle=False), Expected(rev=1))
    with pytest.raises(QuestionChanged) as refused:
        await store.edit(BEN, state.id, QuestionChange(shuffle=False), Expected(etag=state.etag))
    assert refused.value.current_version == fresh.etag
    with pytest.raises(QuestionStale):
        await store.delete(ANN, state.id, Expected(rev=1))
    assert (await store.rows()).versions[state.id, 1].version.rev == 2


async def test_an_edit_that_says_what_is_there_changes_nothing(store: InMemory) -> None:
    state = await store.begin()
    assert await store.edit(BEN, state.id, QuestionChange(points=Decimal("1.0"))) == state
    assert await actions(store) == ["created"]


async def test_only_what_is_named_changes_and_none_takes_away(store: InMemory) -> None:
    state = await store.begin(explanation=text("because"))
    change = QuestionChange(explanation=None, difficulty_id=None, tags=(), shuffle=False, points=Decimal(2))
    after = await store.edit(ANN, state.id, change)
    expected = a_question(explanation=None, difficulty_id=None, tags=(), shuffle=False, points=Decimal(2))
    assert after.content == expected


async def test_choices_are_replaced_all_at_once(store: InMemory) -> None:
    state = await store.begin()
    after = await store.edit(ANN, state.id, QuestionChange(choices=choices("A", "XY")), Expected(rev=1))
    assert after.content == a_question(choices=choices("A", "XY"))
    assert await actions(store) == ["created", "edited"]


async def test_with_another_kind_goes_what_only_the_kind_before_had(store: InMemory) -> None:
    state = await store.begin()
    numeric = COMPLETE[QuestionKind.NUMERIC]
    after = await store.edit(ANN, state.id, QuestionChange(kind=QuestionKind.NUMERIC, bands=numeric.bands))
    assert after.content == numeric
    with pytest.raises(InvalidInput) as refused:
        await store.edit(ANN, state.id, QuestionChange(choices=choices("A")))
    assert [(found.pointer, found.code) for found in refused.value.problems] == [("/choices", "not_of_kind")]


async def test_where_the_kind_says_what_is_right_nobody_else_does(store: InMemory) -> None:
    ordering = await store.begin(kind=QuestionKind.ORDERING, choices=choices("A", "123"))
    assert ordering.content == COMPLETE[QuestionKind.ORDERING]
    matching = COMPLETE[QuestionKind.MATCHING]
    change = QuestionChange(kind=matching.kind, choices=choices("XYZ", "XYZ"), prompts=matching.prompts)
    assert (await store.edit(ANN, ordering.id, change)).content == matching


async def test_html_is_made_safe_and_nothing_else_is_touched(store: InMemory) -> None:
    def html(said: str) -> FormattedText:
        return FormattedText(text=said, format=TextFormat.HTML)

    plain = text("<script>")
    choice = ImportedChoice(key="A", text=html("a"), correct=True, explanation=html("b"))
    bare = ImportedChoice(key="B", text=plain, correct=False)
    state = await store.begin(stem=html("s"), explanation=html("e"), choices=(choice, bare))
    assert (state.content.stem, state.content.explanation) == (html("<p>safe s"), html("<p>safe e"))
    assert state.content.choices[0].text == html("<p>safe a")
    assert state.content.choices[0].explanation == html("<p>safe b")
    assert state.content.choices[1] == bare
    after = await store.edit(ANN, state.id, QuestionChange(stem=html("t")))
    assert after.content == replace(state.content, stem=html("<p>safe t"))


async def test_so_much_html_is_not_even_looked_at(store: InMemory) -> None:
    much = FormattedText(text="<" * (MOST_HTML + 1), format=TextFormat.HTML)
    with pytest.raises(InvalidInput):
        await store.begin(stem=much)


async def test_what_is_in_review_is_withdrawn_before_it_is_changed(store: InMemory) -> None:
    state = await store.begin()
    await store.submit(ANN, state.id)
    for command in ("edit", "replace", "redraft", "publish"):
        with pytest.raises(LockedInReview):
            await COMMANDS[command](store, ROOT, state.id)
    await store.withdraw(BEN, state.id)
    assert (await store.edit(BEN, state.id, REWORDED)).rev == 4


async def test_a_published_question_is_edited_in_a_draft_beside_it(store: InMemory) -> None:
    state = await store.begin()
    await store.publish(ROOT, state.id)
    after = await store.edit(BEN, state.id, QuestionChange(stem=text("New?"), topic_id="top_switch"))
    assert (after.version, after.rev, after.status, after.published_version) == (2, 3, VersionStatus.DRAFT, 1)
    assert after.editors == (BEN.user_id,)
    rows = await store.rows()
    assert rows.versions[state.id, 1].version.content == a_question()
    assert rows.versions[state.id, 1].version.status is VersionStatus.PUBLISHED
    row = rows.questions[state.id]
    assert (row.topic_id, row.latest_version, row.latest_status) == ("top_route", 2, VersionStatus.DRAFT)
    with pytest.raises(OpenVersionExists):
        await store.redraft(ROOT, state.id)


async def test_archiving_takes_the_published_version_away_and_leaves_a_draft(store: InMemory) -> None:
    state = await store.begin()
    await store.publish(ROOT, state.id)
    opened = await store.edit(ANN, state.id, QuestionChange(topic_id="top_switch"))
    after = await store.archive(ANN, state.id)
    assert (after.version, after.status, after.published_version) == (2, VersionStatus.DRAFT, None)
    assert after.etag > opened.etag
    rows = await store.rows()
    assert rows.versions[state.id, 1].version.status is VersionStatus.ARCHIVED
    assert (rows.questions[state.id].topic_id, rows.published[NET.id]) == ("top_switch", 0)
    with pytest.raises(WrongStatus):
        await store.archive(ANN, state.id)


async def test_an_archived_question_comes_back_as_a_copy(store: InMemory) -> None:
    state = await store.begin()
    await store.publish(ROOT, state.id)
    archived = await store.archive(ANN, state.id)
    assert (archived.status, archived.published_version) == (VersionStatus.ARCHIVED, None)
    assert await store.archive(ANN, state.id) == archived
    for command in ("edit", "submit", "publish", "withdraw"):
        with pytest.raises(WrongStatus):
            await COMMANDS[command](store, ROOT, state.id)
    drafted = await store.redraft(ANN, state.id)
    assert (drafted.version, drafted.status, drafted.content) == (2, VersionStatus.DRAFT, state.content)
    assert await store.redraft(ANN, state.id) == drafted
    assert await actions(store) == ["created", "published", "archived", "redrafted"]


async def test_an_admin_takes_a_published_question_back_to_a_draft(store: InMemory) -> None:
    state = await store.begin()
    await store.publish(ROOT, state.id)
    with pytest.raises(Forbidden):
        await store.redraft(ANN, state.id)
    drafted = await store.redraft(RITA, state.id)
    assert (drafted.version, drafted.published_version, drafted.editors) == (2, None, (RITA.user_id,))
    rows = await store.rows()
    assert rows.versions[state.id, 1].version.status is VersionStatus.ARCHIVED
    assert rows.published[NET.id] == 0


@pytest.mark.parametrize("actor", [ANN, ROOT])
async def test_what_was_never_used_is_deleted_with_all_that_belongs_to_it(store: InMemory, actor: Actor) -> None:
    other = await store.begin()
    state = await store.begin(ANN)
    await store.submit(ANN, state.id)
    await store.request_changes(ROOT, state.id, "Shorter.")
    await store.delete(actor, state.id)
    rows = await store.rows()
    assert set(rows.questions) == {other.id}
    assert set(rows.versions) == {(other.id, 1)}
    assert not rows.reviews
    with pytest.raises(QuestionNotFound):
        await store.delete(actor, state.id)
    gone = (await store.audited())[-1]
    assert (gone.action, gone.subject, gone.after) == ("question.deleted", state.id, None)


async def test_what_was_ever_published_or_served_stays(store: InMemory) -> None:
    published, served = await store.begin(), await store.begin()
    await store.publish(ROOT, published.id)
    await store.serve(served.id, 1)
    for state in (published, served):
        with pytest.raises(QuestionInUse):
            await store.delete(ROOT, state.id)
    await store.archive(ROOT, published.id)
    await store.redraft(ROOT, published.id)
    with pytest.raises(QuestionInUse):
        await store.delete(ROOT, published.id)


async def test_time_does_not_run_back(store: InMemory, clock: SettableClock) -> None:
    state = await store.begin()
    clock.advance(seconds=-5)
    after = await store.submit(ANN, state.id)
    assert after.updated_at == state.updated_at
    review = (await store.rows()).reviews[state.id, 1, 1]
    assert review.submitted_at == state.updated_at == clock.now() + timedelta(seconds=5)


async def test_no_audit_row_holds_a_text(store: InMemory) -> None:
    state = await store.begin(explanation=text(SECRET))
    await store.edit(BEN, state.id, REWORDED)
    await store.submit(BEN, state.id)
    await store.request_changes(ROOT, state.id, f"{SECRET}: no")
    await store.submit(BEN, state.id)
    await store.withdraw(BEN, state.id)
    await store.submit(BEN, state.id)
    await store.approve(ROOT, state.id, Expected(rev=7), note=SECRET)
    await store.redraft(ROOT, state.id)
    told = await store.audited()
    assert all(entry.subject == state.id and SECRET not in repr(entry) for entry in told)
    assert [entry.action for entry in told] == [
        f"question.{action}"
        for action in (
            *("created", "edited", "submitted", "changes_requested", "submitted", "withdrawn", "submitted"),
            *("approved", "redrafted"),
        )
    ]
    assert told[1].before is not None
    assert told[1].after == {**told[1].before, "rev": 2}


async def test_a_refused_step_leaves_nothing_behind(store: InMemory) -> None:
    with pytest.raises(InvalidInput):
        await store.create(ANN, NewQuestion(bank_id=NET.id, content=a_question(stem=text("a\x00b"))))
    rows = await store.rows()
    assert (rows.questions, rows.versions, await actions(store)) == ({}, {}, [])
