"""What a student does who came through the better-auth door, and what the doors know of each other's passwords."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from tests.support.doors import AT_HOME, DOORS, DoorDevice, device_at, devices_of
from tests.support.postgres import ClonedDatabase
from tests.support.visitors import FROM_ANYWHERE
from tests.support.whole_site import PASSWORD, WholeSite, whole_site_of

_NEW_PASSWORD: Final = "eleven boats under the bridge"
_WRONG: Final = "not the password of anybody"
_RIGHT_OPTION: Final = {"choiceIds": ["B"]}


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database, **FROM_ANYWHERE, **AT_HOME) as site:
        yield site


async def test_a_student_of_the_door_enrols_practises_and_sits_an_exam_by_its_cookie(site: WholeSite) -> None:
    async with devices_of(site.app, "better-auth") as (ada,):
        person = (await ada.session())["user"]
        profile = (await ada.ask("GET", "/student/auth/me")).json()
        assert (profile["user"]["id"], profile["user"]["role"]) == (person["id"], "student")
        assert profile["session"]["id"] == (await ada.session())["session"]["id"]
        assert (await _done(ada, "POST", "/student/enrollments", 201, examPackageId=site.package))["status"] == "active"
        await _practise(ada, site.package)
        await _sit_an_exam(ada, site.package)


async def _practise(ada: DoorDevice, package: str) -> None:
    session = await _done(ada, "POST", "/practice-sessions", 201, examPackageId=package, feedback="immediate")
    path = f"/practice-sessions/{session['id']}"
    answered = await _done(ada, "POST", f"{path}/answers", 200, slot=1, **_RIGHT_OPTION)
    assert answered["feedback"]["correct"] is True
    assert (await _done(ada, "POST", f"{path}/finish", 200))["status"] == "finished"


async def _sit_an_exam(ada: DoorDevice, package: str) -> None:
    exam = await _done(ada, "POST", "/exam-sessions", 201, examPackageId=package)
    path = f"/exam-sessions/{exam['id']}"
    saved = await _done(ada, "PUT", f"{path}/answers/1", 200, response=_RIGHT_OPTION, baseRevision=0)
    assert saved["revision"] == 1
    await _done(ada, "POST", f"{path}/heartbeat", 200)
    assert (await _done(ada, "POST", f"{path}/submit", 200))["status"] == "finished"


async def _done(ada: DoorDevice, method: str, path: str, status: int, **body: Any) -> dict[str, Any]:
    answer = await ada.ask(method, path, json=body)
    assert answer.status_code == status, f"{path}: {answer.text}"
    found: dict[str, Any] = answer.json()
    return found


_CHANGES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "portal": ("/student/auth/change-password", {"currentPassword": PASSWORD, "newPassword": _NEW_PASSWORD}),
    "better-auth": ("/api/auth/change-password", {"currentPassword": PASSWORD, "newPassword": _NEW_PASSWORD}),
    "practice platform": ("/api/v1/auth/change-password", {"old_password": PASSWORD, "new_password": _NEW_PASSWORD}),
}


@pytest.mark.parametrize("door", DOORS)
async def test_a_password_that_is_changed_at_one_door_opens_all_and_the_old_one_none(
    site: WholeSite, door: str
) -> None:
    async with devices_of(site.app, door) as (ada,):
        path, body = _CHANGES[door]
        changed = await ada.ask("POST", path, json=body)
        assert changed.is_success, changed.text
        for other in DOORS:
            async with device_at(site.app, other, ada.email) as device:
                assert (await device.sign_in()).status_code == 401, "the old one"
                device.password = _NEW_PASSWORD
                assert (await device.sign_in()).is_success


@pytest.mark.parametrize("first", DOORS)
@pytest.mark.parametrize("then", DOORS)
async def test_wrong_guesses_at_different_doors_lock_one_account(site: WholeSite, first: str, then: str) -> None:
    """Three here and two there are five: then the right password opens no door, in the words of a wrong one."""
    async with device_at(site.app, "portal") as owner:
        assert (await owner.register()).is_success
        told = {}
        for door, guesses in ((first, 3), (then, 2)):
            async with device_at(site.app, door, owner.email, password=_WRONG) as guesser:
                answers = [await guesser.sign_in() for _ in range(guesses)]
                assert {answer.status_code for answer in answers} == {401}
                told[door] = answers[-1]
        for door in DOORS:
            async with device_at(site.app, door, owner.email) as device:
                refused = await device.sign_in()
                assert refused.status_code == 401, f"{door} is open"
                if door in told:
                    assert _words(refused) == _words(told[door])


async def test_four_wrong_guesses_across_the_doors_lock_nothing(site: WholeSite) -> None:
    async with device_at(site.app, "portal") as owner:
        assert (await owner.register()).is_success
        for door in ("better-auth", "practice platform", "portal", "better-auth"):
            async with device_at(site.app, door, owner.email, password=_WRONG) as guesser:
                assert (await guesser.sign_in()).status_code == 401
        assert (await owner.sign_in()).is_success


def _words(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "instance"}


@pytest.mark.parametrize("role", ["instructor", "admin"])
async def test_staff_are_told_so_at_the_students_doors_and_only_with_the_right_password(
    site: WholeSite, role: str
) -> None:
    told = {}
    for door in ("better-auth", "practice platform"):
        async with device_at(site.app, door, f"{role}@example.org") as device:
            answer = await device.sign_in()
            told[door] = (answer.status_code, answer.json().get("code"))
            assert "set-cookie" not in answer.headers
            device.password = _WRONG
            assert (await device.sign_in()).status_code == 401
    assert told["better-auth"] == (403, "WRONG_PORTAL")
    assert told["practice platform"][0] == 403
