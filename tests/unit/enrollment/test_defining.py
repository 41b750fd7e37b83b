"""Conversations about making packages, on memory, and the rules of a package."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.enrollment.packages import MemoryPackageWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from application.enrollment.defining import DefinePackage, PackageOutline
from domain.auth.people import Actor, Role
from domain.enrollment.packages import Visibility, check_package
from domain.enrollment.refusals import BankUnknown
from domain.errors import InvalidInput
from tests.support.enrollment_builders import CountingIds, StoredBank, a_package
from tests.support.postgres import SettableClock

OUTLINE = PackageOutline(slug="network", title="Network fundamentals")
ADMIN = Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_9")


class Office:
    """The use case around one store with two question banks."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        for bank in (StoredBank(id="qbk_1", slug="cables"), StoredBank(id="qbk_2", slug="routes")):
            self.store.tables["question_banks"][bank.id,] = bank
        self.define = DefinePackage(MemoryTransaction(self.store, MemoryPackageWork, SettableClock()), CountingIds())

    @property
    def links(self) -> list[tuple[str, str]]:
        return sorted(self.store.tables["exam_package_banks"])


async def test_a_new_package_has_one_default_tier_that_is_open_to_all() -> None:
    defined = await Office().define(None, OUTLINE)
    (tier,) = defined.package.tiers
    assert defined.created
    assert (tier.name, tier.is_default, tier.self_service, tier.active) == ("Standard", True, True, True)
    assert (defined.package.visibility, defined.package.version) == (Visibility.VISIBLE, 1)


async def test_a_title_is_kept_without_blanks_around_it() -> None:
    defined = await Office().define(None, replace(OUTLINE, title="\t Networks "))
    assert defined.package.title == "Networks"


async def test_banks_are_named_by_slug_or_id() -> None:
    office = Office()
    defined = await office.define(None, replace(OUTLINE, banks=("cables", "qbk_2", "qbk_1")))
    assert defined.linked_banks == ("qbk_1", "qbk_2")
    assert office.links == [(defined.package.id, "qbk_1"), (defined.package.id, "qbk_2")]


async def test_defining_again_changes_and_audits_nothing() -> None:
    office = Office()
    outline = replace(OUTLINE, banks=("cables",))
    first = await office.define(ADMIN, outline)
    second = await office.define(ADMIN, replace(outline, title="Another title"))
    assert (second.package, second.created, second.linked_banks) == (first.package, False, ())
    assert len(office.store.audit_log) == 1


async def test_a_package_that_exists_gains_the_banks_it_lacks() -> None:
    office = Office()
    await office.define(ADMIN, replace(OUTLINE, banks=("cables",)))
    again = await office.define(ADMIN, replace(OUTLINE, banks=("cables", "routes")))
    assert (again.created, again.linked_banks) == (False, ("qbk_2",))
    assert [entry.action for entry in office.store.audit_log] == ["package.created", "package.banks_linked"]


async def test_the_audit_row_names_who_made_what() -> None:
    office = Office()
    defined = await office.define(ADMIN, replace(OUTLINE, banks=("cables",)))
    (entry,) = office.store.audit_log
    assert (entry.actor_id, entry.action, entry.subject) == ("usr_root", "package.created", defined.package.id)
    assert entry.after == {"slug": "network", "title": "Network fundamentals", "linked_banks": ["qbk_1"]}


async def test_the_command_line_acts_as_nobody() -> None:
    office = Office()
    await office.define(None, OUTLINE)
    assert [entry.actor_id for entry in office.store.audit_log] == [None]


async def test_unknown_banks_are_all_named_and_nothing_is_made() -> None:
    office = Office()
    with pytest.raises(BankUnknown) as refused:
        await office.define(None, replace(OUTLINE, banks=("cables", "tubes", "qbk_7")))
    assert [problem.pointer for problem in refused.value.problems] == ["/banks/1", "/banks/2"]
    assert not office.store.tables["exam_packages"]
    assert office.store.audit_log == []


def test_every_broken_rule_of_a_package_is_told_at_once() -> None:
    broken = replace(
        a_package(), slug="No Slug", title=" ", description="\0", pass_mark=Decimal("100.01"), duration_seconds=0
    )
    with pytest.raises(InvalidInput) as refused:
        check_package(broken)
    pointers = [problem.pointer for problem in refused.value.problems]
    assert pointers == ["/slug", "/title", "/description", "/passMark", "/durationSeconds"]


async def test_a_broken_outline_is_refused() -> None:
    with pytest.raises(InvalidInput):
        await Office().define(None, replace(OUTLINE, slug="-"))


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_a_pass_mark_is_kept_exactly_or_refused(percent: Decimal) -> None:
    """What is accepted has at most two decimals, so that storing it cannot round it."""
    try:
        kept = check_package(replace(a_package(), pass_mark=percent)).pass_mark
    except InvalidInput:
        return
    assert 0 <= kept <= 100
    assert kept * 100 == int(kept * 100)


@pytest.mark.parametrize("percent", ["0", "100", "70", "66.67"])
def test_usual_pass_marks_are_accepted(percent: str) -> None:
    assert check_package(replace(a_package(), pass_mark=Decimal(percent))).pass_mark == Decimal(percent)


@pytest.mark.parametrize("text", ["tab\0", "\ud800", "x" * 201, "two\nlines", "two\u2028lines", "a" + "\u0301" * 31])
def test_titles_that_cannot_be_stored_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_package(replace(a_package(), title=text))
