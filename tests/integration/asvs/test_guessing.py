"""Guessing and flooding from end to end: what is checked, what is answered, and how long anybody has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from unittest.mock import patch

import httpx
import pytest

from adapters.security.passwords import ArgonPasswordHasher
from entrypoints.http.app import Application
from entrypoints.provisioning import bootstrap
from entrypoints.settings import Account, Settings
from tests.support.auth_builders import SECRET
from tests.support.auth_http import code, serving
from tests.support.postgres import ClonedDatabase
from tests.support.visitors import FROM_ANYWHERE, Visitor, student, visitor, visitor_at
from tests.support.whole_site import PASSWORD, WholeSite


@pytest.fixture
def checked() -> Iterator[list[str | None]]:
    """The hashes that passwords were compared with, one entry for each check."""
    seen: list[str | None] = []
    matches = ArgonPasswordHasher.matches

    async def counted(self: ArgonPasswordHasher, password: str, password_hash: str | None) -> bool:
        seen.append(password_hash)
        return await matches(self, password, password_hash)

    with patch.object(ArgonPasswordHasher, "matches", counted):
        yield seen


async def guess(site: WholeSite, person: Visitor) -> httpx.Response:
    """A wrong password for this account, from an address of its own."""
    async with visitor(site, person.email) as guesser:
        guesser.password = "not the password"
        return await guesser.sign_in()


def alike(answer: httpx.Response) -> dict[str, object]:
    return {**answer.json(), "instance": ""}


async def test_asvs_6_3_1_the_sixth_guess_is_not_checked_and_nobody_sees_the_difference(
    whole_site: WholeSite, checked: list[str | None]
) -> None:
    async with student(whole_site) as person, student(whole_site) as other, visitor(whole_site) as unknown:
        answers = [await guess(whole_site, person) for _ in range(7)]
        assert len(checked) == 5
        right = await person.sign_in()
        assert len(checked) == 5, "the right password neither"
        never = await unknown.sign_in()
        assert checked[5:] == [None], "an account that is not there costs a check all the same"
        assert {code(answer) for answer in answers} == {"auth.invalid_credentials"}
        assert alike(answers[0]) == alike(answers[-1]) == alike(right) == alike(never)
        assert (await other.sign_in()).status_code == 200, "another account is not affected"
        whole_site.database.keeper.execute("update attempt_counters set blocked_until = now() - interval '1 second'")
        assert (await person.sign_in()).status_code == 200, "the pause is over"


async def test_asvs_6_3_1_guesses_at_the_same_moment_are_counted_too(
    whole_site: WholeSite, checked: list[str | None]
) -> None:
    async with student(whole_site) as person:
        answers = await asyncio.gather(*(guess(whole_site, person) for _ in range(15)))
    assert {code(answer) for answer in answers} == {"auth.invalid_credentials"}
    assert len(checked) == 5


@pytest.fixture
async def strict(cloned: ClonedDatabase) -> AsyncIterator[Application]:
    """An installation that allows little."""
    quotas = {"registrations_per_ten_minutes": 2, "mail_requests_per_ten_minutes": 2}
    async with serving(cloned, [], sign_in_failures_per_minute=4, **FROM_ANYWHERE, **quotas) as app:
        yield app


async def test_asvs_2_4_1_and_6_3_1_one_address_gets_so_many_sign_ins_registrations_and_mails(
    strict: Application,
) -> None:
    """And its neighbour is not affected."""
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(visitor_at(strict, ip="203.0.113.7")) for _ in range(6)]
        guessed = [await person.sign_in() for person in people]
        registered = [await person.register() for person in people[:3]]
        asked = [
            await person.post(verb, email=person.email)
            for verb in ("request-password-reset", "resend-verification")
            for person in people[:3]
        ]
        neighbour = await stack.enter_async_context(visitor_at(strict, ip="203.0.113.8"))
        assert code(await neighbour.sign_in()) == "auth.invalid_credentials"
        assert (await neighbour.register()).status_code == 201
    assert [answer.status_code for answer in guessed] == [401, 401, 401, 401, 429, 429]
    assert [answer.status_code for answer in registered] == [201, 201, 429]
    assert [answer.status_code for answer in asked] == [202, 202, 429, 429, 429, 429]
    for answer, seconds in ((guessed[-1], 60), (registered[-1], 600), (asked[-1], 600)):
        assert code(answer) == "request.too_many"
        assert 1 <= int(answer.headers["retry-after"]) <= seconds
        assert {"ratelimit", "ratelimit-policy"} <= set(answer.headers)


async def test_asvs_6_3_2_a_new_installation_has_no_account_but_the_one_that_is_named_and_must_change_its_password(
    cloned: ClonedDatabase,
) -> None:
    """Neither the migrations nor the defaults bring one."""
    assert cloned.keeper.execute("select count(*) from users").fetchone() == (0,)
    assert (Settings().bootstrap_admin, Settings().bootstrap_instructor) == (None, None)
    first = Account(email="root@example.org", password=PASSWORD)
    settings = Settings(database_url=cloned.urls.app, secret_keys=(SECRET,), bootstrap_admin=first)
    assert await asyncio.to_thread(bootstrap, settings) == [first.email]
    async with serving(cloned, []) as app, visitor_at(app, first.email, "admin") as root:
        assert (await root.sign_in()).status_code == 200
        assert code(await root.client.get("/admin/auth/sessions")) == "auth.password_change_required"
        changed = await root.post("change-password", currentPassword=PASSWORD, newPassword="a sentence of root's own")
        assert changed.status_code == 200
        assert (await root.client.get("/admin/auth/sessions")).status_code == 200
