"""Conversations about session groups, on memory, and the rule of what a change of a group leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.admin.groups import GroupChange, LimitChange, NewGroup
from application.admin.limit_ports import LimitSubject
from application.admin.limits import Enforced
from domain.auth.limits import (
    Limit,
    LimitSource,
    SessionGroupMemberNotFound,
    SessionGroupNameTaken,
    SessionGroupNotFound,
    WhenFull,
)
from domain.auth.people import Actor, Role, UserNotFound
from domain.auth.sessions import Forbidden
from domain.errors import InvalidInput
from tests.support.admin_builders import ROOT
from tests.support.auth_builders import NOW
from tests.support.limit_builders import LimitOffice, a_limit, office_in_memory

LIMITS = st.builds(Limit, max_sessions=st.integers(1, 100), when_full=st.sampled_from(WhenFull))


@pytest.fixture
def office() -> LimitOffice:
    return office_in_memory()


async def test_a_group_is_made_under_a_trimmed_name_with_a_row_of_its_own(office: LimitOffice) -> None:
    group = await office.create_group(ROOT, NewGroup(name=" Class of 2026 ", limit=a_limit(2), reason="new term"))
    assert (group.name, group.limit, group.member_count) == ("Class of 2026", a_limit(2), 0)
    assert await office.limit_of(LimitSubject.group(group.id)) == a_limit(2)
    (row,) = await office.audited()
    assert (row.action, row.subject, row.reason) == ("session_group.created", group.id, "new term")
    assert row.after == {"name": "Class of 2026", "limit": 2, "when_full": "evict_oldest"}


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
async def test_a_name_that_is_none_is_refused(office: LimitOffice, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await office.create_group(ROOT, NewGroup(name=name))
    assert refused.value.problems[0].pointer == "/name"


async def test_names_are_told_apart_without_regard_to_case(office: LimitOffice) -> None:
    await office.found_group(called="Class")
    other = await office.found_group(called="Other")
    with pytest.raises(SessionGroupNameTaken):
        await office.create_group(ROOT, NewGroup(name="CLASS"))
    with pytest.raises(SessionGroupNameTaken):
        await office.change_group(ROOT, other.id, GroupChange(name="class"))
    renamed, _ = await office.change_group(ROOT, other.id, GroupChange(name="OTHER"))
    assert renamed.name == "OTHER"


async def test_a_change_touches_what_it_names_and_is_one_row(office: LimitOffice) -> None:
    group = await office.found_group(limit=a_limit(2, denies=True))
    changed, _ = await office.change_group(ROOT, group.id, GroupChange(limit=LimitChange(max_sessions=4)))
    assert (changed.name, changed.limit) == (group.name, a_limit(4, denies=True))
    changed, _ = await office.change_group(ROOT, group.id, GroupChange(name="Evening class"))
    assert (changed.name, changed.limit) == ("Evening class", a_limit(4, denies=True))
    changed, _ = await office.change_group(ROOT, group.id, GroupChange(limit=LimitChange(undefine=True), reason="over"))
    assert changed.limit is None
    _, *rows = await office.audited()
    assert [row.action for row in rows] == ["session_group.changed"] * 3
    assert rows[0].before == {"name": "Class", "limit": 2, "when_full": "deny"}
    assert rows[0].after == {"name": "Class", "limit": 4, "when_full": "deny", "enforce_now": False}
    assert (rows[2].after or {})["limit"] is None
    assert rows[2].reason == "over"


async def test_a_change_to_what_is_so_already_leaves_no_row(office: LimitOffice) -> None:
    group = await office.found_group(limit=a_limit(2))
    same = GroupChange(name="Class", limit=LimitChange(max_sessions=2))
    unchanged, _ = await office.change_group(ROOT, group.id, same)
    assert unchanged == group
    assert await office.acts() == ["session_group.created"]


async def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput):
        GroupChange(reason="none")


@given(st.none() | LIMITS, st.none() | st.integers(1, 100), st.none() | st.sampled_from(WhenFull))
def test_of_a_limit_only_what_is_named_changes(
    limit: Limit | None, max_sessions: int | None, when_full: WhenFull | None
) -> None:
    change = LimitChange(max_sessions=max_sessions, when_full=when_full)
    if limit is None and max_sessions is None:
        if when_full is not None:
            with pytest.raises(InvalidInput):
                change.of(limit)
        else:
            assert change.of(limit) is None
        return
    after = change.of(limit)
    before = limit or Limit(max_sessions=max_sessions or 1)
    assert after == Limit(max_sessions=max_sessions or before.max_sessions, when_full=when_full or before.when_full)
    assert LimitChange(undefine=True, when_full=when_full).of(limit) is None


async def test_the_lowest_limit_of_the_groups_counts(office: LimitOffice) -> None:
    user_id = await office.admit("ada")
    await office.found_group("ada", limit=a_limit(5), called="Wide")
    narrow = await office.found_group("ada", limit=a_limit(2), called="Narrow")
    await office.found_group("ada", called="Without")
    limits = await office.limits_of(user_id)
    assert [group.name for group in limits.groups] == ["Narrow", "Wide"]
    assert (limits.effective.source, limits.effective.subject_id) == (LimitSource.GROUP, narrow.id)
    await office.delete_group(ROOT, narrow.id)
    assert (await office.limits_of(user_id)).effective.limit == a_limit(5)


async def test_enforcement_reaches_the_members_and_nobody_else(office: LimitOffice) -> None:
    for name in ("ada", "bob", "cleo"):
        await office.admit(name, sessions=3)
    group = await office.found_group("ada", "bob")
    change = GroupChange(limit=LimitChange(max_sessions=1), enforce_now=True)
    view, enforced = await office.change_group(ROOT, group.id, change)
    assert (view.limit, view.member_count) == (a_limit(1), 2)
    assert enforced == Enforced(revoked=4, complete=True)
    assert [len(await office.live(name)) for name in ("ada", "bob", "cleo")] == [1, 1, 3]
    await office.change_group(ROOT, group.id, GroupChange(enforce_now=True))
    assert (await office.acts())[-2:] == ["session_group.changed", "session_group.limit_enforced"]


async def test_who_is_in_a_group_is_added_no_second_time(office: LimitOffice) -> None:
    user_id = await office.admit("ada")
    group = await office.found_group()
    first = await office.add_member(ROOT, group.id, user_id, "asked for it")
    office.auth.clock.advance(hours=1)
    again = await office.add_member(ROOT, group.id, user_id, "asked again")
    assert (first.created, again.created) == (True, False)
    assert again.member == first.member
    _, row = await office.audited()
    assert (row.action, row.subject) == ("session_group.member_added", group.id)
    assert (row.after, row.reason) == ({"user_id": user_id}, "asked for it")


async def test_who_leaves_a_group_leaves_a_row(office: LimitOffice) -> None:
    user_id = await office.admit("ada")
    group = await office.found_group("ada", limit=a_limit(1))
    await office.auth.change_user(user_id, deleted_at=NOW)
    await office.remove_member(ROOT, group.id, user_id, "moved")
    assert (await office.limits_of(user_id)).groups == ()
    *_, row = await office.audited()
    assert (row.action, row.before, row.reason) == ("session_group.member_removed", {"user_id": user_id}, "moved")
    with pytest.raises(SessionGroupMemberNotFound):
        await office.remove_member(ROOT, group.id, user_id)


async def test_a_deleted_group_leaves_nothing_but_its_row(office: LimitOffice) -> None:
    await office.admit("ada")
    group = await office.found_group("ada", limit=a_limit(1))
    await office.delete_group(ROOT, group.id, "term is over")
    assert await office.limit_of(LimitSubject.group(group.id)) is None
    assert (await office.limits_of("usr_ada")).groups == ()
    *_, row = await office.audited()
    assert (row.action, row.reason) == ("session_group.deleted", "term is over")
    assert row.before == {"name": "Class", "limit": 1, "when_full": "evict_oldest", "member_count": 1}
    await office.found_group(called="class")


async def test_what_is_not_there_is_not_found_and_leaves_no_row(office: LimitOffice) -> None:
    await office.admit("ada")
    await office.admit("gone")
    await office.auth.change_user("usr_gone", deleted_at=NOW)
    group = await office.found_group()
    for act in (
        office.change_group(ROOT, "sgr_none", GroupChange(name="x")),
        office.delete_group(ROOT, "sgr_none"),
        office.add_member(ROOT, "sgr_none", "usr_ada"),
        office.remove_member(ROOT, "sgr_none", "usr_ada"),
    ):
        with pytest.raises(SessionGroupNotFound):
            await act
    for user_id in ("usr_none", "usr_gone"):
        with pytest.raises(UserNotFound):
            await office.add_member(ROOT, group.id, user_id)
    assert await office.acts() == ["session_group.created"]


@pytest.mark.parametrize("role", [Role.STUDENT, Role.INSTRUCTOR])
async def test_only_administrators_touch_groups(office: LimitOffice, role: Role) -> None:
    group = await office.found_group()
    actor = Actor(user_id=await office.admit("ada"), role=role, session_id="ses_ada")
    acts: list[Any] = [
        office.create_group(actor, NewGroup(name="Own")),
        office.change_group(actor, group.id, GroupChange(name="Own")),
        office.delete_group(actor, group.id),
        office.add_member(actor, group.id, actor.user_id),
        office.remove_member(actor, group.id, actor.user_id),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            await act
    assert await office.acts() == ["session_group.created"]
