"""Tokens that differ from an honest one in a single respect: none opens any route, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from domain.auth.people import Role
from domain.auth.refresh import digest, encode_token
from tests.support.auth_http import bearer
from tests.support.callers import RETIRED_SECRET, Caller, Wire, retired_key_id, sealed, settle, unsealed
from tests.support.reviewed_routes import BEARER_ONLY, ROUTES
from tests.support.whole_site import WholeSite

_PROTECTED = {route: callers for route, callers in ROUTES.items() if callers}
Forgery = Callable[[Caller], str]


def _header(**changes: Any) -> Forgery:
    return lambda caller: replace(caller, header=changes).token


def _claims(**changes: Any) -> Forgery:
    return lambda caller: replace(caller, claims=changes).token


def _in_seconds(**changes: int) -> Forgery:
    return lambda caller: (
        replace(caller, claims={name: int(caller.at.timestamp()) + seconds for name, seconds in changes.items()}).token
    )


def _of_somebody_else(name: str) -> Forgery:
    return lambda caller: replace(caller, claims={name: f"{caller.honest_claims[name]}_other"}).token


def _other_portal(caller: Caller) -> str:
    return str(next(role for role in Role if role is not caller.role))


# Each differs from an honest token in one respect, and its seal is true unless the seal is what differs.
_UNSEALED: Final[Mapping[str, Forgery]] = {
    "no seal": lambda caller: caller.token.rpartition(".")[0] + ".",
    "seal cut off": lambda caller: caller.token.rpartition(".")[0],
    "seal cut short": lambda caller: caller.token[:-4],
    "other seal": lambda caller: caller.token[:-6] + "AAAAAA",
    "other content under the seal": lambda caller: ".".join(
        (caller.token.split(".")[0], replace(caller, claims={"jti": "jti_2"}).token.split(".")[1], caller.token[-43:])
    ),
    "empty": lambda _: "",
    "spaces": lambda _: "   ",
    "a word": lambda _: "token",
    "dots": lambda _: "..",
    "deep": lambda _: "[" * 5000 + "." + "[" * 5000 + ".x",
    "huge": lambda caller: caller.token + "A" * 60_000,
    "not ASCII": lambda caller: caller.token + "\xe9",
    "two tokens": lambda caller: f"{caller.token} {caller.token}",
}
_OTHER_ALGORITHM: Final[Mapping[str, Forgery]] = {
    "none": lambda caller: unsealed(caller.honest_header | {"alg": "none"}, caller.honest_claims),
    "None": lambda caller: unsealed(caller.honest_header | {"alg": "None"}, caller.honest_claims),
    "none over a seal": _header(alg="none"),
    "HS512": lambda caller: sealed(caller.honest_header | {"alg": "HS512"}, caller.honest_claims, by="sha512"),
    "HS512 over a seal of HS256": _header(alg="HS512"),
    "hs256": _header(alg="hs256"),
    "nothing": _header(alg=...),
}
_OTHER_KEY: Final[Mapping[str, Forgery]] = {
    "retired": lambda caller: sealed(
        caller.honest_header | {"kid": retired_key_id()}, caller.honest_claims, secret=RETIRED_SECRET
    ),
    "retired, under our name": lambda caller: sealed(caller.honest_header, caller.honest_claims, secret=RETIRED_SECRET),
    "ours, under a retired name": _header(kid=retired_key_id()),
    "unknown": _header(kid="AAAAAAAAAAAA"),
    "not named": _header(kid=...),
    "a path": _header(kid="../../../dev/null"),
    "an object": _header(kid={}),
    "jku": _header(jku="https://evil.test/keys"),
    "jwk": _header(jwk={"kty": "oct", "k": "AAAA"}),
    "x5u": _header(x5u="https://evil.test/chain"),
    "x5c": _header(x5c=["AAAA"]),
    "crit": _header(crit=["exp"]),
}
_OTHER_TIME: Final[Mapping[str, Forgery]] = {
    "not yet": _in_seconds(nbf=60),
    "made tomorrow": _in_seconds(iat=86_400),
    "no end": _claims(exp=...),
    "no beginning": _claims(nbf=...),
    "no instant": _claims(iat=...),
    "no time of sign-in": _claims(auth_time=...),
    "end a text": _claims(exp="never"),
    "end a fraction": _claims(exp=4102444800.5),
}
_OTHER_KIND: Final[Mapping[str, Forgery]] = {
    "JWT": _header(typ="JWT"),
    "no type": _header(typ=...),
    "other issuer": _claims(iss="eve"),
    "no issuer": _claims(iss=...),
    "no id": _claims(jti=...),
    "no session": _claims(sid=...),
    "session a number": _claims(sid=7),
    "no person": _claims(sub=...),
    "person a number": _claims(sub=7),
    "no role": _claims(role=...),
    "other role": lambda caller: replace(caller, claims={"role": _other_portal(caller)}).token,
}
_OTHER_AUDIENCE: Final[Mapping[str, Forgery]] = {
    "other portal": lambda caller: replace(caller, claims={"aud": _other_portal(caller)}).token,
    "no portal": _claims(aud="ace"),
    "a list": lambda caller: replace(caller, claims={"aud": [caller.role]}).token,
    "several": _claims(aud=["student", "instructor", "admin"]),
    "nothing": _claims(aud=...),
}


@pytest.fixture(scope="module")
def honest(whole_site: WholeSite) -> dict[Role, Caller]:
    """Somebody of each role whose own token opens what it should."""
    return {role: settle(whole_site.database.keeper, role, "honest") for role in Role}


async def test_each_of_them_is_let_in_with_their_own_token(site: WholeSite, honest: dict[Role, Caller]) -> None:
    for role, caller in honest.items():
        answer = await site.client.get(f"/{role}/auth/me", headers=bearer(caller.token))
        assert (answer.status_code, answer.json()["user"]["id"]) == (200, caller.user_id)


async def opens_nothing(
    site: WholeSite, honest: dict[Role, Caller], forge: Forgery, refusal: str = "auth.token_invalid"
) -> None:
    """At every route, and as a cookie at one route of each role: the cookie is read in one place for all."""
    asked = Wire(site.app)
    forged = {role: forge(caller) for role, caller in honest.items()}
    wanted = {str(route): refusal for route in _PROTECTED}
    found = {str(route): await asked.outcome(route, bearer(forged[role])) for route, (role, *_) in _PROTECTED.items()}
    assert found == wanted
    for role, token in forged.items():
        route = next(route for route, callers in _PROTECTED.items() if role in callers and route not in BEARER_ONLY)
        found_by_cookie = await asked.outcome(route, {"cookie": f"ace_access={token}"})
        assert found_by_cookie == (refusal if token.strip() else "auth.token_missing")


@pytest.mark.parametrize("forge", _UNSEALED.values(), ids=_UNSEALED)
async def test_asvs_7_2_1_and_9_1_1_without_our_seal_a_token_opens_nothing(
    site: WholeSite, honest: dict[Role, Caller], forge: Forgery
) -> None:
    await opens_nothing(site, honest, forge)


@pytest.mark.parametrize("forge", _OTHER_ALGORITHM.values(), ids=_OTHER_ALGORITHM)
async def test_asvs_9_1_2_there_is_one_algorithm(site: WholeSite, honest: dict[Role, Caller], forge: Forgery) -> None:
    await opens_nothing(site, honest, forge)


@pytest.mark.parametrize("forge", _OTHER_KEY.values(), ids=_OTHER_KEY)
async def test_asvs_9_1_3_keys_are_ours_and_no_token_brings_its_own(
    site: WholeSite, honest: dict[Role, Caller], forge: Forgery
) -> None:
    await opens_nothing(site, honest, forge)


@pytest.mark.parametrize("forge", _OTHER_TIME.values(), ids=_OTHER_TIME)
async def test_asvs_9_2_1_a_token_is_good_from_its_beginning(
    site: WholeSite, honest: dict[Role, Caller], forge: Forgery
) -> None:
    await opens_nothing(site, honest, forge)


async def test_asvs_9_2_1_a_token_is_good_until_its_end(site: WholeSite, honest: dict[Role, Caller]) -> None:
    await opens_nothing(site, honest, _in_seconds(nbf=-960, iat=-960, exp=-60), "auth.token_expired")


@pytest.mark.parametrize("forge", _OTHER_KIND.values(), ids=_OTHER_KIND)
async def test_asvs_9_2_2_a_token_of_another_kind_opens_nothing(
    site: WholeSite, honest: dict[Role, Caller], forge: Forgery
) -> None:
    await opens_nothing(site, honest, forge)


@pytest.mark.parametrize("name", ["sub", "sid"])
async def test_asvs_7_2_1_a_token_names_a_session_of_its_person(
    site: WholeSite, honest: dict[Role, Caller], name: str
) -> None:
    await opens_nothing(site, honest, _of_somebody_else(name), "auth.session_ended")


@pytest.mark.parametrize("forge", _OTHER_AUDIENCE.values(), ids=_OTHER_AUDIENCE)
async def test_asvs_9_2_3_and_9_2_4_a_token_is_good_at_one_portal(
    site: WholeSite, honest: dict[Role, Caller], forge: Forgery
) -> None:
    await opens_nothing(site, honest, forge)


async def test_asvs_9_2_2_no_other_secret_of_ours_is_an_access_token(
    site: WholeSite, honest: dict[Role, Caller]
) -> None:
    """What is mailed, what renews a session and what protects a page: each is good for its own purpose."""
    token = b"m" * 32
    site.database.keeper.execute(
        "insert into one_time_links (owner_id, purpose, token_hash, email, created_at, expires_at)"
        " values (%s, 'reset_password', %s, 'ada@example.org', now(), now() + interval '1 hour')",
        (honest[Role.STUDENT].user_id, digest(token)),
    )
    site.database.keeper.execute(
        "insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)"
        " values (%s, %s, 0, %s, now())",
        (honest[Role.STUDENT].user_id, honest[Role.STUDENT].session_id, digest(b"r" * 32)),
    )
    csrf = site.container.csrf_tokens().issue(honest[Role.STUDENT].session_id)
    shown = (encode_token(token), encode_token(b"r" * 32), csrf, honest[Role.STUDENT].session_id)
    found = {
        await Wire(site.app).outcome(route, bearer(other))
        for other in shown
        for route, callers in _PROTECTED.items()
        if Role.STUDENT in callers
    }
    site.database.keeper.execute("delete from one_time_links")
    site.database.keeper.execute("delete from auth_refresh_tokens where user_id = %s", (honest[Role.STUDENT].user_id,))
    assert found == {"auth.token_invalid"}
