"""Administrators at the same moment, and acts that cannot be recorded, on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege

from adapters.postgres.database import Database
from application.admin.groups import GroupChange, NewGroup
from application.admin.people import Newcomer
from application.admin.ports import AdminWork
from application.admin.sessions import EndedSessions
from application.admin.views import SessionState
from application.auth.ports import AuthWork
from application.ports import Transaction
from domain.admin import LastAdmin, UserChange
from domain.auth.people import Actor, Role, UserStatus
from domain.errors import DomainError
from tests.support.admin_builders import PERSONAL, ROOT, Administration, administration_of, root
from tests.support.auth_builders import NOW, STUDENT_VISIT, AuthOnPostgres, a_user, auth_on_postgres
from tests.support.limit_builders import OfficeOnPostgres, a_limit, an_order, office_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock

Act = Callable[[Administration], Awaitable[object]]


@pytest.fixture
def admin(database: Database, clock: SettableClock) -> Administration:
    return administration_of(auth_on_postgres(database, clock))


def _unseating(user_id: str) -> list[Callable[[Administration, Actor], Awaitable[object]]]:
    """Every way in which an admin ceases to be one."""
    return [
        lambda admin, by: admin.change_user(by, user_id, UserChange(role=Role.INSTRUCTOR)),
        lambda admin, by: admin.change_user(by, user_id, UserChange(status=UserStatus.DISABLED)),
        lambda admin, by: admin.delete_user(by, user_id),
    ]


@pytest.mark.parametrize("way", range(3))
@pytest.mark.parametrize("other", range(3))
async def test_of_two_admins_who_remove_each_other_at_once_one_stays(
    admin: Administration, way: int, other: int
) -> None:
    await admin.settle(root(), a_user(role=Role.ADMIN))
    ada = Actor(user_id="usr_ada", role=Role.ADMIN, session_id="ses_ada")
    answers = await asyncio.gather(
        _unseating("usr_ada")[way](admin, ROOT), _unseating("usr_root")[other](admin, ada), return_exceptions=True
    )
    assert Counter(isinstance(answer, LastAdmin) for answer in answers) == {True: 1, False: 1}, answers
    living = [user for user in [await admin.find("usr_ada"), await admin.find("usr_root")] if user.is_alive]
    assert [user.role for user in living if user.role is Role.ADMIN] == [Role.ADMIN]
    assert len(await admin.acts()) == 1


async def test_of_many_admins_who_remove_each_other_at_once_somebody_stays(admin: Administration) -> None:
    people = [a_user(id=f"usr_{n}", email=f"{n}@example.org", username=None, role=Role.ADMIN) for n in range(8)]
    await admin.settle(*people)
    acts = [
        _unseating(people[(number + 1) % 8].id)[number % 3](
            admin, Actor(user_id=person.id, role=Role.ADMIN, session_id="")
        )
        for number, person in enumerate(people)
    ]
    answers = await asyncio.gather(*acts, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, LastAdmin)]
    assert len(refused) == 1
    assert len(await admin.acts()) == 7
    _, governing = await admin.transact(lambda work: work.hold_with_admins("usr_0"))
    assert len(governing) == 1


class _Counting:
    """Counts how often units of work run: one that gave way to another runs again."""

    def __init__(self, transact: Transaction[AdminWork]) -> None:
        self._transact = transact
        self.runs = 0

    async def __call__(self, unit: Callable[[AdminWork], Awaitable[Any]], /) -> Any:
        async def counted(work: AdminWork) -> Any:
            self.runs += 1
            return await unit(work)

        return await self._transact(counted)


async def test_two_who_change_admins_wait_in_one_line(admin: Administration) -> None:
    """One removes somebody who is being promoted, the other one an admin: neither waits for both."""
    boss = a_user(id="usr_boss", email="boss@example.org", username=None, role=Role.ADMIN)
    other = a_user(id="usr_other", email="other@example.org", username=None, role=Role.ADMIN)
    await admin.settle(root(), a_user(), boss, other)
    is_held, may_end = asyncio.Event(), asyncio.Event()

    async def hold(work: AdminWork) -> None:
        await work.hold_user("usr_boss")
        is_held.set()
        await may_end.wait()

    holding = asyncio.create_task(admin.transact(hold))
    await is_held.wait()
    counting = _Counting(admin.transact)
    busy = replace(admin, transact=counting)
    tasks = []
    for act in (
        busy.delete_user(ROOT, "usr_ada"),
        busy.change_user(ROOT, "usr_ada", UserChange(role=Role.ADMIN)),
        busy.delete_user(ROOT, "usr_other"),
    ):
        tasks.append(asyncio.create_task(act))
        await asyncio.wait(tasks[-1:], timeout=0.15)
    may_end.set()
    await asyncio.gather(holding, *tasks, return_exceptions=True)
    assert counting.runs == len(tasks)


async def test_of_many_invitations_of_one_address_at_once_the_last_is_open(
    admin: Administration, database: Database
) -> None:
    await admin.settle(root())
    await asyncio.gather(*(admin.invite(ROOT, "grace@example.org", Role.INSTRUCTOR) for _ in range(8)))
    rows = await database.fetch_all("select id from invitations where revoked_at is null")
    assert len(rows) == 1
    acts = await admin.acts()
    replaced = [act.before["replaced"] for act in acts if act.before]
    assert len(acts) == 8
    assert {act.subject for act in acts} - set(replaced) == {rows[0]["id"]}


async def test_who_signs_in_while_being_disabled_is_out(admin: Administration, database: Database) -> None:
    """The sign-in comes before, and its session ends, or after, and is refused."""
    await admin.settle(root(), a_user())
    answers = await asyncio.gather(
        *(admin.auth.enter() for _ in range(3)),
        admin.change_user(ROOT, "usr_ada", UserChange(status=UserStatus.DISABLED)),
        return_exceptions=True,
    )
    assert not [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, DomainError)]
    left = await database.fetch_all("select id from auth_sessions where user_id = 'usr_ada' and revoked_at is null")
    assert left == []


async def test_a_sign_in_that_is_under_way_is_signed_out_with_everybody(admin: Administration) -> None:
    """Its session is there and not committed when everybody is signed out."""
    await admin.settle(root(), a_user())
    has_opened, may_end = asyncio.Event(), asyncio.Event()
    opened: list[str] = []

    async def enter_slowly(work: AuthWork) -> None:
        user = await work.hold_user("usr_ada")
        assert user is not None
        opened.append((await admin.auth.open_session(work, user, STUDENT_VISIT)).session.id)
        has_opened.set()
        await may_end.wait()

    entering = asyncio.create_task(admin.auth.transact(enter_slowly))
    await has_opened.wait()
    ending = asyncio.create_task(admin.end_every_session(ROOT, "A key was lost"))
    await asyncio.wait((ending,), timeout=0.2)
    may_end.set()
    await entering
    assert await ending == EndedSessions(revoked=2, complete=True)
    session = await admin.transact(lambda work: work.find_session("usr_ada", opened[0]))
    assert session is not None
    assert session.revoked_at is not None


async def test_an_invitation_that_is_being_sent_does_not_outlive_its_sender(
    admin: Administration, database: Database
) -> None:
    """It comes before the dismissal, and is revoked, or after, and is refused."""
    await admin.settle(root())
    for number in range(4):
        user = a_user(id=f"usr_{number}", email=f"{number}@example.org", username=None, role=Role.ADMIN)
        await admin.settle(user)
        boss = Actor(user_id=user.id, role=Role.ADMIN, session_id="")
        await asyncio.gather(
            *(admin.invite(boss, f"{number}friend{n}@example.org", Role.ADMIN) for n in range(3)),
            admin.delete_user(ROOT, user.id),
            return_exceptions=True,
        )
    assert await database.fetch_all("select id from invitations where revoked_at is null") == []


async def test_one_session_that_several_end_at_once_is_ended_and_recorded_once(admin: Administration) -> None:
    await admin.settle(root(), a_user())
    answers = await asyncio.gather(*(admin.end_session_of(ROOT, "usr_ada", "ses_ada") for _ in range(6)))
    assert {answer.state for answer in answers} == {SessionState.REVOKED}
    assert (await admin.act()).action == "session.revoked"


def _office(admin: Administration) -> OfficeOnPostgres:
    """Limits and groups, over the same store."""
    assert isinstance(admin.auth, AuthOnPostgres)
    return office_on_postgres(admin.auth.database, admin.auth.clock)


_ACTS: dict[str, Act] = {
    "add": lambda admin: admin.add_user(ROOT, Newcomer(email="new@example.org", role=Role.STUDENT)),
    "change role": lambda admin: admin.change_user(ROOT, "usr_ada", UserChange(role=Role.INSTRUCTOR)),
    "change address": lambda admin: admin.change_user(ROOT, "usr_ada", UserChange(email="new@example.org")),
    "disable": lambda admin: admin.change_user(ROOT, "usr_ada", UserChange(status=UserStatus.DISABLED)),
    "delete": lambda admin: admin.delete_user(ROOT, "usr_ada"),
    "restore": lambda admin: admin.restore_user(ROOT, "usr_gone"),
    "unlock": lambda admin: admin.unlock_user(ROOT, "usr_ada"),
    "password link": lambda admin: admin.send_password_link(ROOT, "usr_ada"),
    "end one session": lambda admin: admin.end_session_of(ROOT, "usr_ada", "ses_ada"),
    "end sessions": lambda admin: admin.end_sessions_of(ROOT, "usr_ada"),
    "end all sessions": lambda admin: admin.end_every_session(ROOT, "why"),
    "invite": lambda admin: admin.invite(ROOT, "new@example.org", Role.ADMIN),
    "invite again": lambda admin: admin.invite(ROOT, "guest@example.org", Role.ADMIN),
    "withdraw": lambda admin: admin.withdraw_invitation(ROOT, "inv_guest"),
    "limit a person": lambda admin: _office(admin).set_user_limit(ROOT, "usr_ada", an_order(1, now=True)),
    "limit a role": lambda admin: _office(admin).set_role_limit(ROOT, Role.STUDENT, an_order(1, now=True)),
    "make a group": lambda admin: _office(admin).create_group(ROOT, NewGroup(name="New", limit=a_limit(2))),
    "change a group": lambda admin: _office(admin).change_group(ROOT, "sgr_class", GroupChange(name="Old")),
    "enforce a group": lambda admin: _office(admin).change_group(ROOT, "sgr_class", GroupChange(enforce_now=True)),
    "delete a group": lambda admin: _office(admin).delete_group(ROOT, "sgr_class"),
    "add a member": lambda admin: _office(admin).add_member(ROOT, "sgr_class", "usr_ada"),
    "remove a member": lambda admin: _office(admin).remove_member(ROOT, "sgr_class", "usr_root"),
}
_STATE = """
    select (select jsonb_agg(to_jsonb(u) order by id) from users u)::text,
           (select jsonb_agg(to_jsonb(s) order by id) from auth_sessions s)::text,
           (select jsonb_agg(to_jsonb(l) order by owner_id, purpose) from one_time_links l)::text,
           (select jsonb_agg(to_jsonb(i) order by id) from invitations i)::text,
           (select jsonb_agg(to_jsonb(c) order by key) from attempt_counters c)::text,
           (select jsonb_agg(to_jsonb(l) order by scope, subject_id) from session_limits l)::text,
           (select jsonb_agg(to_jsonb(g) order by id) from session_groups g)::text,
           (select jsonb_agg(to_jsonb(m) order by user_id) from session_group_members m)::text,
           (select count(*) from procrastinate_jobs), (select count(*) from audit_log)
"""


async def _fill(admin: Administration, cloned: ClonedDatabase) -> None:
    """Somebody and something for every act, to be seen in `_STATE` if it happens."""
    gone = a_user(id="usr_gone", email="gone@example.org", username=None, deleted_at=NOW)
    await admin.settle(root(), a_user(), gone)
    await admin.give_links("usr_ada", PERSONAL)
    await admin.count_failures("ada@example.org")
    cloned.keeper.execute(
        "insert into invitations (id, email, role, created_at, expires_at)"
        " values ('inv_guest', 'guest@example.org', 'instructor', '2030-01-15', '2030-01-22')"
    )
    cloned.keeper.execute("insert into session_groups values ('sgr_class', 'Class', '2030-01-15', '2030-01-15')")
    cloned.keeper.execute(
        "insert into session_group_members (user_id, group_id, added_at) values ('usr_root', 'sgr_class', '2030-01-15')"
    )


@pytest.fixture
def unrecorded(cloned: ClonedDatabase) -> Iterator[None]:
    """The application may not write to the audit log."""
    cloned.keeper.execute("revoke insert on audit_log from ace_app")
    yield
    cloned.keeper.execute("grant insert on audit_log to ace_app")


@pytest.mark.parametrize("act", _ACTS.values(), ids=_ACTS.keys())
async def test_what_cannot_be_recorded_does_not_happen(
    admin: Administration, cloned: ClonedDatabase, unrecorded: None, act: Act
) -> None:
    await _fill(admin, cloned)
    before = cloned.keeper.execute(_STATE).fetchone()
    with pytest.raises(InsufficientPrivilege, match="audit_log"):
        await act(admin)
    assert cloned.keeper.execute(_STATE).fetchone() == before


@pytest.mark.parametrize("act", _ACTS.values(), ids=_ACTS.keys())
async def test_asvs_16_3_3_every_act_of_an_admin_is_recorded_once_and_without_a_secret(
    admin: Administration, cloned: ClonedDatabase, act: Act
) -> None:
    """The other half: with the right to write, the same acts happen, each with one row that tells no hash."""
    await _fill(admin, cloned)
    await act(admin)
    told = repr(await admin.act())
    assert "kept:" not in told
    assert "hash" not in told
