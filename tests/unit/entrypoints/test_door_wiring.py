"""What the settings of the better-auth door decide about one's own account, and which key signs what it mails."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.security.verification_tokens import JwtVerificationTokens
from application.auth.opening import OpenCookieSession, OpenNothing
from application.auth.ports import VerificationClaims
from application.auth.renewing import BeginAnew, EndOthers, KeepSessions
from domain.auth.links import LinkInvalid
from entrypoints.container import Container
from entrypoints.settings import BetterAuthSettings, Settings

SECRET = "k3J9-d8sPq_72mZx-w01nBvC-yT5uE6rA"
CLAIMS = VerificationClaims(email="ada@example.org", issued_at=1, expires_at=3_601)


def container(**door: Any) -> Container:
    return Container(settings=Settings(secret_keys=(SECRET,), better_auth=BetterAuthSettings(**door)))


@pytest.mark.parametrize("revokes", [True, False])
async def test_whether_a_reset_ends_the_sessions_is_a_setting_of_the_door(revokes: bool) -> None:
    site = container(revoke_sessions_on_reset=revokes)
    assert site.reset_password_at_door().keep_sessions is not revokes
    assert site.reset_password().keep_sessions is False


@pytest.mark.parametrize(("signs_in", "opener"), [(True, OpenCookieSession), (False, OpenNothing)])
async def test_whether_a_verified_address_signs_in_is_a_setting(signs_in: bool, opener: type) -> None:
    site = container(auto_sign_in_after_verification=signs_in)
    assert isinstance(site.confirm_address().open_session, opener)
    assert isinstance(container().confirm_address().open_session, OpenNothing)


async def test_each_way_to_change_a_password_does_its_own_about_the_sessions() -> None:
    site = container(min_password_length=12)
    ways: dict[str, type] = {
        "change_password": EndOthers,
        "change_password_keeping": KeepSessions,
        "change_password_anew": BeginAnew,
    }
    for name, aftermath in ways.items():
        change = site.providers[name]()
        assert isinstance(change.aftermath, aftermath)
        assert change.policy.student_min_length == (8 if name == "change_password" else 12)


async def test_mail_is_signed_with_the_newest_secret_of_the_door_as_it_is() -> None:
    newest, older = "a secret that an application brought", "a secret that it had before this one"
    tokens = container(secrets=(newest, older)).verification_tokens()
    assert JwtVerificationTokens((newest.encode(),)).read(tokens.sign(CLAIMS)) == CLAIMS
    assert tokens.read(JwtVerificationTokens((older.encode(),)).sign(CLAIMS)) == CLAIMS
    with pytest.raises(LinkInvalid):
        container().verification_tokens().read(tokens.sign(CLAIMS))
