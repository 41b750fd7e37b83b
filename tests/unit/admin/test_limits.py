"""Conversations about session limits, on memory: who defines them, what is on record, what enforcement ends."""

from __future__ import annotations

import pytest

from application.admin.groups import GroupChange, LimitChange
from application.admin.limit_ports import LimitSubject, Turnover
from application.admin.limits import HANDFUL, Enforced, LimitOrder
from domain.auth.limits import LimitSource
from domain.auth.people import Actor, Role, UserNotFound
from domain.auth.sessions import Forbidden
from domain.errors import StoreUnavailable
from tests.support.admin_builders import ROOT
from tests.support.auth_builders import NOW
from tests.support.limit_builders import STUDENTS, LimitOffice, a_limit, an_order, office_in_memory

ADA = LimitSubject.user("usr_ada")


@pytest.fixture
def office() -> LimitOffice:
    return office_in_memory()


async def test_nobody_defines_a_limit_at_first(office: LimitOffice) -> None:
    limits = await office.limits_of(await office.admit("ada"))
    assert (limits.own, limits.groups, limits.role) == (None, (), None)
    assert (limits.effective.source, limits.effective.limit) == (LimitSource.DEFAULT, a_limit(3))


async def test_a_limit_is_defined_changed_and_taken_away_each_with_one_row(office: LimitOffice) -> None:
    user_id = await office.admit("ada")
    limits, enforced = await office.set_user_limit(ROOT, user_id, an_order(5, reason="three devices and two labs"))
    assert (limits.effective.limit, limits.effective.source) == (a_limit(5), LimitSource.USER)
    assert enforced == Enforced(revoked=0, complete=True)
    await office.set_user_limit(ROOT, user_id, an_order(1))
    limits, _ = await office.set_user_limit(ROOT, user_id, an_order(None))
    assert limits.own is None
    assert await office.limit_of(ADA) is None
    rows = await office.audited()
    assert [(row.actor_id, row.action, row.subject) for row in rows] == [
        ("usr_root", "session_limit.changed", user_id)
    ] * 3
    assert rows[0].before == {"limit": None, "when_full": None}
    assert rows[0].after == {"limit": 5, "when_full": "evict_oldest", "enforce_now": False}
    assert [row.reason for row in rows] == ["three devices and two labs", None, None]
    assert rows[1].before == {"limit": 5, "when_full": "evict_oldest"}
    assert rows[2].after == {"limit": None, "when_full": None, "enforce_now": False}


async def test_what_changes_nothing_is_not_on_record(office: LimitOffice) -> None:
    user_id = await office.admit("ada")
    await office.set_user_limit(ROOT, user_id, an_order(None))
    await office.set_role_limit(ROOT, Role.STUDENT, an_order(None))
    assert await office.acts() == []
    for _ in "12":
        await office.set_user_limit(ROOT, user_id, an_order(2))
        await office.set_role_limit(ROOT, Role.STUDENT, an_order(2))
    assert [(row.action, row.subject) for row in await office.audited()] == [
        ("session_limit.changed", user_id),
        ("session_limit.changed", "role:student"),
    ]


async def test_another_thing_to_do_when_full_is_a_change(office: LimitOffice) -> None:
    user_id = await office.admit("ada")
    await office.set_user_limit(ROOT, user_id, an_order(2))
    limits, _ = await office.set_user_limit(ROOT, user_id, LimitOrder(limit=a_limit(2, denies=True)))
    assert limits.own == a_limit(2, denies=True)
    assert len(await office.acts()) == 2


async def test_a_lowered_limit_waits_for_the_next_sign_in(office: LimitOffice) -> None:
    user_id = await office.admit("ada", sessions=3)
    _, enforced = await office.set_user_limit(ROOT, user_id, an_order(1))
    assert enforced.revoked == 0
    assert len(await office.live("ada")) == 3
    grant = await office.enter(user_id)
    assert grant.evicted_sessions == 3
    assert len(await office.live("ada")) == 1


async def test_enforcement_ends_the_least_recently_seen_and_those_in_an_exam_last(office: LimitOffice) -> None:
    user_id = await office.admit("ada", sessions=4, exams=[0])
    _, enforced = await office.set_user_limit(ROOT, user_id, an_order(2, now=True))
    assert enforced == Enforced(revoked=2, complete=True)
    assert await office.live("ada") == {"0", "3"}
    _, enforced = await office.set_user_limit(ROOT, user_id, an_order(1, now=True))
    assert (enforced.revoked, await office.live("ada")) == (1, {"0"})


async def test_enforcing_a_limit_again_is_an_act_of_its_own(office: LimitOffice) -> None:
    user_id = await office.admit("ada", sessions=3)
    await office.set_user_limit(ROOT, user_id, an_order(2))
    _, enforced = await office.set_user_limit(ROOT, user_id, an_order(2, now=True, reason="seen in two towns"))
    assert enforced.revoked == 1
    *_, last = await office.audited()
    assert (last.action, last.reason) == ("session_limit.enforced", "seen in two towns")
    assert last.after == {"limit": 2, "when_full": "evict_oldest", "enforce_now": True}


async def test_a_limit_taken_away_enforces_the_one_that_counts_then(office: LimitOffice) -> None:
    user_id = await office.admit("ada", sessions=5)
    await office.set_user_limit(ROOT, user_id, an_order(5))
    limits, enforced = await office.set_user_limit(ROOT, user_id, an_order(None, now=True))
    assert (limits.effective.source, enforced.revoked) == (LimitSource.DEFAULT, 2)


async def test_a_role_is_enforced_upon_its_people_by_what_counts_for_each(office: LimitOffice) -> None:
    """Bob's own limit is higher and he keeps what it allows; Cleo has no surplus; Dan is no student."""
    for name in ("ada", "bob"):
        await office.admit(name, sessions=5)
    await office.set_user_limit(ROOT, "usr_bob", an_order(4))
    await office.admit("cleo", sessions=2)
    await office.admit("dan", sessions=5, role=Role.INSTRUCTOR)
    enforced = await office.set_role_limit(ROOT, Role.STUDENT, an_order(2, now=True))
    assert enforced == Enforced(revoked=3 + 1, complete=True)
    counts = {name: len(await office.live(name)) for name in ("ada", "bob", "cleo", "dan")}
    assert counts == {"ada": 2, "bob": 4, "cleo": 2, "dan": 5}


async def test_the_session_of_who_orders_it_survives(office: LimitOffice) -> None:
    await office.admit("root", sessions=3, role=Role.ADMIN)
    root = Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_root_0")
    assert (await office.set_role_limit(root, Role.ADMIN, an_order(1, now=True))).revoked == 2
    assert await office.live("root") == {"0"}
    await office.set_role_limit(root, Role.ADMIN, an_order(None))


async def test_what_is_beyond_the_first_batch_is_left_to_a_job(office: LimitOffice) -> None:
    office.batch = 2
    for number in range(5):
        await office.admit(f"p{number}", sessions=3)
    enforced = await office.set_role_limit(ROOT, Role.STUDENT, an_order(1, now=True))
    assert enforced == Enforced(revoked=4, complete=False)
    assert [len(await office.live(f"p{number}")) for number in range(5)] == [1, 1, 3, 3, 3]
    await office.work_off()
    assert [len(await office.live(f"p{number}")) for number in range(5)] == [1] * 5
    assert await office.acts() == ["session_limit.changed"]


class _Failing(Turnover):
    """The store fails as soon as the limit is defined."""

    async def __call__(self) -> None:
        raise StoreUnavailable


@pytest.mark.parametrize("of_group", [True, False])
async def test_an_enforcement_that_was_ordered_is_not_lost(office: LimitOffice, *, of_group: bool) -> None:
    office.turnover = _Failing()
    await office.admit("ada", sessions=3)
    if of_group:
        group = await office.found_group("ada")
        change = GroupChange(limit=LimitChange(max_sessions=1), enforce_now=True)
        _, enforced = await office.change_group(ROOT, group.id, change)
    else:
        enforced = await office.set_role_limit(ROOT, Role.STUDENT, an_order(1, now=True))
    assert enforced == Enforced(revoked=0, complete=False)
    assert len(await office.live("ada")) == 3
    await office.work_off()
    assert len(await office.live("ada")) == 1


async def test_what_is_not_to_be_enforced_now_orders_no_job(office: LimitOffice) -> None:
    await office.admit("ada", sessions=3)
    group = await office.found_group("ada")
    await office.set_role_limit(ROOT, Role.STUDENT, an_order(1))
    await office.change_group(ROOT, group.id, GroupChange(limit=LimitChange(max_sessions=1)))
    await office.work_off()
    assert len(await office.live("ada")) == 3


async def test_a_job_goes_on_where_the_batch_before_it_ended(office: LimitOffice) -> None:
    for number in range(3):
        await office.admit(f"p{number}", sessions=4)
    payload = {"scope": "role", "subject_id": "student", "keep": "ses_p2_0", "after": "usr_p0"}
    for _ in "12":
        await office.enforce.go_on(payload)
    assert [len(await office.live(f"p{number}")) for number in range(3)] == [4, 3, 3]
    assert "0" in await office.live("p2")


async def test_more_than_a_handful_is_dealt_with_in_several_units(office: LimitOffice) -> None:
    for number in range(HANDFUL + 1):
        await office.admit(f"p{number}", sessions=2)
    assert (await office.set_role_limit(ROOT, Role.STUDENT, an_order(1, now=True))).revoked == HANDFUL + 1
    assert await office.transact(lambda work: work.crowded(STUDENTS, None, 500)) == []


@pytest.mark.parametrize("changes", [{}, {"deleted_at": NOW}], ids=["unknown", "deleted"])
async def test_nobody_has_a_limit_who_is_not_there(office: LimitOffice, changes: dict[str, object]) -> None:
    if changes:
        await office.admit("ada")
        await office.auth.change_user("usr_ada", **changes)
    with pytest.raises(UserNotFound):
        await office.set_user_limit(ROOT, "usr_ada", an_order(2))
    assert await office.limit_of(ADA) is None


@pytest.mark.parametrize("role", [Role.STUDENT, Role.INSTRUCTOR])
async def test_only_administrators_set_limits(office: LimitOffice, role: Role) -> None:
    actor = Actor(user_id=await office.admit("ada"), role=role, session_id="ses_ada")
    with pytest.raises(Forbidden):
        await office.set_user_limit(actor, actor.user_id, an_order(100))
    with pytest.raises(Forbidden):
        await office.set_role_limit(actor, role, an_order(100))
    assert await office.acts() == []
