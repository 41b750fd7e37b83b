"""Sessions of the cookie door: what every store keeps of them, and what their secret opens; on both stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.auth.cookie_sessions import is_secret, key_of, secret_hash
from domain.auth.people import Actor, Role, UserStatus
from domain.auth.refresh import RefreshToken, decode_token, digest, encode_token
from domain.auth.sessions import Door, RefreshInvalid, Session, SessionEnd, SessionEnded
from tests.support.auth_builders import NOW, Auth, a_session, a_user
from tests.support.cookie_sessions import CookieDoor
from tests.support.postgres import SettableClock

SECRET = "Abcdefghijklmnopqrstuvwxyz012345"
DAY = timedelta(days=1)
MINUTES = timedelta(minutes=15)


@pytest.fixture
def door(auth: Auth) -> CookieDoor:
    return CookieDoor(auth=auth)


@pytest.fixture
async def with_ada(door: CookieDoor) -> CookieDoor:
    """Ada has an account, and a session at this door with `SECRET`."""
    await door.auth.add(a_user(image="https://example.org/ada.png", email_verified_at=NOW))
    await _open(door, door.life.opened("ses_ada", a_user(), NOW, remember=True))
    return door


async def _open(door: CookieDoor, session: Session) -> None:
    await door.auth.transact(lambda work: work.add_session(session, key_of(session, SECRET)))


async def _refused(door: CookieDoor, secret: str) -> None:
    """The secret opens nothing, whoever asks."""
    reads: list[Callable[[str], Awaitable[Any]]] = [door.authenticate, door.read, _without_renewing(door)]
    for read in reads:
        with pytest.raises(SessionEnded):
            await read(secret)


def _without_renewing(door: CookieDoor) -> Callable[[str], Awaitable[Any]]:
    return lambda secret: door.read(secret, renew=False)


async def test_a_session_and_its_person_are_found_by_the_secret_as_they_were_kept(
    with_ada: CookieDoor, clock: SettableClock
) -> None:
    standing = await with_ada.auth.reader.find_cookie_session(secret_hash(SECRET))
    assert standing is not None
    assert standing.opens
    assert standing.now == clock.now()
    assert standing.session == with_ada.life.opened("ses_ada", a_user(), NOW, remember=True)
    assert standing.user == a_user(image="https://example.org/ada.png", email_verified_at=NOW)
    assert await with_ada.auth.reader.find_cookie_session(secret_hash(SECRET.lower())) is None


async def test_every_value_of_a_session_of_this_door_comes_back(with_ada: CookieDoor, clock: SettableClock) -> None:
    """Wherever the store tells of sessions."""
    later = clock.advance(days=2)
    renewed = with_ada.life.renewed(await with_ada.kept(SECRET), later)
    await with_ada.auth.transact(lambda work: work.renew_session(renewed))
    assert (renewed.updated_at, renewed.ends_at) == (later, later + 7 * DAY)
    held = await with_ada.auth.transact(lambda work: work.hold_session_of(secret_hash(SECRET)))
    assert held is not None
    assert held.session == await with_ada.kept(SECRET) == renewed
    assert list(await with_ada.auth.transact(lambda work: work.live_sessions("usr_ada"))) == [renewed]


async def test_an_ended_session_is_found_and_opens_nothing(with_ada: CookieDoor, clock: SettableClock) -> None:
    await with_ada.auth.transact(lambda work: work.end_session("usr_ada", "ses_ada", SessionEnd.REVOKED))
    standing = await with_ada.auth.reader.find_cookie_session(secret_hash(SECRET))
    assert standing is not None
    assert (standing.opens, standing.session.revoked_at) == (False, clock.now())


async def test_that_a_session_was_seen_is_noted_by_whoever_read_it_last(
    with_ada: CookieDoor, clock: SettableClock
) -> None:
    read = await with_ada.kept(SECRET)
    first = clock.advance(minutes=20)
    await with_ada.auth.transact(lambda work: work.note_seen(read))
    clock.advance(minutes=1)
    await with_ada.auth.transact(lambda work: work.note_seen(read))
    noted = replace(read, last_seen_at=first)
    assert await with_ada.kept(SECRET) == noted
    await with_ada.auth.transact(lambda work: work.end_session("usr_ada", "ses_ada", SessionEnd.REVOKED))
    await with_ada.auth.transact(lambda work: work.note_seen(noted))
    assert (await with_ada.kept(SECRET)).last_seen_at == first
    await with_ada.auth.transact(lambda work: work.note_seen(replace(noted, id="ses_nobody")))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": UserStatus.DISABLED},
        {"deleted_at": NOW},
        {"role": Role.INSTRUCTOR},
        {"role": Role.ADMIN},
    ],
    ids=["disabled", "deleted", "instructor", "admin"],
)
async def test_what_becomes_of_the_person_acts_on_the_next_request(
    with_ada: CookieDoor, clock: SettableClock, changes: dict[str, object]
) -> None:
    """Also where that request would renew the session, and nothing is noted of it."""
    clock.advance(days=2)
    before = await with_ada.kept(SECRET)
    assert await with_ada.authenticate(SECRET)
    await with_ada.auth.change_user("usr_ada", **changes)
    await _refused(with_ada, SECRET)
    assert (await with_ada.kept(SECRET)).idle_expires_at == before.idle_expires_at


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_at": NOW, "revoke_reason": "revoked"},
        {"idle_expires_at": NOW},
        {"idle_expires_at": NOW, "absolute_expires_at": NOW},
    ],
    ids=["revoked", "idle", "absolute"],
)
async def test_a_dead_session_opens_nothing(door: CookieDoor, changes: dict[str, Any]) -> None:
    await door.auth.add(a_user())
    await _open(door, replace(door.life.opened("ses_ada", a_user(), NOW, remember=True), **changes))
    before = await door.kept(SECRET)
    await _refused(door, SECRET)
    assert await door.kept(SECRET) == before


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + "A", SECRET.swapcase(), SECRET + ".sig", "\ud800" * 32])
async def test_what_is_no_secret_of_a_session_opens_nothing(with_ada: CookieDoor, secret: str) -> None:
    await _refused(with_ada, secret)


async def test_a_secret_opens_what_its_person_is(with_ada: CookieDoor) -> None:
    actor = Actor(user_id="usr_ada", role=Role.STUDENT, session_id="ses_ada")
    assert await with_ada.authenticate(SECRET) == actor
    reading = await with_ada.read(SECRET)
    assert reading.actor() == actor
    assert (reading.person.image, reading.person.email_verified) == ("https://example.org/ada.png", True)
    assert (reading.secret, reading.renewed, reading.fresh) == (SECRET, False, True)
    assert reading.session == await with_ada.kept(SECRET)
    assert SECRET not in repr(reading)


async def test_a_password_that_must_be_changed_is_told_to_whoever_asks(door: CookieDoor) -> None:
    await door.auth.add(a_user(must_change_password=True))
    grant = await door.enter()
    assert (await door.authenticate(grant.secret)).must_change_password
    assert (await door.read(grant.secret)).actor().must_change_password


async def test_a_reading_renews_once_a_day(with_ada: CookieDoor, clock: SettableClock) -> None:
    opened = await with_ada.kept(SECRET)
    clock.advance(days=1, microseconds=-1)
    assert not (await with_ada.read(SECRET)).renewed
    due = clock.advance(microseconds=1)
    assert not (await with_ada.read(SECRET, renew=False)).renewed
    assert (await with_ada.kept(SECRET)).idle_expires_at == opened.idle_expires_at
    reading = await with_ada.read(SECRET)
    assert (reading.renewed, reading.fresh) == (True, False)
    assert reading.session == await with_ada.kept(SECRET)
    assert (reading.session.updated_at, reading.session.ends_at) == (due, due + 7 * DAY)
    clock.advance(hours=23)
    assert not (await with_ada.read(SECRET)).renewed


async def test_no_reading_prolongs_beyond_the_absolute_end(with_ada: CookieDoor, clock: SettableClock) -> None:
    for _ in range(29):
        clock.advance(days=1)
        await with_ada.read(SECRET)
    last = await with_ada.kept(SECRET)
    assert last.ends_at == last.absolute_expires_at == NOW + 30 * DAY
    assert last.updated_at == NOW + 23 * DAY
    clock.advance(days=1)
    await _refused(with_ada, SECRET)


async def test_what_is_not_to_be_remembered_ends_after_a_day_whoever_reads_it(
    door: CookieDoor, clock: SettableClock
) -> None:
    await door.auth.add(a_user())
    grant = await door.enter(remember=False)
    for _ in range(23):
        clock.advance(hours=1)
        assert not (await door.read(grant.secret)).renewed
    clock.advance(hours=1)
    await _refused(door, grant.secret)


async def test_a_session_that_is_used_is_seen_and_not_prolonged(with_ada: CookieDoor, clock: SettableClock) -> None:
    """Every quarter of an hour, by whatever looks at the secret."""
    opened = await with_ada.kept(SECRET)
    reads: list[Callable[[str], Awaitable[Any]]] = [with_ada.read, with_ada.authenticate, _without_renewing(with_ada)]
    for number, read in enumerate(reads):
        clock.set(NOW + (number + 1) * MINUTES - timedelta(microseconds=1))
        await read(SECRET)
        assert (await with_ada.kept(SECRET)).last_seen_at == NOW + number * MINUTES
        clock.advance(microseconds=1)
        await read(SECRET)
        assert await with_ada.kept(SECRET) == replace(opened, last_seen_at=clock.now())
    assert opened.updated_at == NOW


async def test_no_refresh_token_of_a_portal_opens_this_door(with_ada: CookieDoor) -> None:
    grant = await with_ada.auth.enter()
    token = decode_token(grant.refresh_token)
    assert await with_ada.auth.reader.find_cookie_session(digest(token)) is None
    for text in (grant.refresh_token, grant.refresh_token[:32], token.decode("latin-1"), grant.access_token):
        await _refused(with_ada, text)


async def test_a_token_of_a_portal_that_is_spelt_like_a_secret_opens_nothing_either(door: CookieDoor) -> None:
    """Both are 32 bytes to their hash; the door of the session is what counts."""
    await door.auth.add(a_user())
    session = a_session()
    await door.auth.transact(lambda work: work.add_session(session, RefreshToken.first(session, SECRET.encode())))
    await _refused(door, SECRET)
    assert await door.auth.refresh(Role.STUDENT, encode_token(SECRET.encode()))


@pytest.mark.parametrize("remember", [True, False])
async def test_a_secret_refreshes_nothing_at_a_portal_however_it_is_spelt(
    door: CookieDoor, clock: SettableClock, remember: bool
) -> None:
    """Else it would bring access tokens, and a session that never slides would be prolonged."""
    await door.auth.add(a_user())
    grant = await door.enter(remember=remember)
    clock.advance(hours=1)
    before = await door.kept(grant.secret)
    for text in (grant.secret, encode_token(grant.secret.encode()), f"{grant.secret}{'A' * 11}"):
        for portal in Role:
            with pytest.raises(RefreshInvalid):
                await door.auth.refresh(portal, text)
    assert await door.kept(grant.secret) == before
    assert len(await door.auth.tokens_of(grant.session.id)) == 1
    assert await door.authenticate(grant.secret)


async def test_a_secret_is_kept_as_its_hash_and_is_never_spent(door: CookieDoor, clock: SettableClock) -> None:
    grant = await door.sign_up()
    assert is_secret(grant.secret)
    assert grant.secret not in repr(grant)
    key = await door.auth.transact(lambda work: work.find_session_key(secret_hash(grant.secret)))
    assert key == (grant.person.id, grant.session.id)
    for _ in range(3):
        clock.advance(days=2)
        assert (await door.read(grant.secret)).renewed
    assert await door.auth.tokens_of(grant.session.id) == [(0, None, None)]
    assert grant.session.door is Door.COOKIE
