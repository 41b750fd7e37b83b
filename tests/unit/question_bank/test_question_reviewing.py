"""Conversations about reviews: what is handed in, who decides, and that nobody decides twice or about themselves."""

from __future__ import annotations

from typing import Any

import pytest

from application.question_bank.changes import QuestionChange
from domain.auth.people import Actor
from domain.auth.sessions import Forbidden
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import Expected, VersionStatus
from domain.question_bank.lifecycle_refusals import (
    AlreadyDecided,
    DirectPublishingNotAllowed,
    NoteInvalid,
    QuestionIncomplete,
    QuestionNotFound,
    QuestionStale,
    SelfApproval,
    WrongStatus,
)
from domain.question_bank.review import LONGEST_NOTE, Decision
from tests.support.authoring_builders import ANN, BEN, COMPLETE, NET, RITA, ROOT, text
from tests.support.authoring_stores import InMemory
from tests.support.postgres import SettableClock

REV2 = Expected(rev=2)


@pytest.fixture
async def store() -> InMemory:
    found = InMemory(clock=SettableClock())
    await found.settle()
    return found


async def last_audit(store: InMemory) -> dict[str, Any]:
    after = (await store.audited())[-1].after
    assert after is not None
    return dict(after)


@pytest.mark.parametrize("kind", QuestionKind)
async def test_a_complete_question_is_reviewed_and_published(store: InMemory, kind: QuestionKind) -> None:
    state = await store.begin(**{name: getattr(COMPLETE[kind], name) for name in COMPLETE[kind].__slots__})
    submitted = await store.submit(BEN, state.id, Expected(rev=1))
    assert (submitted.status, submitted.rev) == (VersionStatus.IN_REVIEW, 2)
    approved = await store.approve(ROOT, state.id, REV2, note=" Good. ")
    assert (approved.status, approved.published_version, approved.note) == (VersionStatus.PUBLISHED, 1, "Good.")
    rows = await store.rows()
    review = rows.reviews[state.id, 1, 1]
    assert (review.submitted_by, review.decided_by) == (BEN.user_id, ROOT.user_id)
    assert (review.decision, review.note, rows.published[NET.id]) == (Decision.APPROVED, "Good.", 1)
    assert rows.questions[state.id].published_version == 1
    assert rows.versions[state.id, 1].version.decided_at is not None


async def test_what_is_incomplete_is_neither_handed_in_nor_published(store: InMemory) -> None:
    state = await store.begin(stem=text(" "), topic_id=None, choices=())
    with pytest.raises(QuestionIncomplete) as refused:
        await store.submit(ANN, state.id)
    assert {found.pointer for found in refused.value.problems} == {"/stem", "/topicId", "/choices"}
    with pytest.raises(QuestionIncomplete):
        await store.publish(ROOT, state.id)
    assert len(await store.audited()) == 1


async def test_requested_changes_are_made_and_handed_in_in_a_round_of_their_own(store: InMemory) -> None:
    state = await store.begin()
    await store.submit(ANN, state.id)
    back = await store.request_changes(ROOT, state.id, " Shorter, please.\n", REV2)
    assert (back.status, back.note, back.rev) == (VersionStatus.CHANGES_REQUESTED, "Shorter, please.", 3)
    edited = await store.edit(ANN, state.id, QuestionChange(stem=text("One?")))
    assert (edited.status, edited.note) == (VersionStatus.CHANGES_REQUESTED, "Shorter, please.")
    with pytest.raises(WrongStatus):
        await store.withdraw(ANN, state.id)
    await store.submit(ANN, state.id)
    await store.approve(ROOT, state.id, Expected(rev=5))
    reviews = (await store.rows()).reviews
    assert [(key[2], review.decision) for key, review in sorted(reviews.items())] == [
        (1, Decision.CHANGES_REQUESTED),
        (2, Decision.APPROVED),
    ]
    assert reviews[state.id, 1, 1].note == "Shorter, please."


async def test_what_is_handed_in_twice_is_handed_in_once(store: InMemory) -> None:
    state = await store.begin()
    submitted = await store.submit(ANN, state.id)
    assert await store.submit(ANN, state.id) == submitted
    withdrawn = await store.withdraw(ANN, state.id)
    assert await store.withdraw(ANN, state.id) == withdrawn
    assert (await store.rows()).reviews[state.id, 1, 1].decision is Decision.WITHDRAWN
    assert [entry.action for entry in await store.audited()][1:] == ["question.submitted", "question.withdrawn"]


@pytest.mark.parametrize("editor", [ANN, ROOT])
async def test_nobody_approves_what_they_wrote_without_saying_so(store: InMemory, editor: Actor) -> None:
    state = await store.begin(ANN)
    if editor is ROOT:
        await store.edit(ROOT, state.id, QuestionChange(shuffle=False))
    submitted = await store.submit(ANN, state.id)
    as_admin = ROOT if editor is ROOT else RITA
    if editor is ROOT:
        with pytest.raises(SelfApproval):
            await store.approve(ROOT, state.id, Expected(rev=submitted.rev))
    await store.approve(as_admin, state.id, Expected(rev=submitted.rev), override=True)
    assert (await last_audit(store)).get("self_approval", False) is (editor is ROOT)


async def test_handing_in_is_not_writing(store: InMemory) -> None:
    """An admin who only handed it in may approve it."""
    state = await store.begin()
    await store.submit(ROOT, state.id)
    assert (await store.approve(ROOT, state.id, REV2)).status is VersionStatus.PUBLISHED


async def test_whoever_approves_names_the_revision_that_they_read(store: InMemory) -> None:
    state = await store.begin()
    await store.submit(ANN, state.id)
    await store.withdraw(ANN, state.id)
    await store.edit(ANN, state.id, QuestionChange(shuffle=False))
    await store.submit(ANN, state.id)
    with pytest.raises(QuestionStale):
        await store.approve(ROOT, state.id, REV2)
    with pytest.raises(QuestionStale):
        await store.request_changes(ROOT, state.id, "No.", REV2)


async def test_a_decision_is_made_once(store: InMemory) -> None:
    state = await store.begin()
    with pytest.raises(AlreadyDecided):
        await store.approve(ROOT, state.id, Expected(rev=1))
    await store.submit(ANN, state.id)
    await store.approve(ROOT, state.id, REV2)
    before = await store.rows()
    with pytest.raises(AlreadyDecided):
        await store.approve(RITA, state.id, Expected(rev=3))
    with pytest.raises(AlreadyDecided):
        await store.request_changes(RITA, state.id, "Too late.")
    assert await store.rows() == before


@pytest.mark.parametrize("note", ["", " \n", "x" * (LONGEST_NOTE + 1), "a\x00b", "a\ud800b", "e" + "\u0301" * 31])
async def test_a_note_is_a_text_of_some_length(store: InMemory, note: str) -> None:
    state = await store.begin()
    await store.submit(ANN, state.id)
    with pytest.raises(NoteInvalid):
        await store.request_changes(ROOT, state.id, note)
    if note.strip():
        with pytest.raises(NoteInvalid):
            await store.approve(ROOT, state.id, REV2, note=note)
    assert (await store.request_changes(ROOT, state.id, "x" * LONGEST_NOTE)).note == "x" * LONGEST_NOTE


async def test_instructors_decide_nothing(store: InMemory) -> None:
    state = await store.begin()
    await store.submit(ANN, state.id)
    with pytest.raises(Forbidden):
        await store.approve(BEN, state.id, REV2)
    with pytest.raises(Forbidden):
        await store.request_changes(BEN, state.id, "No.")
    with pytest.raises(DirectPublishingNotAllowed):
        await store.publish(BEN, state.id)
    with pytest.raises(QuestionNotFound):
        await store.publish(BEN, "qst_none")


async def test_an_admin_publishes_directly_and_is_recorded_for_their_own(store: InMemory) -> None:
    theirs, own = await store.begin(ANN), await store.begin(ROOT)
    published = await store.publish(ROOT, theirs.id)
    assert (published.status, published.published_version) == (VersionStatus.PUBLISHED, 1)
    assert "self_approval" not in await last_audit(store)
    await store.publish(ROOT, own.id)
    assert (await last_audit(store))["self_approval"] is True
    assert (await store.rows()).published[NET.id] == 2


async def test_publishing_again_changes_nothing(store: InMemory) -> None:
    state = await store.begin()
    published = await store.publish(ROOT, state.id)
    assert await store.publish(ROOT, state.id) == published
    assert len(await store.audited()) == 2


async def test_the_next_version_takes_the_place_of_the_one_before(store: InMemory) -> None:
    state = await store.begin()
    await store.publish(ROOT, state.id)
    await store.edit(ANN, state.id, QuestionChange(topic_id="top_switch", stem=text("Two?")))
    submitted = await store.submit(ANN, state.id)
    with pytest.raises(QuestionStale):  # What was read of the first version says nothing of the second.
        await store.approve(ROOT, state.id, REV2)
    after = await store.approve(ROOT, state.id, Expected(rev=submitted.rev))
    assert (after.version, after.published_version) == (2, 2)
    rows = await store.rows()
    assert rows.versions[state.id, 1].version.status is VersionStatus.SUPERSEDED
    assert (rows.questions[state.id].topic_id, rows.published[NET.id]) == ("top_switch", 1)
