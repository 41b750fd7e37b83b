"""What is recorded of the better-auth door: the same events as of the portals, one for each attempt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from adapters.system.security_log import LOGGER
from tests.support.doors import DoorDevice, device_at
from tests.support.log_lines import JsonLines, logged
from tests.support.whole_site import PASSWORD, WholeSite

_NEW = "eleven boats under the bridge"


@pytest.fixture
def lines() -> Iterator[JsonLines]:
    """The security events."""
    with logged(LOGGER) as lines:
        yield lines


@pytest.fixture
async def eve(whole_site: WholeSite) -> AsyncIterator[DoorDevice]:
    """A student who has signed up at the door."""
    async with device_at(whole_site.app, "better-auth") as device:
        assert (await device.register()).status_code == 200
        yield device


def told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["event"], event["outcome"]) for event in events]


async def test_asvs_16_2_1_and_16_3_1_each_sign_in_at_the_door_leaves_one_event(
    eve: DoorDevice, whole_site: WholeSite, lines: JsonLines
) -> None:
    eve.client.headers["x-forwarded-for"] = "203.0.113.77"
    lines.taken()
    answer = await eve.sign_in()
    (event,) = lines.taken()
    session_id, user_id = await eve.session_id(), await eve.user_id()
    assert (event["event"], event["outcome"], event["userId"]) == ("sign_in", "succeeded", user_id)
    assert (event["sessionId"], event["ip"], event["portal"]) == (session_id, "203.0.113.77", "student")
    assert event["requestId"] == answer.headers["x-request-id"]
    wrong = {"nobody@example.org": PASSWORD, eve.email: "not the password", "admin@example.org": PASSWORD}
    outcomes = []
    for email, password in wrong.items():
        async with device_at(whole_site.app, "better-auth", email, password=password) as device:
            await device.sign_in()
        outcomes += told(lines.taken())
    assert outcomes == [
        ("sign_in", "wrong_credentials"),
        ("sign_in", "wrong_credentials"),
        ("sign_in", "wrong_portal"),
    ]


async def test_asvs_16_3_1_what_is_done_with_an_account_at_the_door_is_told(
    eve: DoorDevice, whole_site: WholeSite, lines: JsonLines
) -> None:
    """Once each, and those that were refused as well."""
    async with device_at(whole_site.app, "better-auth", eve.email) as other:
        assert (await other.sign_in()).status_code == 200
        lines.taken()
        steps = {}
        for path, body in (
            ("/verify-password", {"password": "not the password"}),
            ("/change-password", {"currentPassword": "not the password", "newPassword": _NEW}),
            ("/change-password", {"currentPassword": PASSWORD, "newPassword": _NEW, "revokeOtherSessions": True}),
            ("/request-password-reset", {"email": eve.email}),
            ("/change-email", {"newEmail": f"new-{eve.email}"}),
            ("/revoke-other-sessions", {}),
            ("/sign-out", {}),
        ):
            await eve.post(path, **body)
            steps[path] = told(lines.taken())
    assert {path: len(events) for path, events in steps.items()} == dict.fromkeys(steps, 1)
    assert steps["/verify-password"] == [("password_confirmed", "wrong_credentials")]
    assert steps["/change-password"] == [("password_changed", "succeeded")]
    assert steps["/sign-out"] == [("sign_out", "succeeded")]


async def test_asvs_16_3_2_a_refusal_for_want_of_a_right_at_the_door_is_in_the_record_of_requests(
    eve: DoorDevice, whole_site: WholeSite
) -> None:
    user_id = await eve.user_id()
    eve.client.cookies.clear()
    refused = await eve.post("/revoke-sessions")
    assert refused.status_code == 401
    whole_site.app.log.flush()
    write: Any = whole_site.app.log._write
    lines = write.__self__.lines()
    (line,) = [each for each in lines if each["requestId"] == refused.headers["x-request-id"]]
    assert (line["status"], line["route"]) == (401, "/api/auth/revoke-sessions")
    known = [each for each in lines if each.get("userId") == user_id]
    assert known
