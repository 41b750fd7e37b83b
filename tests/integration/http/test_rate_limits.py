"""Guessing over HTTP, and asking for anything too often."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping

import httpx
import pytest

from adapters.postgres.auth import PostgresThrottleWork
from domain.auth.throttling import Quota
from domain.errors import StoreUnavailable
from entrypoints.http.app import Application
from tests.support.auth_builders import EMAIL
from tests.support.auth_http import ADA, EVIL, browser, code, provided, serving
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import WholeSite

LOGIN, REGISTER = "/student/auth/login", "/student/auth/register"
WRONG = {"email": EMAIL, "password": "not the password"}
# Routes for everybody that change something and have no quota of requests: guesses are counted where passwords are
# checked, and the others ask for a token that nobody guesses, or for nothing.
COUNTED_OTHERWISE = {"login", "refresh", "logout"}


@pytest.fixture
def checks(app: Application, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords are compared with."""
    hasher, found = provided(app, "password_hasher"), list[str]()
    check = hasher._check

    def counted(password: str, password_hash: str) -> bool:
        found.append(password_hash)
        result: bool = check(password, password_hash)
        return result

    monkeypatch.setattr(hasher, "_check", counted)
    return found


@pytest.fixture
async def registered(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser without cookies, where Ada has an account."""
    assert (await client.post(REGISTER, json=ADA)).status_code == 201
    client.cookies.clear()
    return client


def from_address(app: Application, ip: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(ip, 50_000))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://ace.test")


def pass_time(database: ClonedDatabase, seconds: int) -> None:
    """As if everything counted had been counted so much earlier."""
    database.keeper.execute(
        "update attempt_counters set window_started_at = window_started_at - make_interval(secs => %(seconds)s),"
        " last_at = last_at - make_interval(secs => %(seconds)s),"
        " under_way = array(select at - make_interval(secs => %(seconds)s) from unnest(under_way) at),"
        " blocked_until = blocked_until - make_interval(secs => %(seconds)s)",
        {"seconds": seconds},
    )


async def test_of_fifteen_wrong_passwords_at_once_exactly_five_are_checked(
    registered: httpx.AsyncClient, checks: list[str]
) -> None:
    answers = await asyncio.gather(*(registered.post(LOGIN, json=WRONG) for _ in range(15)))
    assert Counter(map(code, answers)) == {"auth.invalid_credentials": 15}
    assert len(checks) == 5
    assert code(await registered.post(LOGIN, json=ADA)) == "auth.invalid_credentials"
    assert len(checks) == 5


async def test_twelve_right_passwords_at_once_all_sign_in(registered: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(registered.post(LOGIN, json=ADA | {"delivery": "body"}) for _ in range(12)))
    assert [answer.status_code for answer in answers] == [200] * 12


async def test_a_locked_account_answers_exactly_like_a_wrong_password(
    registered: httpx.AsyncClient, checks: list[str], cloned: ClonedDatabase
) -> None:
    """And like an account that does not exist, locked or not."""
    known = [await registered.post(LOGIN, json=WRONG) for _ in range(6)]
    unknown = [await registered.post(LOGIN, json=WRONG | {"email": "nobody@example.org"}) for _ in range(6)]
    assert len(checks) == 10
    told = set()
    for answer in known + unknown:
        headers = {
            name: value for name, value in answer.headers.items() if name not in {"x-request-id", "content-length"}
        }
        body = {name: value for name, value in answer.json().items() if name != "instance"}
        told.add((answer.status_code, str(sorted(headers.items())), str(body)))
    assert len(told) == 1
    pass_time(cloned, 61)
    assert (await registered.post(LOGIN, json=ADA)).status_code == 200


async def test_the_thirty_first_failure_in_a_minute_is_refused_for_the_rest_of_it(
    registered: httpx.AsyncClient, app: Application, checks: list[str], cloned: ClonedDatabase
) -> None:
    for number in range(30):
        answer = await registered.post(LOGIN, json=WRONG | {"email": f"pupil{number}@example.org"})
        assert code(answer) == "auth.invalid_credentials"
    for body in (WRONG, ADA):
        answer = await registered.post(LOGIN, json=body)
        assert (answer.status_code, code(answer)) == (429, "request.too_many")
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert answer.headers["ratelimit-policy"] == '"sign-in";q=30;w=60'
        assert answer.headers["ratelimit"] == f'"sign-in";r=0;t={answer.headers["retry-after"]}'
    assert len(checks) == 30
    async with from_address(app, "198.51.100.1") as elsewhere:
        assert (await elsewhere.post(LOGIN, json=ADA)).status_code == 200
    pass_time(cloned, 61)
    assert (await registered.post(LOGIN, json=ADA)).status_code == 200


async def test_right_passwords_use_nothing_up(registered: httpx.AsyncClient) -> None:
    for _ in range(40):
        assert (await registered.post(LOGIN, json=ADA | {"delivery": "body"})).status_code == 200


async def test_all_of_one_ipv6_network_are_one_caller(registered: httpx.AsyncClient, app: Application) -> None:
    for number in range(30):
        async with from_address(app, f"2001:db8:1:2::{number:x}") as neighbour:
            await neighbour.post(LOGIN, json=WRONG | {"email": f"pupil{number}@example.org"})
    for ip, status in (("2001:db8:1:2:ffff::1", 429), ("2001:db8:1:3::1", 200)):
        async with from_address(app, ip) as client:
            assert (await client.post(LOGIN, json=ADA)).status_code == status


async def test_nobody_chooses_an_address_by_a_header(
    registered: httpx.AsyncClient, app: Application, cloned: ClonedDatabase
) -> None:
    """Only of a proxy that is trusted it is believed, and then everybody behind it counts alone."""
    for number in range(31):
        answer = await registered.post(
            LOGIN,
            json=WRONG | {"email": f"pupil{number}@example.org"},
            headers={"x-forwarded-for": f"198.51.100.{number}"},
        )
    assert answer.status_code == 429
    async with (
        serving(cloned, [], trusted_proxies=("127.0.0.0/8",)) as behind_a_proxy,
        browser(behind_a_proxy) as client,
    ):
        for number in range(31):
            answer = await client.post(
                LOGIN,
                json=WRONG | {"email": f"pupil{number}@example.org"},
                headers={"x-forwarded-for": f"203.0.113.{number}"},
            )
        assert answer.status_code == 401


async def test_without_its_counters_nobody_is_let_in(
    registered: httpx.AsyncClient, checks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(PostgresThrottleWork, "hold_attempts", away)
    for path in (LOGIN, REGISTER):
        answer = await registered.post(path, json=ADA)
        assert (answer.status_code, code(answer)) == (503, "service.unavailable")
    assert checks == []


async def test_registrations_from_one_address_are_counted_whatever_becomes_of_them(cloned: ClonedDatabase) -> None:
    async with serving(cloned, [], registrations_per_ten_minutes=3) as app, browser(app) as client:
        answers = [await client.post(REGISTER, json=ADA) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 409, 409]
        assert [answer.headers["ratelimit"][:19] for answer in answers] == [f'"registration";r={n};' for n in (2, 1, 0)]
        assert answers[0].headers["ratelimit-policy"] == '"registration";q=3;w=600'
        refused = await client.post("/admin/auth/register", json=ADA | {"email": "grace@example.org"})
        assert (refused.status_code, code(refused)) == (429, "request.too_many")
        assert refused.headers["ratelimit-policy"] == '"registration";q=3;w=600'
        assert refused.headers.get_list("ratelimit") == [f'"registration";r=0;t={refused.headers["retry-after"]}']
        async with from_address(app, "198.51.100.1") as elsewhere:
            assert (await elsewhere.post(REGISTER, json=ADA)).status_code == 409


async def test_a_foreign_page_uses_nobodys_quota_up(cloned: ClonedDatabase) -> None:
    async with serving(cloned, [], registrations_per_ten_minutes=1) as app, browser(app) as client:
        assert code(await client.post(REGISTER, json=ADA, headers=EVIL)) == "auth.origin_refused"
        assert (await client.post(REGISTER, json=ADA)).status_code == 201


async def test_imports_are_counted_by_user(site: WholeSite) -> None:
    body = b"question-id,question-text\n"
    headers = {"content-type": "text/csv"}

    async def send(person: str) -> httpx.Response:
        return await site.ask("POST", "/instructor/question-imports", person, content=body, headers=headers)

    limit = site.container.quotas()["import"].limit
    first = await send("instructor")
    assert first.status_code == 422
    assert first.headers["ratelimit"] == f'"import";r={limit - 1};t=60'
    site.database.keeper.execute(
        "update attempt_counters set failures = %(limit)s where key like 'import:%%'", {"limit": limit}
    )
    assert (await send("instructor")).status_code == 429
    assert (await send("admin")).headers["ratelimit"] == f'"import";r={limit - 1};t=60'


def routes(app: Application) -> Iterator[tuple[str, dict[str, object]]]:
    """Every operation's id without its portal, and what its route says of it."""
    for route in app.litestar.routes:
        for handler in getattr(route, "route_handlers", ()):
            if "POST" in handler.http_methods:
                yield handler.fn.__name__, handler.opt


def test_every_route_for_everybody_that_changes_something_is_counted(site: WholeSite) -> None:
    public = {name: opt.get("quota") for name, opt in routes(site.app) if not opt.get("callers")}
    assert {name for name, quota in public.items() if quota is None} == COUNTED_OTHERWISE
    quotas: Mapping[str, Quota] = site.container.quotas()
    used = {str(opt["quota"]) for _, opt in routes(site.app) if "quota" in opt}
    assert used == set(quotas)
    assert all(name == quota.name for name, quota in quotas.items())


def test_the_document_tells_what_is_counted(site: WholeSite) -> None:
    paths = site.app.document()["paths"]
    told = paths[REGISTER]["post"]["responses"]
    assert {"RateLimit", "RateLimit-Policy"} <= set(told["201"]["headers"])
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(told["429"]["headers"])
    assert "Retry-After" in paths[LOGIN]["post"]["responses"]["429"]["headers"]
