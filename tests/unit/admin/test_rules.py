"""The rules of administration: what a change makes of somebody, what it tells, and that somebody always governs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.admin.auditing import act
from application.admin.inviting import Invite
from application.admin.people import Newcomer
from domain.admin import LastAdmin, UserChange, end_of_sessions, governs, keep_an_admin
from domain.auth.people import NO_PASSWORD, Actor, Role, User, UserStatus, differences, facts_of
from domain.auth.sessions import Forbidden, SessionEnd
from domain.errors import DomainError, InvalidInput
from tests.support.admin_builders import ROOT, administration_of, root
from tests.support.auth_builders import NOW, a_user, auth_in_memory

LATER = NOW + timedelta(hours=1)
_ROLES = st.sampled_from(Role)
_STATUSES = st.sampled_from(UserStatus)
_PEOPLE = st.builds(
    a_user,
    id=st.sampled_from(["usr_1", "usr_2", "usr_3"]),
    email=st.sampled_from(["a@example.org", "b@example.org"]),
    email_verified_at=st.none() | st.just(NOW),
    username=st.none() | st.sampled_from(["ada", "bob"]),
    name=st.sampled_from(["", "Ada", "Bob"]),
    role=_ROLES,
    status=_STATUSES,
    password_hash=st.sampled_from(["kept:a password", NO_PASSWORD]),
    deleted_at=st.none() | st.just(NOW),
)
# Rare among people as they come.
_ADMINS = _PEOPLE.map(lambda user: replace(user, role=Role.ADMIN, status=UserStatus.ACTIVE, deleted_at=None))


def _is_something(values: dict[str, Any]) -> bool:
    return any(value is not None for value in values.values())


def _change(values: dict[str, Any]) -> UserChange:
    return UserChange(**values)


_CHANGES = (
    st.fixed_dictionaries(
        {
            "email": st.none() | st.sampled_from(["a@example.org", " B@Example.org"]),
            "username": st.none() | st.sampled_from(["", "ada", "bob"]),
            "name": st.none() | st.sampled_from(["", "Ada", " Bob "]),
            "role": st.none() | _ROLES,
            "status": st.none() | _STATUSES,
        }
    )
    .filter(_is_something)
    .map(_change)
)


@given(user=_PEOPLE, change=_CHANGES)
def test_a_change_is_what_was_asked_and_doing_it_again_changes_nothing(user: User, change: UserChange) -> None:
    changed = change.applied_to(user, LATER)
    assert changed.role == (change.role or user.role)
    assert changed.status == (change.status or user.status)
    assert changed.email == (user.email if change.email is None else change.email.strip().lower())
    assert changed.name == (user.name if change.name is None else change.name.strip())
    assert changed.username == (user.username if change.username is None else change.username or None)
    assert change.applied_to(changed, LATER + timedelta(hours=1)) is changed


@given(user=_PEOPLE, change=_CHANGES)
def test_a_change_touches_nothing_that_is_not_for_admins(user: User, change: UserChange) -> None:
    """A password, an id, a deletion; and an address is verified only by its owner."""
    changed = change.applied_to(user, LATER)
    assert (changed.id, changed.password_hash, changed.created_at) == (user.id, user.password_hash, user.created_at)
    assert changed.deleted_at == user.deleted_at
    assert changed.updated_at == (user.updated_at if changed is user else LATER)
    assert changed.email_verified_at == (user.email_verified_at if changed.email == user.email else None)


@given(before=_PEOPLE, change=_CHANGES)
def test_what_is_told_is_exactly_what_differs_and_no_secret(before: User, change: UserChange) -> None:
    after = change.applied_to(before, LATER)
    was, became = differences(facts_of(before), facts_of(after))
    assert set(was) == set(became)
    assert all(was[name] != became[name] for name in was)
    assert {**facts_of(before), **became} == facts_of(after)
    assert (not became) == (after is before)
    assert "kept:" not in repr(facts_of(before))


@given(
    people=st.lists(_PEOPLE | _ADMINS, unique_by=lambda user: user.id), changes=st.lists(st.tuples(_PEOPLE, _CHANGES))
)
def test_whatever_is_tried_somebody_who_governs_stays(
    people: list[User], changes: list[tuple[User, UserChange]]
) -> None:
    """Once there is an admin who can sign in there always is one."""
    kept = {user.id: user for user in people}

    def governing() -> set[str]:
        return {user.id for user in kept.values() if governs(user)}

    def can_sign_in_as_admin() -> set[str]:
        admins = [user for user in kept.values() if user.role is Role.ADMIN and user.is_alive]
        return {user.id for user in admins if user.password_hash != NO_PASSWORD}

    had_one = bool(can_sign_in_as_admin())
    for chosen, change in changes:
        before = kept.get(chosen.id)
        if before is None:
            continue
        after = replace(before, deleted_at=NOW) if chosen.deleted_at else change.applied_to(before, LATER)
        try:
            keep_an_admin(before, after, governing())
        except LastAdmin:
            assert can_sign_in_as_admin() == {before.id}
            continue
        kept[before.id] = after
        assert can_sign_in_as_admin() or not had_one
        had_one = had_one or bool(can_sign_in_as_admin())


@given(before=_PEOPLE, change=_CHANGES)
def test_a_change_that_may_unseat_says_so_beforehand(before: User, change: UserChange) -> None:
    """So that the admins are held before anybody is looked at."""
    after = change.applied_to(before, LATER)
    unseats = before.role is Role.ADMIN and before.is_alive and not (after.role is Role.ADMIN and after.is_alive)
    assert change.may_unseat or not unseats


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"name": "Ada L."}, None),
        ({"email": "other@example.org"}, None),
        ({"role": Role.ADMIN}, SessionEnd.ROLE_CHANGED),
        ({"status": UserStatus.DISABLED, "role": Role.ADMIN}, SessionEnd.DISABLED),
        ({"deleted_at": NOW, "status": UserStatus.DISABLED}, SessionEnd.DELETED),
    ],
)
def test_sessions_end_with_what_they_were_opened_for(changes: dict[str, Any], end: SessionEnd | None) -> None:
    assert end_of_sessions(a_user(), a_user(**changes)) is end


def test_enabling_ends_nothing() -> None:
    assert end_of_sessions(a_user(status=UserStatus.DISABLED), a_user()) is None


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput):
        UserChange()


@pytest.mark.parametrize("reason", [None, "", "  \n"])
def test_a_reason_that_says_nothing_is_none(reason: str | None) -> None:
    assert act("user.changed", "usr_ada", by=ROOT, reason=reason).reason is None


_ANYTHING = "usr_ada"
_TRIES: dict[str, Callable[[Any, Actor], Any]] = {
    "add": lambda admin, by: admin.add_user(by, Newcomer(email="new@example.org", role=Role.ADMIN)),
    "change": lambda admin, by: admin.change_user(by, _ANYTHING, UserChange(name="Ada")),
    "delete": lambda admin, by: admin.delete_user(by, _ANYTHING),
    "restore": lambda admin, by: admin.restore_user(by, _ANYTHING),
    "unlock": lambda admin, by: admin.unlock_user(by, _ANYTHING),
    "send link": lambda admin, by: admin.send_password_link(by, _ANYTHING),
    "end one": lambda admin, by: admin.end_session_of(by, _ANYTHING, "ses_ada"),
    "end all": lambda admin, by: admin.end_sessions_of(by, _ANYTHING),
    "end every": lambda admin, by: admin.end_every_session(by, "why"),
    "invite": lambda admin, by: admin.invite(by, "new@example.org", Role.ADMIN),
    "withdraw": lambda admin, by: admin.withdraw_invitation(by, "inv_1"),
}


@pytest.mark.parametrize("role", [Role.STUDENT, Role.INSTRUCTOR])
@pytest.mark.parametrize("attempt", _TRIES.values(), ids=_TRIES.keys())
async def test_nobody_but_an_admin_administers(attempt: Callable[[Any, Actor], Any], role: Role) -> None:
    admin = administration_of(auth_in_memory())
    await admin.settle(root(), a_user())
    with pytest.raises(Forbidden):
        await attempt(admin, Actor(user_id="usr_ada", role=role, session_id="ses_ada"))
    assert await admin.acts() == []


@pytest.mark.parametrize(
    ("newcomer", "pointer"),
    [
        ({"email": "nobody"}, "/email"),
        ({"username": "?"}, "/username"),
        ({"name": "a\nb"}, "/name"),
    ],
)
async def test_what_breaks_a_rule_makes_no_account(newcomer: dict[str, Any], pointer: str) -> None:
    admin = administration_of(auth_in_memory())
    with pytest.raises(DomainError) as refused:
        await admin.add_user(ROOT, Newcomer(**{"email": "new@example.org", "role": Role.STUDENT} | newcomer))
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


async def test_students_are_not_invited() -> None:
    invite: Invite = administration_of(auth_in_memory()).invite
    with pytest.raises(InvalidInput) as refused:
        await invite(ROOT, "new@example.org", Role.STUDENT)
    assert [problem.pointer for problem in refused.value.problems] == ["/role"]
