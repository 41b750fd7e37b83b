"""Any history of sign-ins, refreshes, thefts, revocations and changed limits: both stores do what the model says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from adapters.postgres.database import Database
from application.auth.opening import Grant, HeldTokens, Visit
from application.auth.ports import AuthWork
from application.auth.staying import Refreshed
from domain.auth.limits import LimitSource, WhenFull
from domain.auth.people import Actor, Role, UserStatus
from domain.auth.sessions import RefreshInvalid, SessionEnd, SessionEnded
from domain.errors import DomainError
from tests.support.auth_builders import Auth, CountedTokens, a_user, auth_in_memory, auth_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.session_limits import define_limit, join_group
from tests.support.session_model import POLICY, ROTATED, Person

_SESSIONS = """
    select audience, last_seen_at, idle_expires_at, absolute_expires_at, revoked_at, revoke_reason
    from auth_sessions order by id
"""
_CHAINS = """
    select generation, token_hash, issued_at, used_at, successor_masked
    from auth_refresh_tokens order by session_id, generation
"""
# Mostly short, so that sessions meet; backwards a little, as clocks are set.
_SECONDS = [1, 9, 10, 11, 899, 904, 905, -1, -5, -6]
_WHICH = st.integers(0, 3)
_SUBJECTS = [
    *[(LimitSource.USER, "usr_ada")] * 2,
    (LimitSource.GROUP, "grp_1"),
    (LimitSource.GROUP, "grp_2"),
    (LimitSource.ROLE, "student"),
    (LimitSource.ROLE, "instructor"),
]


class Together:
    """Memory and PostgreSQL with one clock, on one event loop, for all examples."""

    def __init__(self, runner: asyncio.Runner, cloned: ClonedDatabase, database: Database) -> None:
        self.runner, self.cloned, self.database = runner, cloned, database


class Sessions(RuleBasedStateMachine):
    """One person, whose every session is known by its place in the order of sign-ins."""

    def __init__(self, together: Together) -> None:
        super().__init__()
        together.cloned.empty()
        self.runner, self.keeper = together.runner, together.cloned.keeper
        self.clock = SettableClock()
        self.memory = auth_in_memory(clock=self.clock, source=CountedTokens(), policy=POLICY)
        self.postgres = auth_on_postgres(together.database, self.clock, source=CountedTokens(), policy=POLICY)
        self.person = Person(clock=self.clock)
        self.grants: list[tuple[Grant, Grant]] = []
        self.access: list[tuple[str, str]] = []
        self.both(lambda store, _: store.add(a_user()))
        for _ in range(3):
            self.come()
            self.clock.advance(seconds=1)
            self.present(0, 0, 1)

    # What happens.

    @rule()
    def come(self) -> None:
        """What registration ends with; nothing is throttled."""
        if self.person.active:
            self.enter(self.person.role, None, self.open_session)

    @rule(portal=st.sampled_from([Role.STUDENT, Role.STUDENT, Role.INSTRUCTOR]), held=_WHICH)
    def sign_in_again(self, portal: Role, held: int) -> None:
        """From a browser that still has the tokens of one of the last sessions."""
        self.enter(portal, self.place(held), lambda store, visit: store.enter(visit=visit))

    def enter(self, portal: Role, back: int | None, how: Callable[[Auth, Visit], Awaitable[Grant]]) -> None:
        expected = self.person.sign_in(portal, None if back is None else self.person.desks[back])

        def enter(store: Auth, side: int) -> Awaitable[Grant]:
            tokens = HeldTokens() if back is None else HeldTokens(access=self.access[back][side])
            return how(store, Visit(portal=portal, held=tokens))

        ours, theirs = self.both(enter)
        if isinstance(ours, Grant):
            assert ours.evicted_sessions == expected
            self.grants.append((ours, theirs))
            self.access.append((ours.access_token, theirs.access_token))
            self.person.desks[-1].tokens.append(ours.refresh_token)
        else:
            assert ours == expected
            self.forget_failures()

    async def open_session(self, store: Auth, visit: Visit) -> Grant:
        async def enter(work: AuthWork) -> Grant:
            user = await work.hold_user("usr_ada")
            assert user is not None
            return await store.open_session(work, user, visit)

        return await store.transact(enter)

    @precondition(lambda self: self.person.live)
    @rule(which=_WHICH, tabs=st.sampled_from([1, 1, 3]))
    def refresh(self, which: int, tabs: int) -> None:
        """With the newest token; sometimes in three tabs at the same moment."""
        self.present(which, 0, tabs)

    @rule(which=_WHICH, back=st.integers(0, 3), tabs=st.sampled_from([1, 1, 3]))
    def refresh_with_an_earlier_token(self, which: int, back: int, tabs: int) -> None:
        """As a tab that lost the reply would, or a thief."""
        self.present(which, back, tabs)

    def present(self, which: int, back: int, tabs: int) -> None:
        place = self.place(which)
        desk = self.person.desks[place]
        index = max(0, len(desk.tokens) - 1 - back)
        token, portal = desk.tokens[index], desk.audience
        expected = self.person.refresh(desk, portal, index)

        async def ask(store: Auth, _: int) -> list[Any]:
            return await asyncio.gather(*(told(store.refresh(portal, token)) for _ in range(tabs)))

        answers = self.both(ask)
        for one in answers:
            self.check_refreshed(place, one, expected)
        if isinstance(answers[0][0], Refreshed):
            self.access[place] = answers[0][0].access_token, answers[1][0].access_token
            desk.access_at = self.clock.now()

    def check_refreshed(self, place: int, answers: list[Any], expected: str) -> None:
        desk = self.person.desks[place]
        granted = {answer.refresh_token for answer in answers if isinstance(answer, Refreshed)}
        if expected == ROTATED and len(desk.tokens) == len(desk.used_at):
            assert len(granted) == 1
            assert granted.isdisjoint(desk.tokens)
            desk.tokens.append(*granted)
        elif granted:
            assert granted == {desk.tokens[-1]}
            assert expected in (ROTATED, desk.tokens[-1])
        else:
            rest = [SessionEnded.code if desk.ended_for else expected] * (len(answers) - 1)
            assert Counter(answers) == Counter([expected, *rest])

    @rule(which=_WHICH)
    def show_tokens(self, which: int) -> None:
        """The access token to any route, the refresh token at a portal where it is good for nothing."""
        place = self.place(which)
        token = self.person.desks[place].tokens[-1]
        assert self.both(lambda store, _: store.refresh(Role.ADMIN, token))[0] == RefreshInvalid.code
        answer, _ = self.both(lambda store, side: store.authenticate(self.access[place][side]))
        expected = self.person.open(self.person.desks[place])
        assert (None if isinstance(answer, Actor) else answer) == expected

    @precondition(lambda self: len(self.person.live) > 1)
    @rule(which=_WHICH, by_admin=st.booleans())
    def end_one(self, which: int, by_admin: bool) -> None:
        place = self.place(which)
        desk = self.person.desks[place]

        async def end(store: Auth, side: int) -> bool:
            if not by_admin:
                return bool(await store.sign_out(HeldTokens(refresh=desk.tokens[0])))
            key = "usr_ada", self.grants[place][side].session.id
            return await store.transact(lambda work: work.end_session(*key, SessionEnd.ADMIN_REVOKED))

        assert self.both(end)[0] == self.person.end(desk, "admin_revoked" if by_admin else "logout")

    @precondition(lambda self: len(self.person.live) != 1)
    @rule(change=st.sampled_from(["sign out", "sign out", "disable", "enable", "student", "instructor"]))
    def end_all(self, change: str) -> None:
        if change != "sign out":
            self.change_the_person(change)
            return
        actor = Actor(user_id="usr_ada", role=self.person.role, session_id="")
        assert self.both(lambda store, _: store.sign_out_everywhere(actor))[0] == self.person.end_all("logout_all")

    def change_the_person(self, change: str) -> None:
        """As an administrator does, which ends the sessions with it."""
        person, before = self.person, (self.person.active, self.person.role)
        person.active = change != "disable" and (person.active or change == "enable")
        person.role = Role(change) if change in set(Role) else person.role
        if (person.active, person.role) == before:
            return
        reason = SessionEnd.DISABLED if change == "disable" else SessionEnd.ROLE_CHANGED
        status = UserStatus.ACTIVE if person.active else UserStatus.DISABLED

        async def save(work: AuthWork) -> int:
            user = await work.hold_user("usr_ada")
            assert user is not None
            await work.save_user(replace(user, role=person.role, status=status))
            return await work.end_sessions_of("usr_ada", reason)

        assert self.both(lambda store, _: store.transact(save))[0] == person.end_all(reason)

    @rule(
        subject=st.sampled_from(_SUBJECTS),
        most=st.sampled_from([None, 1, 2, 2, 3, 4]),
        when_full=st.sampled_from(WhenFull),
    )
    def limit(self, subject: tuple[LimitSource, str], most: int | None, when_full: WhenFull) -> None:
        self.both(lambda store, _: define_limit(store, *subject, most, when_full))
        self.person.limits.pop(subject, None)
        if most is not None:
            self.person.limits[subject] = most, when_full is WhenFull.DENY

    @rule(group=st.sampled_from(["grp_1", "grp_2"]))
    def join(self, group: str) -> None:
        if group not in self.person.groups:
            self.person.groups.add(group)
            self.both(lambda store, _: join_group(store, "usr_ada", group))

    @rule(seconds=st.sampled_from(_SECONDS))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(minutes=st.sampled_from([20, 35, 35, 60]))
    def wait_long(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    # What holds after each step.

    @invariant()
    def both_stores_hold_the_same(self) -> None:
        sessions, tokens = self.memory.store.tables["auth_sessions"], self.memory.store.tables["auth_refresh_tokens"]
        ours = [
            (s.audience, s.last_seen_at, s.idle_expires_at, s.absolute_expires_at, s.revoked_at, s.revoke_reason)
            for _, s in sorted(sessions.items())
        ]
        assert self.keeper.execute(_SESSIONS).fetchall() == ours
        chains = [
            (t.generation, t.token_hash, t.issued_at, t.used_at, t.successor_masked) for _, t in sorted(tokens.items())
        ]
        assert self.keeper.execute(_CHAINS).fetchall() == chains

    @invariant()
    def every_session_is_as_the_model_says(self) -> None:
        """So nothing that ended lives again, and the absolute end never moves."""
        found = [session for _, session in sorted(self.memory.store.tables["auth_sessions"].items())]
        told = [(s.audience, s.last_seen_at, s.idle_expires_at, s.absolute_expires_at, s.revoke_reason) for s in found]
        desks = self.person.desks
        assert told == [(d.audience, d.seen, d.idle_until, d.absolute, d.ended_for) for d in desks]

    @invariant()
    def a_session_has_one_unused_token_and_one_mask_at_most(self) -> None:
        for desk, (grant, _) in zip(self.person.desks, self.grants, strict=True):
            links = self.memory.store.tables["auth_refresh_tokens"].values()
            chain = [link for link in links if link.session_id == grant.session.id]
            assert len(chain) == len(desk.tokens)
            assert sum(link.used_at is None for link in chain) == 1
            assert sum(link.successor_masked is not None for link in chain) == min(1, len(chain) - 1)

    @invariant()
    def every_theft_is_on_record_once(self) -> None:
        assert len(self.memory.store.audit_log) == self.person.reuses

    # How it is asked.

    def place(self, which: int) -> int:
        """The live sessions first, the newest of them first of all."""
        now, desks = self.clock.now(), self.person.desks
        order = sorted(range(len(desks)), key=lambda place: (not desks[place].lives(now), -place))
        return order[min(which, len(order) - 1)]

    def both(self, act: Callable[[Auth, int], Awaitable[Any]]) -> tuple[Any, Any]:
        """What both stores answer; apart from ids and signatures it is the same."""
        stores: list[Auth] = [self.memory, self.postgres]
        ours, theirs = [self.runner.run(told(act(store, side))) for side, store in enumerate(stores)]
        assert comparable(ours) == comparable(theirs)
        return ours, theirs

    def forget_failures(self) -> None:
        """The lockout has a model of its own."""
        self.memory.store.tables["attempt_counters"].clear()
        self.keeper.execute("delete from attempt_counters")


async def told(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except DomainError as refusal:
        return refusal.code


def comparable(answer: Any) -> Any:
    if isinstance(answer, list):
        return Counter(map(comparable, answer))
    if isinstance(answer, Grant | Refreshed):
        return answer.refresh_token, replace(answer.session, id="")
    return replace(answer, session_id="") if isinstance(answer, Actor) else answer


@pytest.fixture
def together(cloned: ClonedDatabase) -> Iterator[Together]:
    with asyncio.Runner() as runner:
        database = Database(cloned.urls.app, pool_min=3, pool_max=3)
        runner.run(database.open())
        yield Together(runner, cloned, database)
        runner.run(database.close())


def test_sessions_do_what_the_model_says_on_both_stores(together: Together) -> None:
    class Here(Sessions):
        def __init__(self) -> None:
            super().__init__(together)

    run_state_machine_as_test(Here, settings=settings(stateful_step_count=25))
