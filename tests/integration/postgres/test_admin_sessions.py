"""Sessions that administrators end, one, a person's or everybody's: the same suite on memory and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from application.admin.limit_ports import Turnover
from application.admin.sessions import EndedSessions
from application.admin.views import SessionState
from domain.auth.people import (
    Role,
    UserNotFound,
)
from domain.auth.sessions import SessionEnd, SessionNotFound
from domain.errors import StoreUnavailable
from tests.support.admin_builders import ROOT, Administration, entry
from tests.support.auth_builders import NOW, a_session
from tests.support.postgres import SettableClock


async def test_one_session_is_ended_once(admin: Administration, clock: SettableClock) -> None:
    await admin.open(a_session(id="ses_other"))
    clock.advance(minutes=1)
    ended = await admin.end_session_of(ROOT, "usr_ada", "ses_ada", "Lost the telephone")
    assert (ended.state, ended.revoked_at, ended.revoke_reason) == (SessionState.REVOKED, clock.now(), "admin_revoked")
    again = await admin.end_session_of(ROOT, "usr_ada", "ses_ada")
    assert again == ended
    other = await admin.transact(lambda work: work.find_session("usr_ada", "ses_other"))
    assert other is not None
    assert other.revoked_at is None
    told: dict[str, Any] = {"after": {"user_id": "usr_ada", "revoked": 1}, "reason": "Lost the telephone"}
    assert await admin.act() == entry("session.revoked", "ses_ada", **told)


@pytest.mark.parametrize("key", [("usr_ada", "ses_root"), ("usr_ada", "ses_none"), ("usr_none", "ses_ada")])
async def test_a_session_of_nobody_or_of_somebody_else_is_not_found(
    admin: Administration, key: tuple[str, str]
) -> None:
    with pytest.raises(SessionNotFound):
        await admin.end_session_of(ROOT, *key)
    assert await admin.acts() == []


async def test_a_session_that_ran_out_is_shown_as_it_is(admin: Administration, clock: SettableClock) -> None:
    clock.advance(days=8)
    shown = await admin.end_session_of(ROOT, "usr_ada", "ses_ada")
    assert (shown.state, shown.expires_at, shown.revoked_at) == (SessionState.EXPIRED, NOW + timedelta(days=7), None)
    assert await admin.acts() == []


async def test_all_sessions_of_a_person_end_and_nobody_elses(admin: Administration) -> None:
    await admin.open(a_session(id="ses_other"))
    await admin.open(a_session(id="ses_old", idle_expires_at=NOW))
    assert await admin.end_sessions_of(ROOT, "usr_ada", "Stolen") == 2
    assert (await admin.session("usr_root")).revoked_at is None
    assert await admin.end_sessions_of(ROOT, "usr_ada", "Stolen") == 0
    assert await admin.act() == entry("sessions.revoked", after={"revoked": 2}, reason="Stolen")
    with pytest.raises(UserNotFound):
        await admin.end_sessions_of(ROOT, "usr_nobody")


async def test_everybody_is_signed_out_but_who_says_so(admin: Administration) -> None:
    await admin.open(a_session(id="ses_elsewhere", user_id="usr_root", audience=Role.ADMIN))
    assert await admin.end_every_session(ROOT, "A key was lost") == EndedSessions(revoked=2, complete=True)
    assert (await admin.session("usr_root")).revoked_at is None
    assert (await admin.session("usr_ada")).revoke_reason == SessionEnd.ADMIN_REVOKED
    told: dict[str, Any] = {"after": {"opened_until": NOW.isoformat()}, "reason": "A key was lost"}
    assert await admin.act() == entry("sessions.revoked", "everybody", **told)


async def _open_many(admin: Administration) -> list[str]:
    """Seven live sessions of two people, beside those they were settled with, and two that have ended."""
    ids = [f"ses_{number}" for number in range(7)]
    for number, session_id in enumerate(ids):
        await admin.open(a_session(id=session_id, user_id=("usr_ada", "usr_root")[number % 2]))
    await admin.open(a_session(id="ses_old", idle_expires_at=NOW))
    await admin.open(a_session(id="ses_out"))
    await admin.transact(lambda work: work.end_session("usr_ada", "ses_out", SessionEnd.LOGOUT))
    return ids


async def _live(admin: Administration) -> set[str]:
    live = set()
    for user_id in ("usr_ada", "usr_root"):
        for session_id in (*(f"ses_{number}" for number in range(7)), "ses_ada", "ses_root", "ses_later"):
            session = await admin.transact(lambda work, key=(user_id, session_id): work.find_session(*key))  # type: ignore[misc]
            live |= {session_id} if session is not None and session.revoked_at is None else set()
    return live


@pytest.mark.parametrize("batch", [1, 3, 8, 9])
async def test_everybody_is_signed_out_batch_by_batch(admin: Administration, batch: int) -> None:
    await _open_many(admin)
    by_batches = replace(admin, batch=batch)
    assert await by_batches.end_every_session(ROOT, "A key was lost") == EndedSessions(revoked=8, complete=True)
    assert await _live(admin) == {"ses_root"}
    out = await admin.transact(lambda work: work.find_session("usr_ada", "ses_out"))
    assert out is not None
    assert out.revoke_reason == SessionEnd.LOGOUT
    await admin.act()


class _Late(Turnover):
    """The sign-ins that were under way have taken all the time that a request has."""

    def __init__(self, clock: SettableClock) -> None:
        self._clock = clock

    async def __call__(self) -> None:
        self._clock.advance(seconds=3)


async def test_what_a_request_has_no_time_for_is_left_to_a_job(admin: Administration, clock: SettableClock) -> None:
    """Who signs in after the order stays, however late the job comes."""
    await _open_many(admin)
    hurried = replace(admin, batch=3, turnover=_Late(clock))
    assert await hurried.end_every_session(ROOT, "A key was lost") == EndedSessions(revoked=3, complete=False)
    await admin.open(a_session(id="ses_later", created_at=clock.now(), auth_time=clock.now()))
    for _ in "12":
        await hurried.work_off()
    assert await _live(admin) == {"ses_root", "ses_later"}
    await admin.act()


class _Failing(Turnover):
    """The store fails as soon as the order is given."""

    async def __call__(self) -> None:
        raise StoreUnavailable


async def test_an_order_that_is_given_is_carried_out_whatever_becomes_of_the_request(admin: Administration) -> None:
    unlucky = replace(admin, turnover=_Failing())
    assert await unlucky.end_every_session(ROOT, "A key was lost") == EndedSessions(revoked=0, complete=False)
    assert await _live(admin) == {"ses_root", "ses_ada"}
    await unlucky.work_off()
    assert await _live(admin) == {"ses_root"}
    await admin.act()
