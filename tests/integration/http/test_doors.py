"""One house behind all doors: a session that was opened through one is seen, counted and ended through every other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import pytest

from application.mail import MailKind
from tests.support.doors import AT_HOME, DOORS, Device, DoorDevice, device_at, devices_of
from tests.support.mailbox import OutboxMailbox, mail_settings, site_mailbox
from tests.support.postgres import ClonedDatabase
from tests.support.visitors import FROM_ANYWHERE
from tests.support.whole_site import WholeSite, whole_site_of

_NEW_PASSWORD: Final = "eleven boats under the bridge"
# What an administrator's list calls the ways in.
_CALLED: Final = {"portal": "portal", "better-auth": "cookie", "practice platform": "portal"}


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeSite]:
    settings = mail_settings(tmp_path_factory.mktemp("data")) | FROM_ANYWHERE | AT_HOME
    async with whole_site_of(module_database, **settings) as site:
        yield site


@pytest.fixture
def mailbox(site: WholeSite) -> OutboxMailbox:
    return site_mailbox(site.container)


@pytest.mark.parametrize("seen_from", DOORS)
async def test_every_door_lists_the_sessions_of_all(site: WholeSite, seen_from: str) -> None:
    others = [door for door in DOORS if door != seen_from]
    async with devices_of(site.app, seen_from, *others) as (own, *rest):
        ids = {door: await device.session_id() for door, device in zip((seen_from, *others), (own, *rest), strict=True)}
        seen = {item["id"]: (item["door"], item["current"]) for item in await own.sessions()}
        assert seen == {ids[door]: (_CALLED[door], door == seen_from) for door in DOORS}
        listed = await site.ask("GET", f"/admin/users/{await own.user_id()}/auth-sessions", "admin")
        assert {item["id"]: item["door"] for item in listed.json()["items"]} == {
            ids[door]: _CALLED[door] for door in DOORS
        }


async def test_the_better_auth_door_lists_sessions_of_other_doors_by_a_handle(site: WholeSite) -> None:
    """The handle ends the session that it stands for, and opens nothing."""
    async with devices_of(site.app, "better-auth", "portal", "practice platform") as (own, *rest):
        listed = (await own.get("/list-sessions")).json()
        handles = {await device.session_id() for device in rest}
        assert {item["token"] for item in listed if item["id"] != await own.session_id()} == handles
        for handle, device in zip(sorted(handles), rest, strict=True):
            tried = await own.client.get("/student/auth/me", headers={"authorization": f"Bearer {handle}"})
            assert tried.status_code == 401
            assert await device.is_in()


@pytest.mark.parametrize("last", DOORS)
async def test_a_full_limit_ends_the_session_seen_least_lately_whatever_its_door(site: WholeSite, last: str) -> None:
    for first in DOORS:
        between = ("portal", "better-auth")
        async with (
            devices_of(site.app, first, *between) as (oldest, *rest),
            device_at(site.app, last, oldest.email) as newest,
        ):
            _make_older(site, await oldest.session_id())
            assert (await newest.sign_in()).is_success
            assert [await device.is_in() for device in (oldest, *rest, newest)] == [False, True, True, True]


def _make_older(site: WholeSite, session_id: str) -> None:
    seen = b"update auth_sessions set last_seen_at = last_seen_at - interval '1 hour' where id = %s"
    site.database.keeper.execute(seen, (session_id,))


@pytest.mark.parametrize("held", DOORS)
async def test_where_a_limit_denies_further_sessions_every_door_says_so(site: WholeSite, held: str) -> None:
    async with devices_of(site.app, held) as (holder,):
        path = f"/admin/users/{await holder.user_id()}/session-limit"
        limited = await site.ask("PUT", path, "admin", json={"limit": 1, "whenFull": "deny"})
        assert limited.is_success, limited.text
        told = {}
        for door in DOORS:
            async with device_at(site.app, door, holder.email) as another:
                answer = await another.sign_in()
                told[door] = (answer.status_code, answer.json().get("code"))
        assert told["portal"] == (403, "auth.session_limit_reached")
        assert told["better-auth"] == (403, "SESSION_LIMIT_REACHED")
        assert told["practice platform"][0] == 403
        assert await holder.is_in()


async def test_a_lower_limit_that_is_enforced_ends_sessions_of_every_door(site: WholeSite) -> None:
    async with devices_of(site.app, *DOORS) as devices:
        path = f"/admin/users/{await devices[0].user_id()}/session-limit"
        enforced = await site.ask("PUT", path, "admin", json={"limit": 1, "enforceNow": True})
        assert enforced.is_success, enforced.text
        assert [await device.is_in() for device in devices].count(True) == 1


Ending = Callable[[WholeSite, Device, Device], Awaitable[Any]]


async def _own_list(site: WholeSite, victim: Device, other: Device) -> Any:
    return await other.ask("DELETE", f"/student/auth/sessions/{await victim.session_id()}")


async def _logout_all(site: WholeSite, victim: Device, other: Device) -> Any:
    return await other.ask("POST", "/student/auth/logout-all")


async def _password_change(site: WholeSite, victim: Device, other: Device) -> Any:
    body = {"currentPassword": other.password, "newPassword": _NEW_PASSWORD}
    return await other.ask("POST", "/student/auth/change-password", json=body)


async def _by_handle(site: WholeSite, victim: Device, other: Device) -> Any:
    assert isinstance(other, DoorDevice)
    return await other.post("/revoke-session", token=await victim.session_id())


async def _others_of_the_door(site: WholeSite, victim: Device, other: Device) -> Any:
    assert isinstance(other, DoorDevice)
    return await other.post("/revoke-other-sessions")


async def _all_of_the_door(site: WholeSite, victim: Device, other: Device) -> Any:
    assert isinstance(other, DoorDevice)
    return await other.post("/revoke-sessions")


async def _password_at_the_door(site: WholeSite, victim: Device, other: Device) -> Any:
    assert isinstance(other, DoorDevice)
    return await other.post(
        "/change-password", currentPassword=other.password, newPassword=_NEW_PASSWORD, revokeOtherSessions=True
    )


async def _deletion_at_the_door(site: WholeSite, victim: Device, other: Device) -> Any:
    assert isinstance(other, DoorDevice)
    return await other.post("/delete-user", password=other.password)


async def _logout_all_of_the_platform(site: WholeSite, victim: Device, other: Device) -> Any:
    return await other.ask("POST", "/api/v1/auth/logout-all")


async def _password_at_the_platform(site: WholeSite, victim: Device, other: Device) -> Any:
    body = {"old_password": other.password, "new_password": _NEW_PASSWORD}
    return await other.ask("POST", "/api/v1/auth/change-password", json=body)


async def _admin_one(site: WholeSite, victim: Device, other: Device) -> Any:
    path = f"/admin/users/{await victim.user_id()}/auth-sessions/{await victim.session_id()}/revoke"
    return await site.ask("POST", path, "admin")


async def _admin_all(site: WholeSite, victim: Device, other: Device) -> Any:
    return await site.ask("POST", f"/admin/users/{await victim.user_id()}/auth-sessions/revoke-all", "admin")


async def _disabling(site: WholeSite, victim: Device, other: Device) -> Any:
    path = f"/admin/users/{await victim.user_id()}"
    return await site.ask("PATCH", path, "admin", json={"status": "disabled"})


async def _deletion(site: WholeSite, victim: Device, other: Device) -> Any:
    return await site.ask("DELETE", f"/admin/users/{await victim.user_id()}", "admin")


async def _another_role(site: WholeSite, victim: Device, other: Device) -> Any:
    path = f"/admin/users/{await victim.user_id()}"
    return await site.ask("PATCH", path, "admin", json={"role": "instructor"})


_ENDINGS: Final[Mapping[str, tuple[str, Ending]]] = {
    "own list": ("portal", _own_list),
    "own list, under the door's cookie": ("better-auth", _own_list),
    "own list, as an app": ("practice platform", _own_list),
    "logout-all": ("portal", _logout_all),
    "logout-all, under the door's cookie": ("better-auth", _logout_all),
    "change of the password": ("portal", _password_change),
    "change of the password, under the door's cookie": ("better-auth", _password_change),
    "revoke-session": ("better-auth", _by_handle),
    "revoke-other-sessions": ("better-auth", _others_of_the_door),
    "revoke-sessions": ("better-auth", _all_of_the_door),
    "change of the password at the door": ("better-auth", _password_at_the_door),
    "deletion by oneself": ("better-auth", _deletion_at_the_door),
    "logout-all of the platform": ("practice platform", _logout_all_of_the_platform),
    "change of the password at the platform": ("practice platform", _password_at_the_platform),
    "an admin ends one": ("portal", _admin_one),
    "an admin ends all": ("portal", _admin_all),
    "disabled": ("portal", _disabling),
    "deleted": ("portal", _deletion),
    "another role": ("portal", _another_role),
}


@pytest.mark.parametrize("victims_door", DOORS)
@pytest.mark.parametrize("ending", _ENDINGS)
async def test_what_ends_a_session_ends_it_whatever_its_door_at_once(
    site: WholeSite, victims_door: str, ending: str
) -> None:
    through, end = _ENDINGS[ending]
    async with devices_of(site.app, victims_door, through) as (victim, other):
        assert await victim.is_in()
        done = await end(site, victim, other)
        assert done.is_success, done.text
        assert not await victim.is_in()


_RESETS: Final = {
    "portal": ("/student/auth/request-password-reset", "/student/auth/reset-password", "password"),
    "better-auth": ("/api/auth/request-password-reset", "/api/auth/reset-password", "newPassword"),
}


@pytest.mark.parametrize("asked_at", _RESETS)
@pytest.mark.parametrize("used_at", _RESETS)
async def test_a_reset_ends_every_session_and_its_link_is_good_at_either_door(
    site: WholeSite, mailbox: OutboxMailbox, asked_at: str, used_at: str
) -> None:
    async with devices_of(site.app, *DOORS) as devices, device_at(site.app, used_at) as stranger:
        (ask, *_), (_, use, field) = _RESETS[asked_at], _RESETS[used_at]
        assert (await stranger.client.post(ask, json={"email": devices[0].email})).is_success
        mail = await mailbox.newest(MailKind.RESET_PASSWORD, devices[0].email)
        done = await stranger.client.post(use, json={field: _NEW_PASSWORD, "token": mail.secret})
        assert done.is_success, done.text
        assert [await device.is_in() for device in devices] == [False] * 3
        again = await stranger.client.post(use, json={field: _NEW_PASSWORD, "token": mail.secret})
        assert again.status_code in {400, 404, 410, 422}, again.text


async def test_a_session_through_which_an_exam_is_sat_is_ended_last_by_a_full_limit(site: WholeSite) -> None:
    """The least recently seen goes first, but not while another one is left through which no exam is sat."""
    async with (
        devices_of(site.app, "better-auth", "portal", "practice platform") as (sitting, idle, other),
        device_at(site.app, "portal", sitting.email) as newest,
    ):
        enrolled = await sitting.ask("POST", "/student/enrollments", json={"examPackageId": site.package})
        assert enrolled.status_code == 201, enrolled.text
        begun = await sitting.ask("POST", "/exam-sessions", json={"examPackageId": site.package})
        assert begun.status_code == 201, begun.text
        _make_older(site, await sitting.session_id())
        assert (await newest.sign_in()).is_success
        assert await sitting.is_in()
        assert [await device.is_in() for device in (idle, other)].count(False) == 1
