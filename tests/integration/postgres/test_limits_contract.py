"""What every store of session limits and groups keeps, on memory and on PostgreSQL; reads and races on PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from adapters.postgres.admin import PostgresLimitReader, PostgresTurnover, limits
from adapters.postgres.database import Database
from application.admin.groups import GroupChange, LimitChange, NewGroup
from application.admin.limit_ports import GroupWork, LimitSubject
from application.admin.limits import LimitOrder
from domain.auth.limits import (
    Limit,
    LimitSource,
    SessionGroup,
    SessionGroupNameTaken,
    SessionGroupNotFound,
    WhenFull,
)
from domain.auth.people import Role
from domain.auth.sessions import SessionEnd
from domain.errors import StoreRejectedInput
from tests.support.admin_builders import ROOT
from tests.support.auth_builders import NOW, STUDENT_VISIT
from tests.support.limit_builders import (
    STUDENTS,
    LimitOffice,
    OfficeOnPostgres,
    a_limit,
    an_order,
    office_in_memory,
    office_on_postgres,
)
from tests.support.postgres import SettableClock


@pytest.fixture
def on_postgres(database: Database, clock: SettableClock) -> OfficeOnPostgres:
    return office_on_postgres(database, clock)


@pytest.fixture(params=["memory", "postgres"])
def office(request: pytest.FixtureRequest, clock: SettableClock) -> LimitOffice:
    if request.param == "memory":
        return office_in_memory(clock)
    office: OfficeOnPostgres = request.getfixturevalue("on_postgres")
    return office


@pytest.fixture
def reader(database: Database) -> PostgresLimitReader:
    return PostgresLimitReader(database)


@pytest.mark.parametrize("subject", [LimitSubject.user("usr_x"), LimitSubject.group("sgr_x"), STUDENTS])
async def test_a_limit_comes_back_as_defined(office: LimitOffice, subject: LimitSubject) -> None:
    strict = a_limit(1, denies=True)
    assert await office.limit_of(subject) is None
    assert await office.transact(lambda work: work.add_limit(subject, strict))
    assert not await office.transact(lambda work: work.add_limit(subject, a_limit(9)))
    assert await office.limit_of(subject) == strict
    await office.transact(lambda work: work.save_limit(subject, a_limit(100)))
    assert await office.limit_of(subject) == a_limit(100)
    await office.transact(lambda work: work.drop_limit(subject))
    assert await office.limit_of(subject) is None
    await office.transact(lambda work: work.save_limit(subject, strict))
    assert await office.limit_of(subject) == strict


async def test_the_candidates_of_a_person_are_those_that_sign_ins_go_by(office: LimitOffice) -> None:
    user_id = await office.admit("ada")
    await office.admit("bob")
    for name, limit in (("Wide", a_limit(9)), ("Mild", a_limit(2)), ("Hard", a_limit(2, denies=True)), ("None", None)):
        await office.found_group("ada", called=name, limit=limit)
    await office.set_role_limit(ROOT, Role.STUDENT, an_order(7))
    limits = await office.limits_of(user_id)
    assert [group.name for group in limits.groups] == ["Hard", "Mild", "Wide"]
    assert (limits.own, limits.role) == (None, a_limit(7))
    assert limits.effective.limit == a_limit(2, denies=True)
    assert (await office.limits_of("usr_bob")).effective.source is LimitSource.ROLE
    limits, _ = await office.set_user_limit(ROOT, user_id, an_order(50))
    assert limits.effective.limit == a_limit(50)
    assert await office.transact(lambda work: work.user_limits("usr_nobody")) is None


async def test_a_group_lives_and_dies(office: LimitOffice, clock: SettableClock) -> None:
    user_id = await office.admit("ada")
    group = await office.found_group("ada", called="École", limit=a_limit(2))
    with pytest.raises(SessionGroupNameTaken):
        await office.create_group(ROOT, NewGroup(name="ÉCOLE"))
    clock.advance(days=1)
    changed, _ = await office.change_group(ROOT, group.id, GroupChange(name="Evening"))
    assert (changed.member_count, changed.created_at, changed.updated_at) == (1, NOW, clock.now())
    assert await office.transact(lambda work: work.count_members(group.id)) == 1
    member = await office.transact(lambda work: work.find_member(group.id, user_id))
    assert member is not None
    assert (member.email, member.role, member.added_at) == ("ada@example.org", Role.STUDENT, NOW)
    await office.delete_group(ROOT, group.id)
    assert await office.transact(lambda work: work.hold_group(group.id)) is None
    assert await office.transact(lambda work: work.find_member(group.id, user_id)) is None
    assert await office.limit_of(LimitSubject.group(group.id)) is None
    assert await office.acts() == [
        "session_group.created",
        "session_group.member_added",
        "session_group.changed",
        "session_group.deleted",
    ]


async def test_only_live_sessions_make_a_crowd(office: LimitOffice) -> None:
    """Four are there and three are allowed; one that ran out or was ended is not counted."""
    await office.admit("ada", sessions=4)
    assert await office.transact(lambda work: work.crowded(STUDENTS, None, 9)) == ["usr_ada"]
    await office.transact(lambda work: work.end_session("usr_ada", "ses_ada_0", SessionEnd.LOGOUT))
    assert list(await office.transact(lambda work: work.crowded(STUDENTS, None, 9))) == []


async def test_enforcement_goes_on_in_jobs_until_nobody_is_left(office: LimitOffice) -> None:
    office.batch = 2
    for number in range(5):
        await office.admit(f"p{number}", sessions=3, exams=[0])
    group = await office.found_group(*(f"p{number}" for number in range(5)))
    change = GroupChange(limit=LimitChange(max_sessions=1), enforce_now=True)
    _, enforced = await office.change_group(ROOT, group.id, change)
    assert (enforced.revoked, enforced.complete) == (4, False)
    await office.work_off()
    assert [await office.live(f"p{number}") for number in range(5)] == [{"0"}] * 5


@pytest.mark.parametrize("seed", range(5))
async def test_both_stores_find_the_same_crowd(seed: int, on_postgres: OfficeOnPostgres, clock: SettableClock) -> None:
    """The statement decides for many as the rule does for one, whoever defines what."""
    memory = office_in_memory(clock)
    for store in (memory, on_postgres):
        await _populate(store, random.Random(seed))
    subjects = [STUDENTS, LimitSubject.role(Role.INSTRUCTOR), *(LimitSubject.group(f"sgr_{n}") for n in range(3))]
    found = []
    for subject in subjects:
        for after, limit in ((None, 100), (None, 3), ("usr_p3", 100)):
            asked = [
                list(await store.transact(lambda work, a=(subject, after, limit): work.crowded(*a)))  # type: ignore[misc]
                for store in (memory, on_postgres)
            ]
            assert asked[0] == asked[1]
            found += asked[0]
    assert found


async def _populate(office: LimitOffice, chance: random.Random) -> None:
    def some_limit() -> Limit:
        return Limit(max_sessions=chance.randint(1, 5), when_full=chance.choice(list(WhenFull)))

    names = [f"p{number}" for number in range(8)]
    for name in names:
        await office.admit(name, sessions=chance.randint(0, 6), role=chance.choice([Role.STUDENT, Role.INSTRUCTOR]))

    async def define(work: GroupWork) -> None:
        for number in range(3):
            group = f"sgr_{number}"
            await work.add_group(SessionGroup(id=group, name=group, created_at=NOW, updated_at=NOW))
            for name in chance.sample(names, 4):
                await work.add_member(group, f"usr_{name}", NOW)
        subjects = [LimitSubject.group(f"sgr_{number}") for number in range(3)]
        subjects += [LimitSubject.user(f"usr_{name}") for name in chance.sample(names, 3)] + [STUDENTS]
        for subject in chance.sample(subjects, 5):
            await work.add_limit(subject, some_limit())

    await office.transact(define)


async def test_groups_are_read_page_by_page(on_postgres: OfficeOnPostgres, reader: PostgresLimitReader) -> None:
    await on_postgres.admit("ada")
    made = [await on_postgres.found_group("ada", called=f"Class {n}", limit=a_limit(n)) for n in (1, 2, 3)]
    made.append(await on_postgres.found_group(called="Empty"))
    first = await reader.groups(after=None, limit=3)
    rest = await reader.groups(after=first[-1].id, limit=3)
    assert [group.id for group in (*first, *rest)] == [group.id for group in made]
    assert [(group.limit, group.member_count) for group in (*first, *rest)] == [
        (a_limit(1), 1),
        (a_limit(2), 1),
        (a_limit(3), 1),
        (None, 0),
    ]
    mine = await reader.groups_of("usr_ada", after=made[0].id, limit=9)
    assert mine is not None
    assert [group.name for group in mine] == ["Class 2", "Class 3"]
    assert [group.member_count for group in mine] == [1, 1]


async def test_members_are_read_page_by_page_deleted_ones_too(
    on_postgres: OfficeOnPostgres, reader: PostgresLimitReader
) -> None:
    names = [f"p{number}" for number in range(5)]
    for name in names:
        await on_postgres.admit(name)
    group = await on_postgres.found_group(*names)
    await on_postgres.auth.change_user("usr_p1", deleted_at=NOW)
    first = await reader.members(group.id, after=None, limit=3)
    assert first is not None
    rest = await reader.members(group.id, after=first[-1].user_id, limit=3)
    assert [member.user_id for member in (*first, *(rest or ()))] == [f"usr_{name}" for name in names]
    assert [member.deleted_at for member in first] == [None, NOW, None]
    (listed,) = await reader.groups(after=None, limit=9)
    assert listed.member_count == 5


async def test_empty_is_not_unknown(on_postgres: OfficeOnPostgres, reader: PostgresLimitReader) -> None:
    user_id, group = await on_postgres.admit("ada"), await on_postgres.found_group()
    assert await reader.members(group.id, after=None, limit=9) == ()
    assert await reader.members("sgr_none", after=None, limit=9) is None
    assert await reader.groups_of(user_id, after=None, limit=9) == ()
    assert await reader.groups_of("usr_none", after=None, limit=9) is None
    assert await reader.user_limits("usr_none") is None
    assert await reader.role_limit(Role.STUDENT) is None
    await on_postgres.set_role_limit(ROOT, Role.STUDENT, an_order(4))
    assert await reader.role_limit(Role.STUDENT) == a_limit(4)
    found = await reader.user_limits(user_id)
    assert found is not None
    assert found.effective.limit == a_limit(4)


@pytest.mark.parametrize("whose", list(LimitSource)[:3])
async def test_a_storm_of_sign_ins_ends_within_a_limit_that_is_lowered_meanwhile(
    on_postgres: OfficeOnPostgres, whose: LimitSource
) -> None:
    for round_ in range(4):
        name = f"ada{round_}"
        user_id = await on_postgres.admit(name, sessions=2)
        group = await on_postgres.found_group(name, called=name)
        lowering = _lower_to_two(on_postgres, whose, user_id, group.id)
        await asyncio.gather(*(on_postgres.enter(user_id) for _ in range(4)), lowering)
        assert len(await on_postgres.live(name)) <= 2
        await on_postgres.set_role_limit(ROOT, Role.STUDENT, an_order(None))


async def _lower_to_two(office: OfficeOnPostgres, whose: LimitSource, user_id: str, group_id: str) -> None:
    if whose is LimitSource.USER:
        await office.set_user_limit(ROOT, user_id, an_order(2, now=True))
    elif whose is LimitSource.ROLE:
        await office.set_role_limit(ROOT, Role.STUDENT, an_order(2, now=True))
    else:
        change = GroupChange(limit=LimitChange(max_sessions=2), enforce_now=True)
        await office.change_group(ROOT, group_id, change)


async def test_a_sign_in_that_read_the_old_limit_is_counted(on_postgres: OfficeOnPostgres, database: Database) -> None:
    """It has seen that three are allowed, two are there, and is about to add the third when the limit becomes two."""
    user_id = await on_postgres.admit("ada", sessions=2)
    has_read, may_go_on = asyncio.Event(), asyncio.Event()

    async def enter_slowly(work: GroupWork) -> None:
        user = await work.hold_user(user_id)
        assert user is not None
        await on_postgres.auth.open_session(work, user, STUDENT_VISIT)
        has_read.set()
        await may_go_on.wait()

    entering = asyncio.create_task(on_postgres.transact(enter_slowly))
    await has_read.wait()
    lowering = asyncio.create_task(on_postgres.set_role_limit(ROOT, Role.STUDENT, an_order(2, now=True)))
    await _until_defined(on_postgres)
    may_go_on.set()
    await entering
    assert (await lowering).revoked == 1
    assert len(await on_postgres.live("ada")) == 2


async def test_a_sign_in_that_begins_before_the_limit_is_committed_is_counted(on_postgres: OfficeOnPostgres) -> None:
    """It is younger than the unit that lowers the limit, has not seen what that wrote, and outlasts it."""
    user_id = await on_postgres.admit("ada", sessions=2)
    has_set, has_read, may_go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def lower(work: GroupWork) -> None:
        await work.save_limit(STUDENTS, a_limit(2))
        has_set.set()
        await has_read.wait()

    async def enter_slowly(work: GroupWork) -> None:
        user = await work.hold_user(user_id)
        assert user is not None
        await on_postgres.auth.open_session(work, user, STUDENT_VISIT)
        has_read.set()
        await may_go_on.wait()

    lowering = asyncio.create_task(on_postgres.transact(lower))
    await has_set.wait()
    entering = asyncio.create_task(on_postgres.transact(enter_slowly))
    await lowering
    enforcing = asyncio.create_task(on_postgres.enforce(ROOT, STUDENTS))
    await asyncio.wait((enforcing,), timeout=0.1)
    may_go_on.set()
    await entering
    assert (await enforcing).revoked == 1
    assert len(await on_postgres.live("ada")) == 2


async def _until_defined(office: OfficeOnPostgres) -> None:
    async with asyncio.timeout(30):
        while await office.limit_of(STUDENTS) is None:
            await asyncio.sleep(0.005)


async def test_what_is_under_way_is_waited_for_but_not_for_ever(
    on_postgres: OfficeOnPostgres, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = await on_postgres.admit("ada")
    is_held, may_end = asyncio.Event(), asyncio.Event()

    async def last(work: GroupWork) -> None:
        await work.hold_user(user_id)
        is_held.set()
        await may_end.wait()

    lasting = asyncio.create_task(on_postgres.transact(last))
    await is_held.wait()
    waiting = asyncio.create_task(PostgresTurnover(database)())
    await asyncio.wait((waiting,), timeout=0.1)
    assert not waiting.done()
    monkeypatch.setattr(limits, "_LOOKS", 2)
    await PostgresTurnover(database)()
    assert not lasting.done()
    may_end.set()
    await asyncio.gather(lasting, waiting)


async def test_of_several_that_define_one_limit_each_tells_what_it_found(on_postgres: OfficeOnPostgres) -> None:
    """Every row begins where another ended: none has overlooked one that came in between."""
    orders = [an_order(number) for number in range(1, 7)]
    await asyncio.gather(*(on_postgres.set_role_limit(ROOT, Role.STUDENT, order) for order in orders))
    rows = [((row.before or {})["limit"], (row.after or {})["limit"]) for row in await on_postgres.audited()]
    begun, ended = Counter(before for before, _ in rows), Counter(after for _, after in rows)
    final = await on_postgres.limit_of(STUDENTS)
    assert final is not None
    assert len(rows) == 6
    assert begun + Counter([final.max_sessions]) == ended + Counter([None])


async def test_of_ten_that_add_the_same_person_one_does(on_postgres: OfficeOnPostgres) -> None:
    user_id, group = await on_postgres.admit("ada"), await on_postgres.found_group()
    added = await asyncio.gather(*(on_postgres.add_member(ROOT, group.id, user_id) for _ in range(10)))
    assert Counter(each.created for each in added) == {True: 1, False: 9}
    assert len({each.member for each in added}) == 1
    assert (await on_postgres.acts()).count("session_group.member_added") == 1


async def test_a_group_that_is_deleted_takes_late_comers_with_it(on_postgres: OfficeOnPostgres) -> None:
    names = [f"p{number}" for number in range(6)]
    for name in names:
        await on_postgres.admit(name)
    group = await on_postgres.found_group()
    answers = await asyncio.gather(
        *(on_postgres.add_member(ROOT, group.id, f"usr_{name}") for name in names[:3]),
        on_postgres.delete_group(ROOT, group.id),
        *(on_postgres.add_member(ROOT, group.id, f"usr_{name}") for name in names[3:]),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(refusal, SessionGroupNotFound) for refusal in refused)
    assert await on_postgres.transact(lambda work: work.count_members(group.id)) == 0


async def test_a_limit_that_cannot_be_recorded_is_not_set(on_postgres: OfficeOnPostgres) -> None:
    """The change and its record are one unit of work."""
    order = LimitOrder(limit=a_limit(2), reason="a reason with \0 in it")
    with pytest.raises(StoreRejectedInput):
        await on_postgres.set_role_limit(ROOT, Role.STUDENT, order)
    assert await on_postgres.limit_of(STUDENTS) is None
    assert await on_postgres.acts() == []
