"""What a package may say about its exams: the defaults, the bounds, and what does not go together."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.enrollment.changes import (
    PackageChange,
    ScoringChange,
    SettingsChange,
    TierChange,
    differences,
    named,
)
from application.question_bank.changes import KEPT
from domain.enrollment.packages import ExamPackage, Visibility, check_package
from domain.enrollment.settings import (
    Navigation,
    OfficialResult,
    OverduePolicy,
    PackageSettings,
    ReviewRule,
    settings_problems,
)
from domain.errors import InvalidInput
from domain.question_bank.blueprints import Blueprint, Section
from domain.question_bank.scoring import MultiplePolicy, ScoringPolicy
from tests.support.enrollment_builders import NOON, a_package
from tests.support.package_builders import package_settings

LATER = NOON + timedelta(hours=2)
BLUEPRINT = Blueprint(sections=(Section(count=4, topic_id="top_1"), Section(count=6)))


def pointers(package: ExamPackage) -> list[str]:
    """Where the package breaks a rule."""
    try:
        check_package(package)
    except InvalidInput as refusal:
        return [problem.pointer for problem in refusal.problems]
    return []


def saying(**settings: Any) -> ExamPackage:
    return replace(a_package(), settings=PackageSettings(**settings))


def test_a_package_that_says_nothing_has_the_defaults_of_the_house() -> None:
    read = msgspec.convert({}, PackageSettings)
    assert read == PackageSettings()
    assert (read.latency_seconds, read.grace_seconds) == (60, 86_400)
    assert (read.overdue_policy, read.official_result) == (OverduePolicy.AUTO_SUBMIT, OfficialResult.HIGHEST)
    assert (read.navigation, read.review_rule) == (Navigation.FREE, ReviewRule.NEVER)
    assert (read.attempts_allowed, read.cooldown_seconds, read.later_cooldown_seconds) == (None, 0, 0)
    assert (read.opens_at, read.closes_at, read.window_extends) == (None, None, False)
    assert (read.certainty, read.cbm_official, read.allow_negative_total) == (False, False, False)
    assert (read.authorised_start, read.pause_allowed) == (False, False)
    assert (read.shuffle_questions, read.shuffle_options, read.question_count) == (True, True, None)
    assert read.scoring == ScoringPolicy()
    assert list(settings_problems(read)) == []


@given(package_settings())
def test_settings_that_keep_the_rules_are_read_as_they_were_written(settings: PackageSettings) -> None:
    assert list(settings_problems(settings)) == []
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(settings)), PackageSettings) == settings


@pytest.mark.parametrize(
    ("field", "pointer", "lowest", "highest"),
    [
        ("question_count", "/settings/questionCount", 1, 500),
        ("attempts_allowed", "/settings/attemptsAllowed", 1, 1000),
        ("cooldown_seconds", "/settings/cooldownSeconds", 0, 366 * 86_400),
        ("later_cooldown_seconds", "/settings/laterCooldownSeconds", 0, 366 * 86_400),
        ("latency_seconds", "/settings/latencySeconds", 0, 3600),
        ("grace_seconds", "/settings/graceSeconds", 0, 30 * 86_400),
    ],
)
def test_numbers_have_bounds(field: str, pointer: str, lowest: int, highest: int) -> None:
    for inside in (lowest, highest):
        assert pointers(saying(**{field: inside})) == []
    for outside in (lowest - 1, highest + 1):
        assert pointers(saying(**{field: outside})) == [pointer]


@pytest.mark.parametrize(("closes", "found"), [(NOON, ["/settings/closesAt"]), (LATER, []), (None, [])])
def test_a_window_closes_after_it_has_opened(closes: datetime | None, found: list[str]) -> None:
    assert pointers(saying(opens_at=NOON, closes_at=closes)) == found


def test_a_mark_by_certainty_counts_only_where_certainty_is_asked_for() -> None:
    assert pointers(saying(cbm_official=True)) == ["/settings/cbmOfficial"]
    assert pointers(saying(cbm_official=True, certainty=True)) == []


def test_a_review_after_the_window_needs_a_window_that_ends() -> None:
    assert pointers(saying(review_rule=ReviewRule.AFTER_WINDOW, opens_at=NOON)) == ["/settings/reviewRule"]
    assert pointers(saying(review_rule=ReviewRule.AFTER_WINDOW, closes_at=NOON)) == []


def test_questions_are_counted_by_the_settings_or_by_the_blueprint() -> None:
    by_count, by_blueprint = saying(question_count=7), replace(a_package(), blueprint=BLUEPRINT)
    counts = [each.exam_question_count for each in (a_package(), by_count, by_blueprint)]
    assert counts == [None, 7, 10]
    assert pointers(by_blueprint) == []
    assert pointers(replace(by_count, blueprint=BLUEPRINT)) == ["/settings/questionCount"]


def test_what_is_wrong_with_a_blueprint_is_told_by_its_place_in_the_package() -> None:
    unsound = Blueprint(sections=(Section(count=1, marks=Decimal(0)), Section(count=501)))
    found = pointers(replace(a_package(), blueprint=unsound))
    assert found == ["/blueprint/sections", "/blueprint/sections/0/marks", "/blueprint/sections/1/count"]
    assert pointers(replace(a_package(), blueprint=Blueprint(sections=()))) == ["/blueprint/sections"]


def test_every_broken_rule_is_told_at_once() -> None:
    broken = replace(
        saying(latency_seconds=-1, closes_at=NOON, opens_at=NOON, cbm_official=True, question_count=3),
        title="",
        blueprint=Blueprint(sections=(Section(count=0),)),
    )
    assert pointers(broken) == [
        "/title",
        "/settings/latencySeconds",
        "/settings/closesAt",
        "/settings/cbmOfficial",
        "/blueprint/sections/0/count",
        "/settings/questionCount",
    ]


def test_every_setting_can_be_changed() -> None:
    """One that is forgotten could be read and never be written."""
    assert {each.name for each in fields(SettingsChange)} == {each.name for each in fields(PackageSettings)}
    assert {each.name for each in fields(ScoringChange)} == {each.name for each in fields(ScoringPolicy)}


@given(package_settings(), package_settings(), st.data())
def test_only_the_settings_that_are_named_change(
    before: PackageSettings, wanted: PackageSettings, data: st.DataObject
) -> None:
    names = data.draw(st.sets(st.sampled_from(sorted(each.name for each in fields(PackageSettings)))))
    values = {name: getattr(wanted, name) for name in names}
    if "scoring" in values:
        values["scoring"] = ScoringChange(**asdict(wanted.scoring))
    after = SettingsChange(**values).of(before)
    for each in fields(PackageSettings):
        assert getattr(after, each.name) == getattr(wanted if each.name in names else before, each.name)


def test_of_the_scoring_too_only_what_is_named_changes() -> None:
    change = SettingsChange(scoring=ScoringChange(multiple=MultiplePolicy.HALVES))
    before = PackageSettings(scoring=ScoringPolicy(penalty=Decimal("0.25")))
    assert change.of(before).scoring == ScoringPolicy(penalty=Decimal("0.25"), multiple=MultiplePolicy.HALVES)


def test_a_change_that_names_nothing_is_refused() -> None:
    for change in (PackageChange, TierChange):
        with pytest.raises(InvalidInput):
            change()
    assert named(SettingsChange()) == {}


def test_what_is_named_none_is_taken_away() -> None:
    package = replace(a_package(), blueprint=BLUEPRINT)
    changed = PackageChange(blueprint=None, duration_seconds=None).of(package)
    assert (changed.blueprint, changed.duration_seconds) == (None, None)
    assert changed.settings == package.settings


def test_a_change_that_changes_nothing_gives_the_very_same_package() -> None:
    package = a_package()
    same = PackageChange(title=package.title, settings=SettingsChange(latency_seconds=60))
    assert same.of(package) is package


@pytest.mark.parametrize(
    ("change", "for_admins"),
    [
        (PackageChange(title="New"), False),
        (PackageChange(settings=SettingsChange(certainty=True), blueprint=BLUEPRINT), False),
        (PackageChange(slug="new"), True),
        (PackageChange(visibility=Visibility.HIDDEN), True),
        (PackageChange(question_bank_ids=()), True),
    ],
)
def test_some_changes_are_left_to_administrators(change: PackageChange, for_admins: bool) -> None:
    assert change.is_for_admins is for_admins


def test_differences_of_documents_name_what_differs_in_them() -> None:
    before = {"slug": "a", "settings": {"x": 1, "y": 2}, "blueprint": None}
    after = {"slug": "a", "settings": {"x": 1, "y": 3}, "blueprint": {"sections": []}}
    was, became = differences(before, after)
    assert was == {"settings": {"y": 2}, "blueprint": None}
    assert became == {"settings": {"y": 3}, "blueprint": {"sections": []}}


def test_kept_is_told_from_none() -> None:
    assert named(SettingsChange(closes_at=None)) == {"closes_at": None}
    assert SettingsChange().closes_at is KEPT
    assert (
        SettingsChange(closes_at=None).of(PackageSettings(closes_at=datetime(2026, 1, 1, tzinfo=UTC))).closes_at is None
    )
