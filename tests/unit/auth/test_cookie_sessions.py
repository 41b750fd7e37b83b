"""Laws of the cookie door's sessions: how long one lasts, when it is renewed, and what its secret is made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.auth.opening import new_secret
from application.auth.ports import TokenSource
from domain.auth.cookie_sessions import (
    ALPHABET,
    SECRET_LENGTH,
    CookieLife,
    is_secret,
    key_of,
    secret_hash,
    secret_of,
)
from domain.auth.people import Role
from domain.auth.sessions import Door, Session
from tests.support.auth_builders import NOW, a_session, a_user

SECOND = timedelta(seconds=1)
# Whole days beside any time, so that readings fall on what they are judged by.
_DAYS = st.integers(1, 12).map(lambda days: timedelta(days=days))
_SPANS = _DAYS | st.timedeltas(SECOND, timedelta(days=40))
_SPANS_OR_NONE = _SPANS | st.just(timedelta(0))
_GAPS = st.lists(_DAYS | st.timedeltas(timedelta(0), timedelta(days=2)), max_size=40)


def lives() -> st.SearchStrategy[CookieLife]:
    """Also ones that make little sense: a session that is renewed later than it ends, or lasts longer than it may."""
    return st.builds(
        CookieLife,
        lasts=_SPANS,
        renewed_after=_SPANS_OR_NONE,
        unremembered=_SPANS,
        absolute=_SPANS,
        fresh_for=_SPANS_OR_NONE,
    )


def opened(life: CookieLife, *, remember: bool = True) -> Session:
    return life.opened("ses_ada", a_user(), NOW, remember=remember)


def read_at(life: CookieLife, session: Session, gaps: list[timedelta]) -> list[tuple[datetime, Session]]:
    """The session after each of several readings until its end, as `ReadCookieSession` renews it."""
    now, history = NOW, []
    for gap in gaps:
        now += gap
        if not session.is_live(now):
            break
        session = life.renewed(session, now) if life.is_due(session, now) else session
        history.append((now, session))
    return history


@given(lives(), st.booleans())
def test_a_new_session_is_a_student_s_and_ends_when_it_may_at_the_latest(life: CookieLife, remember: bool) -> None:
    session = life.opened("ses_1", a_user(), NOW, remember=remember, ip="192.0.2.7", user_agent="an application")
    assert (session.door, session.audience, session.user_id) == (Door.COOKIE, Role.STUDENT, "usr_ada")
    assert (session.ip, session.user_agent, session.remember) == ("192.0.2.7", "an application", remember)
    assert session.created_at == session.auth_time == session.last_seen_at == session.updated_at == NOW
    longest = min(life.lasts, life.absolute) if remember else min(life.lasts, life.absolute, life.unremembered)
    assert session.ends_at == NOW + longest
    assert session.idle_expires_at <= session.absolute_expires_at


@given(lives(), st.booleans(), _GAPS)
def test_no_history_of_readings_outlives_the_absolute_end(
    life: CookieLife, remember: bool, gaps: list[timedelta]
) -> None:
    session = opened(life, remember=remember)
    for _, later in read_at(life, session, gaps):
        assert later.absolute_expires_at == session.absolute_expires_at <= NOW + life.absolute
        assert later.idle_expires_at <= later.absolute_expires_at


@given(lives(), _GAPS)
def test_a_renewal_moves_the_end_on_and_the_next_comes_no_sooner_than_it_may(
    life: CookieLife, gaps: list[timedelta]
) -> None:
    session = opened(life)
    for now, later in read_at(life, session, gaps):
        if later == session:
            continue
        assert later.idle_expires_at > session.idle_expires_at
        assert now - session.updated_at >= life.renewed_after
        assert later == replace(session, last_seen_at=now, renewed_at=now, idle_expires_at=later.idle_expires_at)
        session = later


@given(lives(), st.booleans(), _GAPS)
def test_a_reading_renews_what_is_to_be_remembered_as_soon_as_it_may(
    life: CookieLife, remember: bool, gaps: list[timedelta]
) -> None:
    """Told from the time of the last renewal, which the rule itself never asks for."""
    session = opened(life, remember=remember)
    for now, later in read_at(life, session, gaps):
        would_end = min(now + life.lasts, session.absolute_expires_at)
        due = remember and now - session.updated_at >= life.renewed_after and would_end > session.ends_at
        assert (later != session) == due
        session = later


@given(lives(), _GAPS)
def test_what_is_not_to_be_remembered_never_slides(life: CookieLife, gaps: list[timedelta]) -> None:
    session = opened(life, remember=False)
    assert all(later == session for _, later in read_at(life, session, gaps))


@given(lives(), st.timedeltas(timedelta(0), timedelta(days=80)))
def test_at_the_absolute_end_no_renewal_is_due_any_more(life: CookieLife, later: timedelta) -> None:
    capped = replace(opened(life), idle_expires_at=NOW + life.absolute)
    assert not life.is_due(capped, NOW + later)


@given(lives(), lives(), st.timedeltas(timedelta(0), timedelta(days=40)))
def test_other_settings_shorten_no_session_and_let_none_outlive_its_end(
    before: CookieLife, after: CookieLife, later: timedelta
) -> None:
    """An application that is started anew with other lifetimes reads the sessions that there are."""
    session, now = opened(before), NOW + later
    if after.is_due(session, now):
        assert session.ends_at < after.renewed(session, now).ends_at <= session.absolute_expires_at


def test_a_session_that_is_used_every_day_lives_for_a_month() -> None:
    life = CookieLife()
    history = read_at(life, opened(life), [timedelta(hours=6)] * 200)
    assert history[-1][0] == NOW + timedelta(days=30) - timedelta(hours=6)
    renewals = sorted({later.updated_at for _, later in history})
    # It was opened on day 0, and on day 23 it is prolonged to the end that never moves.
    assert renewals == [NOW + timedelta(days=day) for day in range(24)]


def test_a_session_that_is_left_alone_ends_after_a_week_or_a_day() -> None:
    life = CookieLife()
    for remember, days in ((True, 7), (False, 1)):
        end = NOW + timedelta(days=days)
        session = opened(life, remember=remember)
        assert (session.is_live(end - SECOND), session.is_live(end)) == (True, False)


@given(lives(), _GAPS)
def test_freshness_is_of_the_sign_in_and_no_renewal_brings_it_back(life: CookieLife, gaps: list[timedelta]) -> None:
    for now, session in read_at(life, opened(life), gaps):
        assert life.is_fresh(session, now) == (not life.fresh_for or now < NOW + life.fresh_for)


def test_what_is_not_to_be_remembered_does_not_slide_either_where_it_may_last_longer() -> None:
    life = CookieLife(lasts=timedelta(days=2), unremembered=timedelta(days=10))
    now = NOW + timedelta(days=1)
    assert (life.is_due(opened(life), now), life.is_due(opened(life, remember=False), now)) == (True, False)


def test_a_renewed_session_is_as_fresh_as_before() -> None:
    life = CookieLife(fresh_for=timedelta(days=2))
    renewed = life.renewed(opened(life), NOW + timedelta(days=1))
    assert life.is_fresh(renewed, NOW + timedelta(hours=47))
    assert not life.is_fresh(renewed, NOW + timedelta(hours=48))


def test_a_session_is_fresh_for_a_day() -> None:
    life, day = CookieLife(), timedelta(days=1)
    assert life.is_fresh(opened(life), NOW + day - timedelta(microseconds=1))
    assert not life.is_fresh(opened(life), NOW + day)
    assert replace(life, fresh_for=timedelta(0)).is_fresh(opened(life), NOW + 29 * day)


@given(st.timedeltas(timedelta(hours=-1), timedelta(hours=1)))
def test_that_a_session_was_seen_is_noted_once_in_a_quarter_of_an_hour(later: timedelta) -> None:
    life = CookieLife()
    quarter = timedelta(minutes=15)
    assert life.is_unnoted(opened(life), NOW + later) == (later >= quarter)
    assert life.is_unnoted(opened(life), NOW + quarter)


def test_a_session_of_a_portal_is_prolonged_whenever_it_is_seen() -> None:
    later = NOW + timedelta(minutes=14)
    assert a_session(last_seen_at=later).updated_at == later


def test_every_letter_is_as_likely_as_every_other() -> None:
    """Of all bytes each letter gets four; the eight that are over spell none."""
    assert Counter(secret_of(range(256))) == dict.fromkeys(ALPHABET, 4)
    assert secret_of(range(248, 256)) == ""
    assert len(set(ALPHABET)) == 62
    assert all(letter.isascii() and letter.isalnum() for letter in ALPHABET)


@dataclass(slots=True)
class _Unlucky(TokenSource):
    """Nearly all of its bytes spell nothing."""

    asked: list[int] = field(default_factory=list)

    def new(self) -> bytes:
        self.asked.append(1)
        return bytes([255] * 29 + [len(self.asked), 61, 0])


def test_a_secret_is_as_long_as_it_should_be_however_many_bytes_that_takes() -> None:
    source = _Unlucky()
    secret = new_secret(source)
    assert (len(secret), len(source.asked)) == (SECRET_LENGTH, 11)
    assert is_secret(secret)
    assert secret[:6] == "B9AC9A"
    assert len(new_secret(source, 24)) == 24


@given(st.binary(min_size=64, max_size=64))
def test_a_secret_is_recognised_by_its_form(random: bytes) -> None:
    text = secret_of(random)
    assert is_secret(text) == (len(text) == SECRET_LENGTH)
    assert is_secret(text[:SECRET_LENGTH]) == (len(text) >= SECRET_LENGTH)


@pytest.mark.parametrize("text", ["", "a" * 31, "a" * 33, "a" * 31 + ".", "a" * 31 + "\n", "a" * 32 + "\n", "é" * 32])
def test_what_is_no_secret(text: str) -> None:
    assert not is_secret(text)


@given(st.text(max_size=50))
def test_every_text_that_is_shown_can_be_looked_for(text: str) -> None:
    """Half a pair of surrogates is no text that anybody stores, and no reason to fail."""
    assert len(secret_hash(text)) == len(secret_hash(text + "\ud800")) == 32


def test_the_one_key_of_a_session_is_never_spent() -> None:
    session = opened(CookieLife())
    key = key_of(session, "a" * 32)
    assert (key.user_id, key.session_id, key.generation, key.issued_at) == ("usr_ada", "ses_ada", 0, NOW)
    assert (key.used_at, key.successor_masked, key.token_hash) == (None, None, secret_hash("a" * 32))
