"""Laws of the lifecycle: what holds of a question after any steps, whatever they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.auth.people import Actor
from domain.errors import DomainError
from domain.question_bank.authority import BankAccess
from domain.question_bank.completeness import refuse_incomplete
from domain.question_bank.lifecycle import (
    Question,
    VersionStatus,
    approve,
    archive,
    create,
    edit,
    etag_version,
    publish,
    redraft,
    refuse_used,
    request_changes,
    submit,
    withdraw,
)
from domain.question_bank.lifecycle_refusals import QuestionIncomplete, QuestionInUse, SelfApproval
from tests.support.authoring_builders import ANN, BEN, CAT, DEN, EVE, NET, ROOT, SAM, a_question, person

START = datetime(2030, 1, 15, 9, 0, tzinfo=UTC)
Step = Callable[[Question, str, datetime], Question]


def saying(asking: str) -> Step:
    return lambda question, by, at: edit(question, lambda _: a_question(asking), by, at)


STEPS: dict[str, Step] = {
    "edit one": saying("one?"),
    "edit two": saying("two?"),
    "submit": lambda question, by, at: submit(question, refuse_incomplete, by, at),
    "withdraw": withdraw,
    "approve": lambda question, by, at: approve(question, refuse_incomplete, by, at),
    "approve own": lambda question, by, at: approve(question, refuse_incomplete, by, at, override=True),
    "request changes": lambda question, by, at: request_changes(question, "Why?", by, at),
    "publish": lambda question, by, at: publish(question, refuse_incomplete, at),
    "archive": lambda question, by, at: archive(question, at),
    "redraft": redraft,
}
HISTORIES = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(["ann", "ben"])), max_size=30)


def begun() -> Question:
    return create(id="qst_1", bank_id="qbk_1", external_id="N-1", content=a_question(), by="ann", at=START)


def loaded(question: Question) -> Question:
    """The question as the next step gets it: without the versions that no step touches."""
    touched = tuple(version for version in question.versions if version in (question.latest, question.published))
    review = question.review if question.review and question.review.version == question.latest.version else None
    return replace(question, versions=touched, review=review)


@given(HISTORIES)
def test_after_any_history_there_is_one_open_and_one_published_version_at_most(history: list[tuple[str, str]]) -> None:
    question, at = begun(), START
    wrote: dict[int, set[str]] = {1: {"ann"}}
    frozen: dict[int, object] = {}
    for name, by in history:
        before, at = question, at + timedelta(seconds=1)
        try:
            question = STEPS[name](loaded(question), by, at)
        except DomainError:
            continue
        question_changed = question != loaded(before)
        assert (question.latest.etag > before.latest.etag) == question_changed
        assert question.latest.version - before.latest.version in (0, 1)
        if name.startswith("edit") and question_changed:
            wrote.setdefault(question.latest.version, set()).add(by)
        if name == "redraft" and question_changed:
            wrote[question.latest.version] = {by}
        statuses = [version.status for version in question.versions]
        assert statuses.count(VersionStatus.PUBLISHED) <= 1
        assert sum(status.is_open for status in statuses) <= 1
        for version in question.versions:
            assert set(version.editors) >= wrote[version.version]
            if not version.status.is_open:
                assert frozen.setdefault(version.version, version.content) == version.content
        in_review = question.status is VersionStatus.IN_REVIEW
        assert in_review == (question.review is not None and question.review.is_open)
        assert question.was_published >= any(not status.is_open for status in statuses)


@given(HISTORIES)
def test_a_step_that_was_taken_is_taken_again_without_effect(history: list[tuple[str, str]]) -> None:
    """Except for decisions, which are made once, and what an archived version refuses."""
    question, again = begun(), {"submit", "withdraw", "publish", "archive", "redraft", "edit one"}
    for name, by in history:
        try:
            question = loaded(STEPS[name](question, by, START))
        except DomainError:
            continue
        if name in again:
            assert outcome(name, question, by) in (question, *AFTER_ANOTHER.get(name, ()))


AFTER_ANOTHER = {"archive": ("question.wrong_status",), "redraft": ("question.open_version_exists",)}


def outcome(name: str, question: Question, by: str) -> object:
    try:
        return STEPS[name](question, by, START)
    except DomainError as refused:
        return refused.code


@given(st.tuples(st.integers(1, 999), st.integers(1, 999_999)), st.tuples(st.integers(1, 999), st.integers(1, 999_999)))
def test_tags_are_in_the_order_of_changes(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (etag_version(*one) < etag_version(*other)) == (one < other)


def test_a_review_that_nobody_began_has_its_round_with_the_decision() -> None:
    """As after an import that opened the version in review."""
    submitted = submit(begun(), refuse_incomplete, "ann", START)
    writers: list[tuple[tuple[str, ...], str]] = [(("ann", "ben"), "ben"), ((), "root")]
    for editors, by in writers:
        latest = replace(submitted.latest, editors=editors)
        imported = replace(submitted, versions=(latest,), review=None)
        approved = approve(imported, refuse_incomplete, "root", START + timedelta(seconds=1))
        assert approved.review is not None
        assert (approved.review.round, approved.review.submitted_by, approved.review.decided_by) == (1, by, "root")


def test_what_is_incomplete_is_not_approved_whoever_handed_it_in() -> None:
    """As after an import, which hands in what may lack a topic. Who may not decide hears of that first."""
    submitted = submit(begun(), refuse_incomplete, "ann", START)
    latest = replace(submitted.latest, content=a_question(topic_id=None))
    imported = replace(submitted, versions=(latest,), review=None)
    with pytest.raises(QuestionIncomplete) as refused:
        approve(imported, refuse_incomplete, "root", START, override=True)
    assert [found.pointer for found in refused.value.problems] == ["/topicId"]
    with pytest.raises(SelfApproval):
        approve(imported, refuse_incomplete, "ann", START)
    assert request_changes(imported, "Which topic?", "root", START).status is VersionStatus.CHANGES_REQUESTED


def test_what_was_published_once_is_never_deleted() -> None:
    refuse_used(begun(), served=False)
    published = publish(begun(), refuse_incomplete, START)
    for question in (published, archive(published, START), redraft(published, "ann", START)):
        with pytest.raises(QuestionInUse):
            refuse_used(loaded(question), served=False)
    with pytest.raises(QuestionInUse):
        refuse_used(begun(), served=True)


@pytest.mark.parametrize(
    ("bank", "seen_by", "edited_by"),
    [
        (NET, {ANN, BEN, CAT, EVE, ROOT}, {BEN, CAT, ROOT}),
        (DEN, {CAT, ROOT}, {CAT, ROOT}),
        (BankAccess(id="qbk_school", slug="school", visible=False), {ROOT}, {ROOT}),
    ],
)
def test_banks_are_seen_and_edited_by_few(bank: BankAccess, seen_by: set[Actor], edited_by: set[Actor]) -> None:
    everybody = {ANN, BEN, CAT, EVE, ROOT, SAM}
    assert {actor for actor in everybody if bank.may_be_seen_by(actor)} == seen_by
    assert {actor for actor in everybody if bank.is_edited_by(actor)} == edited_by


def test_a_student_who_was_staff_once_edits_nothing() -> None:
    bank = BankAccess(id="qbk_x", slug="x", visible=True, owner_id="usr_old", co_editors=("usr_old",))
    assert not bank.is_edited_by(person("old", SAM.role))
