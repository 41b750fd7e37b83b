"""Laws of templates: what publishing freezes, what a change may say, and who makes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.enrollment.changes import ScoringChange
from application.practice.template_views import TemplateView
from application.practice.templates import TemplateChange
from domain.auth.people import Actor, Role
from domain.errors import InvalidInput
from domain.practice.judging import FeedbackMode
from domain.practice.plans import PracticePlan, Source, TemplateReference
from domain.practice.templates import (
    ANY_STATE,
    ExpectedTemplate,
    NotTheAuthor,
    PracticeTemplate,
    TemplateChanged,
    TemplateContent,
    TemplateSettings,
    TemplateStale,
    TemplateVersion,
    refuse_foreign,
    require_author,
)
from domain.question_bank.scoring import STANDARD, MultiplePolicy, ScoringPolicy

NOW = datetime(2030, 1, 15, 9, tzinfo=UTC)
SETTINGS = st.builds(
    TemplateSettings,
    topic_ids=st.lists(st.sampled_from(["top_a", "top_b"]), unique=True, max_size=2).map(tuple),
    count=st.integers(1, 3),
    source=st.sampled_from(Source),
    scoring=st.sampled_from([None, ScoringPolicy(), ScoringPolicy(penalty=Decimal("0.5"))]),
)
CONTENTS = st.builds(TemplateContent, title=st.sampled_from(["One", "Two"]), settings=SETTINGS)
# What an author does next: says something, shows it (True), hides it (None).
HISTORIES = st.lists(CONTENTS | st.sampled_from([True, True, None]), max_size=12)


def a_template(**changes: Any) -> PracticeTemplate:
    made: dict[str, Any] = {
        "id": "tpl_1",
        "exam_package_id": "pkg_1",
        "author_id": "usr_ann",
        "title": "Routing",
        "description": "",
        "settings": TemplateSettings(),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return PracticeTemplate(**made | changes)


@dataclass(slots=True)
class Told:
    """A template that was written at, published and hidden, one after the other."""

    template: PracticeTemplate = field(default_factory=a_template)
    versions: list[TemplateVersion] = field(default_factory=list)
    at: datetime = NOW

    def act(self, step: TemplateContent | bool | None) -> PracticeTemplate:
        self.at += timedelta(minutes=1)
        if isinstance(step, TemplateContent):
            self.template = self.template.saying(step, self.at)
        elif step is None:
            self.template = self.template.unpublished(self.at)
        else:
            latest = self.versions[-1] if self.versions else None
            publication = self.template.published(latest, "usr_ann", self.at)
            self.template = publication.template
            self.versions += [publication.frozen] if publication.frozen else []
        return self.template


@given(HISTORIES)
def test_every_change_is_one_revision_and_no_change_is_none(history: list[TemplateContent | bool | None]) -> None:
    told = Told()
    for step in history:
        before = told.template
        after = told.act(step)
        if after is before:
            continue
        assert after.revision == before.revision + 1
        assert after.updated_at == told.at
        assert replace(after, revision=0, updated_at=NOW) != replace(before, revision=0, updated_at=NOW)


@given(HISTORIES)
def test_publishing_shows_the_draft_and_nothing_else_does(history: list[TemplateContent | bool | None]) -> None:
    told = Told()
    for step in history:
        before = told.template.published_version
        after = told.act(step)
        assert [version.version for version in told.versions] == list(range(1, after.latest_version + 1))
        if step is True:
            assert after.published_version == after.latest_version
            assert told.versions[-1].content == after.content
        else:
            assert after.published_version == (None if step is None else before)


@given(HISTORIES)
def test_a_version_is_made_only_of_what_the_latest_does_not_say(history: list[TemplateContent | bool | None]) -> None:
    told = Told()
    for step in history:
        told.act(step)
    contents = [version.content for version in told.versions]
    assert all(one != another for one, another in pairwise(contents))


@given(HISTORIES)
def test_what_is_not_shown_yet_is_told_from_what_is(history: list[TemplateContent | bool | None]) -> None:
    told = Told()
    for step in history:
        after = told.act(step)
        shown = told.versions[after.published_version - 1] if after.published_version else None
        view = TemplateView(template=after, published=shown)
        again = after.published(told.versions[-1] if told.versions else None, None, NOW).template
        assert view.has_unpublished_changes == (again is not after)


def test_what_was_published_is_shown_again_as_the_same_version_after_it_was_hidden() -> None:
    told = Told()
    for step in (True, None, True):
        told.act(step)
    assert (told.template.latest_version, told.template.published_version, told.template.revision) == (1, 1, 4)


@given(SETTINGS, st.integers(1, 5))
def test_a_version_is_practised_as_it_says(settings: TemplateSettings, version: int) -> None:
    published = TemplateVersion(
        template_id="tpl_1",
        version=version,
        exam_package_id="pkg_1",
        title="Routing",
        description="",
        settings=settings,
        published_at=NOW,
    )
    assert published.plan == PracticePlan(
        exam_package_id="pkg_1",
        topic_ids=settings.topic_ids,
        count=settings.count,
        source=settings.source,
        policy=settings.scoring,
        template=TemplateReference(id="tpl_1", version=version),
    )


def test_every_setting_reaches_the_plan() -> None:
    """None of them is left out in silence: each differs from what a plan says by itself. Kinds are no setting."""
    settings = TemplateSettings(
        topic_ids=("top_a",),
        difficulty_ids=("dif_easy",),
        count=7,
        source=Source.WEAK,
        feedback=FeedbackMode.DEFERRED,
        certainty=True,
        time_limit_seconds=60,
        scoring=ScoringPolicy(multiple=MultiplePolicy.HALVES),
    )
    plan, usual = settings.plan("pkg_1"), PracticePlan(exam_package_id="pkg_1")
    same = [name for name in PracticePlan.__slots__ if getattr(plan, name) == getattr(usual, name)]
    assert same == ["exam_package_id", "kinds", "template"]


@given(CONTENTS)
def test_what_is_settled_stays(content: TemplateContent) -> None:
    settled = content.settled("pkg_1")
    assert settled.settled("pkg_1") == settled


def test_a_title_is_one_line_and_a_filter_names_each_value_once() -> None:
    settings = TemplateSettings(topic_ids=("top_b", "top_a", "top_b"), difficulty_ids=("dif_easy", "dif_easy"))
    settled = TemplateContent(title="  Ten on routing ", settings=settings).settled("pkg_1")
    assert settled.title == "Ten on routing"
    assert (settled.settings.topic_ids, settled.settings.difficulty_ids) == (("top_b", "top_a"), ("dif_easy",))


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (TemplateContent(title=" "), "/title"),
        (TemplateContent(title="two\nlines"), "/title"),
        (TemplateContent(title="x", description="x" * 10_001), "/description"),
        (TemplateContent(title="x", settings=TemplateSettings(count=0)), "/count"),
        (TemplateContent(title="x", settings=TemplateSettings(count=201)), "/count"),
        (TemplateContent(title="x", settings=TemplateSettings(time_limit_seconds=0)), "/timeLimitSeconds"),
        (
            TemplateContent(title="x", settings=TemplateSettings(topic_ids=tuple(f"top_{n}" for n in range(51)))),
            "/topicIds",
        ),
    ],
)
def test_what_no_template_can_say_is_refused_by_field(content: TemplateContent, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        content.settled("pkg_1")
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    with pytest.raises(InvalidInput):
        a_template().saying(content, NOW)


def test_a_filter_names_what_the_package_has() -> None:
    settings = TemplateSettings(topic_ids=("top_a", "top_z", "top_b"), difficulty_ids=("dif_none",))
    with pytest.raises(InvalidInput) as refused:
        refuse_foreign(settings, frozenset({"top_a", "top_b"}), frozenset({"dif_easy"}))
    found = [(problem.pointer, problem.code) for problem in refused.value.problems]
    assert found == [("/topicIds/1", "topic.unknown"), ("/difficultyIds/0", "difficulty.unknown")]
    refuse_foreign(settings, frozenset(settings.topic_ids), frozenset(settings.difficulty_ids))


@given(st.integers(1, 3), st.none() | st.integers(1, 3), st.none() | st.integers(1, 3))
def test_a_change_of_what_was_read_before_is_refused(at: int, etag: int | None, revision: int | None) -> None:
    """A failed precondition is told before a conflict."""
    template, expected = a_template(revision=at), ExpectedTemplate(etag=etag, revision=revision)
    if etag not in (None, at):
        with pytest.raises(TemplateChanged) as changed:
            expected.refuse_other(template)
        assert changed.value.current_version == at
    elif revision not in (None, at):
        with pytest.raises(TemplateStale):
            expected.refuse_other(template)
    else:
        expected.refuse_other(template)
    ANY_STATE.refuse_other(template)


@pytest.mark.parametrize("author", ["usr_ann", None])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", ["usr_ann", "usr_ben"])
def test_its_author_and_admins_change_a_template(author: str | None, role: Role, name: str) -> None:
    actor, template = Actor(user_id=name, role=role, session_id="ses_1"), a_template(author_id=author)
    if role is Role.ADMIN or (role is Role.INSTRUCTOR and name == author):
        require_author(actor, template)
    else:
        with pytest.raises(NotTheAuthor):
            require_author(actor, template)


@given(CONTENTS, st.dictionaries(st.sampled_from(["guess_neutral", "none_allowed"]), st.booleans()))
def test_of_how_answers_are_marked_only_what_is_named_changes(content: TemplateContent, named: dict[str, bool]) -> None:
    """Of a draft that marks as its package does, of the usual; None is the package's own way again."""
    changed = TemplateChange(scoring=ScoringChange(**named)).of(content)  # type: ignore[arg-type]
    assert changed.settings.scoring == replace(content.settings.scoring or STANDARD, **named)  # type: ignore[arg-type]
    assert replace(changed, settings=replace(changed.settings, scoring=content.settings.scoring)) == content
    assert TemplateChange(scoring=None).of(changed).settings.scoring is None


def test_a_change_keeps_what_it_does_not_name() -> None:
    before = TemplateContent(title="One", settings=TemplateSettings(count=5, time_limit_seconds=60))
    after = TemplateChange(title="Two", time_limit_seconds=None).of(before)
    assert after == TemplateContent(title="Two", settings=TemplateSettings(count=5))


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput):
        TemplateChange()
