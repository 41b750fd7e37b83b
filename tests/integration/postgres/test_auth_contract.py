"""What every store of people and sessions keeps: the same suite on memory and on PostgreSQL."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from adapters.postgres.database import Database
from application.auth.opening import Grant, HeldTokens, Visit
from application.auth.ports import AuthWork, HeldSession
from application.auth.staying import Refreshed
from domain.auth.limits import Limit, LimitSource, WhenFull
from domain.auth.people import EmailTaken, Role, UsernameTaken, UserStatus
from domain.auth.refresh import RefreshToken, decode_token, digest
from domain.auth.sessions import Door, RefreshReused, Session, SessionEnd, SessionEnded, SessionLife
from domain.errors import DomainError
from tests.support.auth_builders import (
    EMAIL,
    NOW,
    PASSWORD,
    Auth,
    CountedTokens,
    a_new_user,
    a_session,
    a_user,
    auth_in_memory,
    auth_on_postgres,
)
from tests.support.postgres import SettableClock
from tests.support.session_limits import define_limit, join_group

TOKEN = bytes(range(32))
SUCCESSOR = bytes(range(32, 64))


@pytest.fixture
async def with_ada(auth: Auth) -> Auth:
    """Ada has an account and one session, whose refresh token is `TOKEN`."""
    await auth.add(a_user())
    await _open(auth, a_session(), TOKEN)
    return auth


async def _open(auth: Auth, session: Session, token: bytes) -> None:
    await auth.transact(lambda work: work.add_session(session, RefreshToken.first(session, token)))


async def _hold(work: AuthWork, token: bytes) -> HeldSession:
    held = await work.hold_session_of(digest(token))
    assert held is not None
    return held


async def test_a_person_comes_back_as_added(auth: Auth) -> None:
    user = a_user(email_verified_at=NOW, name="Zoë 王", username=None)
    await auth.add(user)
    assert await auth.transact(lambda work: work.hold_user("usr_ada")) == user
    assert await auth.reader.find_user_by_email("ADA@example.org") == user
    assert await auth.transact(lambda work: work.hold_user("usr_nobody")) is None
    assert await auth.reader.find_user_by_email("nobody@example.org") is None


@pytest.mark.parametrize("email", [EMAIL, "ADA@EXAMPLE.ORG"])
async def test_an_address_is_taken_in_any_case_while_its_owner_lives(auth: Auth, email: str) -> None:
    await auth.add(a_user())
    with pytest.raises(EmailTaken):
        await auth.add(a_user(id="usr_other", email=email, username=None))
    await auth.change_user("usr_ada", deleted_at=NOW)
    assert await auth.reader.find_user_by_email(EMAIL) is None
    assert await auth.reader.was_ever_registered(email)
    await auth.add(a_user(id="usr_other", email=email))
    found = await auth.reader.find_user_by_email(EMAIL)
    assert found is not None
    assert found.id == "usr_other"


async def test_a_username_is_taken_in_any_case_while_its_owner_lives(auth: Auth) -> None:
    await auth.add(a_user())
    other = a_user(id="usr_other", email="other@example.org", username="ADA")
    with pytest.raises(UsernameTaken):
        await auth.add(other)
    await auth.change_user("usr_ada", deleted_at=NOW)
    await auth.add(other)


async def test_a_password_hash_is_replaced_only_while_it_is_the_one_that_was_read(auth: Auth) -> None:
    await auth.add(a_user(password_hash="first"))
    assert await auth.transact(lambda work: work.replace_password_hash("usr_ada", "first", "second"))
    assert not await auth.transact(lambda work: work.replace_password_hash("usr_ada", "first", "third"))
    assert not await auth.transact(lambda work: work.replace_password_hash("usr_nobody", "first", "third"))
    user = await auth.transact(lambda work: work.hold_user("usr_ada"))
    assert user is not None
    assert user.password_hash == "second"


async def test_a_session_is_found_through_its_refresh_token(with_ada: Auth) -> None:
    held = await with_ada.transact(lambda work: work.hold_session_of(digest(TOKEN)))
    assert held is not None
    assert held.session == a_session()
    assert held.holder_may_use
    assert await with_ada.transact(lambda work: work.find_session_key(digest(TOKEN))) == ("usr_ada", "ses_ada")
    assert await with_ada.transact(lambda work: work.hold_session_of(digest(SUCCESSOR))) is None
    assert await with_ada.transact(lambda work: work.find_session_key(digest(SUCCESSOR))) is None


@pytest.mark.parametrize(
    "changes",
    [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}, {"role": Role.ADMIN}],
    ids=lambda each: next(iter(each)),
)
async def test_a_changed_person_may_not_use_the_session(with_ada: Auth, changes: dict[str, object]) -> None:
    await with_ada.change_user("usr_ada", **changes)
    held = await with_ada.transact(lambda work: work.hold_session_of(digest(TOKEN)))
    assert held is not None
    assert not held.holder_may_use
    standing = await with_ada.reader.read_standing("usr_ada", "ses_ada")
    assert standing is not None
    assert not standing.opens


async def test_rotation_spends_one_link_and_adds_its_successor(with_ada: Auth, clock: SettableClock) -> None:
    later = clock.advance(hours=1)
    first = RefreshToken.first(a_session(), TOKEN)
    spent, successor = first.spent(later, bytes(32)), first.successor(SUCCESSOR, later)
    prolonged = a_session().prolonged(later, SessionLife(idle=timedelta(days=7), absolute=timedelta(days=30)))
    await with_ada.transact(lambda work: work.rotate(spent, successor, prolonged))

    async def read(work: AuthWork) -> tuple[object, ...]:
        held = await work.hold_session_of(digest(SUCCESSOR))
        assert held is not None
        return (
            held.session,
            await work.read_chain(held.session, digest(TOKEN)),
            await work.read_chain(held.session, digest(SUCCESSOR)),
        )

    assert await with_ada.transact(read) == (prolonged, (spent, successor), (successor, successor))


async def test_a_session_ends_once_and_keeps_its_first_reason(with_ada: Auth, clock: SettableClock) -> None:
    async def end(reason: SessionEnd, audience: Role | None = None) -> bool:
        return await with_ada.transact(lambda work: work.end_session("usr_ada", "ses_ada", reason, audience))

    assert not await end(SessionEnd.REPLACED, Role.ADMIN)
    assert await end(SessionEnd.LOGOUT, Role.STUDENT)
    assert not await end(SessionEnd.LOGOUT_ALL)
    held = await with_ada.transact(lambda work: work.hold_session_of(digest(TOKEN)))
    assert held is not None
    assert (held.session.revoked_at, held.session.revoke_reason) == (clock.now(), "logout")
    standing = await with_ada.reader.read_standing("usr_ada", "ses_ada")
    assert standing is not None
    assert not standing.opens


async def test_only_live_sessions_of_the_person_are_ended_and_counted(with_ada: Auth, clock: SettableClock) -> None:
    await with_ada.add(a_user(id="usr_bob", email="bob@example.org", username=None))
    sessions = [
        a_session(id="ses_live"),
        a_session(id="ses_idle", idle_expires_at=NOW),
        a_session(id="ses_ended", revoked_at=NOW, revoke_reason="logout"),
        a_session(id="ses_bob", user_id="usr_bob"),
    ]
    for number, session in enumerate(sessions):
        await _open(with_ada, session, bytes([number]) * 32)
    assert await with_ada.transact(lambda work: work.end_sessions_of("usr_ada", SessionEnd.LOGOUT_ALL)) == 2
    bob = await with_ada.reader.read_standing("usr_bob", "ses_bob")
    assert bob is not None
    assert bob.opens


async def test_sessions_are_counted_through_a_refresh_token_while_they_live(with_ada: Auth) -> None:
    """Under every door and audience, and nobody else's."""
    await with_ada.add(a_user(id="usr_bob", email="bob@example.org", username=None))
    sessions = [
        a_session(id="ses_cookie", door=Door.COOKIE),
        a_session(id="ses_staff", audience=Role.INSTRUCTOR, sits_exam_until=NOW),
        a_session(id="ses_idle", idle_expires_at=NOW),
        a_session(id="ses_over", idle_expires_at=NOW, absolute_expires_at=NOW),
        a_session(id="ses_ended", revoked_at=NOW, revoke_reason="logout"),
        a_session(id="ses_bob", user_id="usr_bob"),
    ]
    for number, session in enumerate(sessions):
        await _open(with_ada, session, bytes([number]) * 32)
    live = await with_ada.transact(lambda work: work.live_sessions("usr_ada"))
    assert sorted(live, key=lambda session: session.id) == [a_session(), *sessions[:2]]
    for token, count in ((TOKEN, 3), (bytes([2]) * 32, 3), (bytes([5]) * 32, 1)):
        held = await with_ada.transact(partial(_hold, token=token))
        assert held.live_sessions == count


async def test_of_named_sessions_those_that_live_are_ended_and_counted(with_ada: Auth, clock: SettableClock) -> None:
    for number, session in enumerate([a_session(id="ses_other"), a_session(id="ses_idle", idle_expires_at=NOW)]):
        await _open(with_ada, session, bytes([number]) * 32)

    async def end(work: AuthWork) -> int:
        return await work.end_sessions("usr_ada", {"ses_ada", "ses_idle", "ses_nobody"}, SessionEnd.EVICTED)

    assert [await with_ada.transact(end), await with_ada.transact(end)] == [1, 0]
    live = await with_ada.transact(lambda work: work.live_sessions("usr_ada"))
    assert [session.id for session in live] == ["ses_other"]
    held = await with_ada.transact(lambda work: work.hold_session_of(digest(TOKEN)))
    assert held is not None
    assert (held.session.revoked_at, held.session.revoke_reason) == (clock.now(), "evicted")


async def test_every_limit_that_concerns_a_person_is_found_and_no_other(with_ada: Auth) -> None:
    deny = WhenFull.DENY
    await define_limit(with_ada, LimitSource.USER, "usr_ada", 7)
    await define_limit(with_ada, LimitSource.ROLE, "student", 5, deny)
    await define_limit(with_ada, LimitSource.GROUP, "grp_1", 4, deny)
    for source, subject in ((LimitSource.USER, "usr_bob"), (LimitSource.ROLE, "admin"), (LimitSource.GROUP, "grp_2")):
        await define_limit(with_ada, source, subject, 1)
    for group in ("grp_1", "grp_without_limit"):
        await join_group(with_ada, "usr_ada", group)
    found = await with_ada.transact(lambda work: work.limits_of("usr_ada", Role.STUDENT))
    assert {(each.source, each.subject_id): each.limit for each in found} == {
        (LimitSource.USER, "usr_ada"): Limit(max_sessions=7),
        (LimitSource.ROLE, "student"): Limit(max_sessions=5, when_full=deny),
        (LimitSource.GROUP, "grp_1"): Limit(max_sessions=4, when_full=deny),
    }
    await define_limit(with_ada, LimitSource.USER, "usr_ada", None)
    assert len(await with_ada.transact(lambda work: work.limits_of("usr_ada", Role.STUDENT))) == 2


async def test_standing_and_profile_tell_what_is_kept(with_ada: Auth, clock: SettableClock) -> None:
    standing = await with_ada.reader.read_standing("usr_ada", "ses_ada")
    assert standing is not None
    assert standing.opens
    assert (standing.now, standing.audience, standing.role) == (clock.now(), Role.STUDENT, Role.STUDENT)
    profile = await with_ada.reader.read_profile("usr_ada", "ses_ada")
    assert profile is not None
    assert (profile.person.email, profile.person.email_verified) == (EMAIL, False)
    assert profile.session.expires_at == a_session().idle_expires_at
    for key in (("usr_ada", "ses_other"), ("usr_other", "ses_ada")):
        assert await with_ada.reader.read_standing(*key) is None
        assert await with_ada.reader.read_profile(*key) is None


async def test_a_refused_unit_leaves_nothing_behind(auth: Auth) -> None:
    async def refused(work: AuthWork) -> None:
        await work.add_user(a_user())
        await work.add_session(a_session(), RefreshToken.first(a_session(), TOKEN))
        raise SessionEnded

    with pytest.raises(SessionEnded):
        await auth.transact(refused)
    assert await auth.reader.find_user_by_email(EMAIL) is None


async def test_a_whole_life_of_a_session(auth: Auth, clock: SettableClock) -> None:
    """Register, refresh, sign in anew over the old cookies, be noticed by reuse, sign out everywhere."""
    first = await auth.register(name="Ada")
    clock.advance(minutes=14)
    refreshed = await auth.refresh(Role.STUDENT, first.refresh_token)
    held = HeldTokens(access=refreshed.access_token, refresh=refreshed.refresh_token)
    second = await auth.enter(visit=Visit(portal=Role.STUDENT, held=held))
    for token in (first.refresh_token, refreshed.refresh_token):
        with pytest.raises(SessionEnded):
            await auth.refresh(Role.STUDENT, token)
    third = await auth.enter()
    await auth.refresh(Role.STUDENT, third.refresh_token)
    clock.advance(seconds=11)
    with pytest.raises(RefreshReused):
        await auth.refresh(Role.STUDENT, third.refresh_token)
    assert await auth.audited() == ["session.refresh_reused"]
    with pytest.raises(SessionEnded):
        await auth.authenticate(third.access_token)
    actor = await auth.authenticate(second.access_token)
    assert await auth.sign_out_everywhere(actor) == 1
    with pytest.raises(SessionEnded):
        await auth.authenticate(second.access_token)


async def test_an_account_made_by_an_operator_is_audited_with_it(auth: Auth) -> None:
    assert await auth.ensure_user(a_new_user())
    assert not await auth.ensure_user(a_new_user())
    assert await auth.audited() == ["user.created"]


async def test_reuse_is_committed_before_it_is_refused(auth: Auth, clock: SettableClock) -> None:
    """The refusal comes after the unit of work: what it wrote outlives it."""
    grant = await auth.register()
    await auth.refresh(Role.STUDENT, grant.refresh_token)
    clock.advance(seconds=11)
    with pytest.raises(RefreshReused):
        await auth.refresh(Role.STUDENT, grant.refresh_token)
    held = await auth.transact(lambda work: work.hold_session_of(digest(decode_token(grant.refresh_token))))
    assert held is not None
    assert held.session.revoke_reason == "refresh_reused"


@pytest.mark.parametrize("seed", range(6))
async def test_both_stores_answer_one_history_alike(seed: int, database: Database) -> None:
    """Forty random acts on memory and on PostgreSQL: the same answers, the same chains, the same record."""
    clock, chance = SettableClock(), random.Random(seed)
    memory = auth_in_memory(clock=clock, source=CountedTokens())
    postgres = auth_on_postgres(database, clock, source=CountedTokens())
    for store in (memory, postgres):
        await store.add(a_user(password_hash="kept:" + PASSWORD))
    first = (await memory.enter(), await postgres.enter())
    known, sessions = [first[0].refresh_token], {(first[0].session.id, first[1].session.id)}
    for _ in range(40):
        clock.advance(seconds=chance.choice([0, 1, 9, 11, 3_600, 86_400]))
        act, token = chance.choice(["refresh"] * 6 + ["enter", "leave"]), chance.choice(known[-4:])
        answers = [await _told(store, act, token) for store in (memory, postgres)]
        assert answers[0][:3] == answers[1][:3]
        if answers[0][0] == "granted" and answers[0][1] not in known:
            known.append(str(answers[0][1]))
            sessions.add((str(answers[0][-1]), str(answers[1][-1])))
    for ours, theirs in sessions:
        assert await memory.tokens_of(ours) == await postgres.tokens_of(theirs)
    assert list(await memory.audited()) == list(await postgres.audited())


async def _told(store: Auth, act: str, token: str) -> tuple[object, ...]:
    """What one act answered without signatures; the session's id, which must differ, comes last."""
    try:
        if act == "leave":
            return "left", await store.sign_out(HeldTokens(refresh=token))
        granted: Grant | Refreshed = await store.enter() if act == "enter" else await store.refresh(Role.STUDENT, token)
    except DomainError as refusal:
        return "refused", refusal.code
    return "granted", granted.refresh_token, replace(granted.session, id=""), granted.session.id
