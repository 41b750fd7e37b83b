"""What an access token opens right now, and refreshing, in conversations."""

from dataclasses import replace

import pytest

from application.auth.opening import Grant
from domain.auth.people import Role, UserStatus
from domain.auth.refresh import decode_token
from domain.auth.sessions import (
    RefreshInvalid,
    RefreshReused,
    SessionEnded,
    TokenExpired,
    TokenInvalid,
)
from tests.support.auth_builders import NOW, AuthInMemory, auth_in_memory


@pytest.fixture
def auth() -> AuthInMemory:
    return auth_in_memory()


@pytest.fixture
async def grant(auth: AuthInMemory) -> Grant:
    """Ada is signed in."""
    return await auth.register()


async def test_a_token_expires_after_its_minutes_and_the_leeway(auth: AuthInMemory, grant: Grant) -> None:
    auth.clock.advance(seconds=904)
    assert await auth.authenticate(grant.access_token)
    auth.clock.advance(seconds=1)
    with pytest.raises(TokenExpired):
        await auth.authenticate(grant.access_token)


async def test_a_token_from_the_future_opens_nothing(auth: AuthInMemory, grant: Grant) -> None:
    auth.clock.set(grant.session.created_at)
    auth.clock.advance(seconds=-5)
    assert await auth.authenticate(grant.access_token)
    auth.clock.advance(seconds=-1)
    with pytest.raises(TokenInvalid):
        await auth.authenticate(grant.access_token)


@pytest.mark.parametrize(
    "changes",
    [{"status": UserStatus.DISABLED}, {"deleted_at": NOW}, {"role": Role.INSTRUCTOR}],
)
async def test_a_change_of_the_person_acts_on_the_next_request_and_on_refreshing(
    auth: AuthInMemory, grant: Grant, changes: dict[str, object]
) -> None:
    await auth.change_user(grant.person.id, **changes)
    with pytest.raises(SessionEnded):
        await auth.authenticate(grant.access_token)
    with pytest.raises(SessionEnded):
        await auth.refresh(Role.STUDENT, grant.refresh_token)


async def test_a_token_that_speaks_of_another_audience_or_role_than_its_session_is_not_ours(
    auth: AuthInMemory, grant: Grant
) -> None:
    claims = auth.tokens.read(grant.access_token)
    for forged in (replace(claims, audience=Role.ADMIN), replace(claims, role=Role.ADMIN)):
        with pytest.raises(TokenInvalid):
            await auth.authenticate(auth.tokens.sign(forged))


async def test_a_token_of_an_unknown_session_opens_nothing(auth: AuthInMemory, grant: Grant) -> None:
    claims = auth.tokens.read(grant.access_token)
    for forged in (replace(claims, session_id="ses_other"), replace(claims, user_id="usr_other")):
        with pytest.raises(SessionEnded):
            await auth.authenticate(auth.tokens.sign(forged))


async def test_a_refresh_brings_new_tokens_and_prolongs_the_session(auth: AuthInMemory, grant: Grant) -> None:
    auth.clock.advance(days=5)
    refreshed = await auth.refresh(Role.STUDENT, grant.refresh_token)
    assert refreshed.refresh_token != grant.refresh_token
    assert (refreshed.session.idle_expires_at - auth.clock.now()).days == 7
    auth.clock.advance(days=6)
    assert await auth.refresh(Role.STUDENT, refreshed.refresh_token)


async def test_refreshing_never_passes_the_absolute_end(auth: AuthInMemory, grant: Grant) -> None:
    token = grant.refresh_token
    for _ in range(29):
        auth.clock.advance(days=1)
        refreshed = await auth.refresh(Role.STUDENT, token)
        token = refreshed.refresh_token
        assert refreshed.session.idle_expires_at <= grant.session.absolute_expires_at
    auth.clock.advance(days=1)
    with pytest.raises(SessionEnded):
        await auth.refresh(Role.STUDENT, token)


async def test_an_idle_session_ends(auth: AuthInMemory, grant: Grant) -> None:
    auth.clock.advance(days=7)
    with pytest.raises(SessionEnded):
        await auth.refresh(Role.STUDENT, grant.refresh_token)
    with pytest.raises(SessionEnded):
        await auth.authenticate(grant.access_token)


async def test_a_lost_reply_is_repeated_with_the_same_successor_and_no_extension(
    auth: AuthInMemory, grant: Grant
) -> None:
    first = await auth.refresh(Role.STUDENT, grant.refresh_token)
    auth.clock.advance(seconds=10)
    again = await auth.refresh(Role.STUDENT, grant.refresh_token)
    assert again.refresh_token == first.refresh_token
    assert again.session == first.session
    assert len(await auth.tokens_of(grant.session.id)) == 2
    assert await auth.authenticate(again.access_token)


async def test_a_second_holder_ends_the_session_for_both_and_is_on_record(auth: AuthInMemory, grant: Grant) -> None:
    refreshed = await auth.refresh(Role.STUDENT, grant.refresh_token)
    auth.clock.advance(seconds=11)
    with pytest.raises(RefreshReused):
        await auth.refresh(Role.STUDENT, grant.refresh_token)
    with pytest.raises(SessionEnded):
        await auth.authenticate(refreshed.access_token)
    with pytest.raises(SessionEnded):
        await auth.refresh(Role.STUDENT, refreshed.refresh_token)
    (entry,) = auth.store.audit_log
    assert (entry.action, entry.subject) == ("session.refresh_reused", grant.session.id)
    assert grant.refresh_token not in repr(entry)


async def test_a_token_is_not_repeated_once_its_successor_was_used(auth: AuthInMemory, grant: Grant) -> None:
    second = await auth.refresh(Role.STUDENT, grant.refresh_token)
    await auth.refresh(Role.STUDENT, second.refresh_token)
    with pytest.raises(RefreshReused):
        await auth.refresh(Role.STUDENT, grant.refresh_token)


async def test_only_the_mask_of_the_last_used_token_is_kept(auth: AuthInMemory, grant: Grant) -> None:
    token = grant.refresh_token
    for _ in range(3):
        token = (await auth.refresh(Role.STUDENT, token)).refresh_token
    chain = await auth.tokens_of(grant.session.id)
    assert [mask is not None for _, _, mask in chain] == [False, False, True, False]
    assert [used is None for _, used, _ in chain] == [False, False, False, True]


async def test_a_refresh_token_is_good_at_its_own_portal_only(auth: AuthInMemory, grant: Grant) -> None:
    for portal in (Role.INSTRUCTOR, Role.ADMIN):
        with pytest.raises(RefreshInvalid):
            await auth.refresh(portal, grant.refresh_token)
    assert await auth.refresh(Role.STUDENT, grant.refresh_token)


@pytest.mark.parametrize("token", ["", "nonsense", "A" * 43])
async def test_an_unknown_refresh_token_is_refused(auth: AuthInMemory, grant: Grant, token: str) -> None:
    with pytest.raises(RefreshInvalid):
        await auth.refresh(Role.STUDENT, token)


async def test_the_store_holds_no_token(auth: AuthInMemory, grant: Grant) -> None:
    refreshed = await auth.refresh(Role.STUDENT, grant.refresh_token)
    kept = auth.store.tables["auth_refresh_tokens"].values()
    for text in (grant.refresh_token, refreshed.refresh_token):
        token = decode_token(text)
        assert all(token not in (link.token_hash, link.successor_masked) for link in kept)


async def test_one_sees_who_one_is_and_how_long_the_session_lasts(auth: AuthInMemory, grant: Grant) -> None:
    actor = await auth.authenticate(grant.access_token)
    profile = await auth.read_profile(actor)
    assert profile.person == grant.person
    assert (profile.session.id, profile.session.expires_at) == (grant.session.id, grant.session.idle_expires_at)
    with pytest.raises(SessionEnded):
        await auth.read_profile(replace(actor, session_id="ses_purged"))
