"""What is recorded: security events, refusals for want of a right, and the acts of admins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.system.security_log import LOGGER
from tests.support.http import assert_problem
from tests.support.log_lines import JsonLines, logged
from tests.support.visitors import Visitor, visitor
from tests.support.whole_site import PASSWORD, WholeSite


@pytest.fixture
def lines() -> Iterator[JsonLines]:
    """The security events."""
    with logged(LOGGER) as lines:
        yield lines


def told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["event"], event["outcome"]) for event in events]


async def test_asvs_16_2_1_and_16_2_2_and_16_3_1_each_sign_in_leaves_one_event_that_tells_who_and_whence(
    whole_site: WholeSite, lines: JsonLines
) -> None:
    async with visitor(whole_site, ip="203.0.113.21") as person:
        await person.register()
        lines.taken()
        person_id = (await person.me()).json()["user"]["id"]
        answer = await person.sign_in()
        (event,) = lines.taken()
        assert datetime.now(UTC) - datetime.fromisoformat(event["time"]) < timedelta(seconds=30)
        assert event["time"].endswith("Z")
        assert (event["event"], event["outcome"], event["userId"]) == ("sign_in", "succeeded", person_id)
        assert (event["ip"], event["portal"]) == ("203.0.113.21", "student")
        assert event["sessionId"] == (await person.me()).json()["session"]["id"]
        assert event["requestId"] == answer.headers["x-request-id"]


async def test_asvs_16_3_1_every_outcome_of_an_attempt_is_an_event_of_its_own(
    ada: Visitor, whole_site: WholeSite, lines: JsonLines
) -> None:
    stranger = await _outcome(whole_site, lines, email="nobody@example.org")
    wrong = await _outcome(whole_site, lines, email=ada.email, password="not the password")
    portal = await _outcome(whole_site, lines, email=ada.email, portal="admin")
    for _ in range(5):
        await _outcome(whole_site, lines, email=ada.email, password="not the password")
    locked = await _outcome(whole_site, lines, email=ada.email)
    assert (stranger, wrong, portal, locked) == (
        [("sign_in", "wrong_credentials")],
        [("sign_in", "wrong_credentials")],
        [("sign_in", "wrong_portal")],
        [("sign_in", "locked")],
    )


async def _outcome(
    site: WholeSite, lines: JsonLines, *, email: str, password: str = PASSWORD, portal: str = "student"
) -> list[tuple[str, str]]:
    lines.taken()
    async with visitor(site, email, portal) as person:
        person.password = password
        await person.sign_in()
    return told(lines.taken())


async def test_asvs_16_3_1_what_is_done_with_an_account_is_told(ada: Visitor, lines: JsonLines) -> None:
    await ada.post("change-password", currentPassword="not the password", newPassword="quite another sentence")
    await ada.post("change-password", currentPassword=PASSWORD, newPassword="quite another sentence")
    await ada.post("request-password-reset", email=ada.email)
    await ada.post("resend-verification", email=ada.email)
    ada.password = "quite another sentence"
    await ada.post("logout")
    await ada.sign_in()
    await ada.post("logout-all")
    assert [event for event, _ in told(lines.taken())] == [
        "password_change_refused",
        "password_changed",
        "reset_requested",
        "verification_requested",
        "sign_out",
        "sign_in",
        "sign_out_everywhere",
    ]


async def test_asvs_16_3_2_every_refusal_for_want_of_a_right_is_recorded(whole_site: WholeSite) -> None:
    """In the record of requests, with the person's id."""
    refused = await whole_site.ask("GET", "/admin/users", "student")
    assert_problem(refused, 403, "auth.forbidden")
    unknown = await whole_site.ask("GET", "/admin/users")
    whole_site.app.log.flush()
    write = whole_site.app.log._write
    requests = {line["requestId"]: line for line in write.__self__.lines()}  # type: ignore[attr-defined]
    line = requests[refused.headers["x-request-id"]]
    assert (line["status"], line["route"], line["method"]) == (403, "/admin/users", "GET")
    assert line["userId"].startswith("usr_")
    assert requests[unknown.headers["x-request-id"]]["status"] == 401


async def test_asvs_16_3_3_getting_around_a_control_is_recorded(
    ada: Visitor, whole_site: WholeSite, lines: JsonLines
) -> None:
    """A refresh token that was used by two is an event and an audit row, and ends the session."""
    stolen = ada.refresh
    await ada.post("refresh")
    whole_site.database.keeper.execute("update auth_refresh_tokens set used_at = used_at - interval '11 seconds'")
    lines.taken()
    await ada.post("refresh", refreshToken=stolen)
    (event,) = lines.taken()
    assert event["event"] == "refresh_reused"
    row = whole_site.database.keeper.execute(
        "select action, subject, request_id from audit_log order by id desc limit 1"
    ).fetchone()
    assert row == ("session.refresh_reused", event["sessionId"], event["requestId"])


async def test_asvs_16_3_3_every_act_of_an_admin_leaves_one_audit_row(ada: Visitor, whole_site: WholeSite) -> None:
    person = (await ada.me()).json()["user"]["id"]
    before = whole_site.rows()["audit_log"]
    done = await whole_site.ask(
        "PATCH", f"/admin/users/{person}", "admin", json={"name": "Countess", "reason": "she asked"}
    )
    assert done.status_code == 200, done.text
    assert whole_site.rows()["audit_log"] == before + 1
    (row,) = (await whole_site.ask("GET", f"/admin/audit-log?subject={person}", "admin")).json()["items"][:1]
    assert (row["subject"], row["reason"], row["requestId"]) == (person, "she asked", done.headers["x-request-id"])


_FORGED_LINE = 'a browser"\r\n{"event":"sign_in","outcome":"succeeded","userId":"usr_1"}\u2028\x1b[31m'


async def test_asvs_16_4_1_nobody_writes_lines_of_the_log(ada: Visitor, lines: JsonLines) -> None:
    """What a client calls itself is one value in one line, whatever stands in it."""
    ada.client.headers["user-agent"] = _FORGED_LINE.encode("utf-8").decode("latin-1")
    await ada.sign_in()
    (event,) = lines.taken()
    assert event["event"] == "sign_in"
    assert '"event":"sign_in"' in event["userAgent"]
    assert event["userId"] != "usr_1"


async def test_asvs_16_2_5_an_account_that_is_named_is_told_apart_and_not_told(
    whole_site: WholeSite, lines: JsonLines
) -> None:
    """People type passwords where an address belongs."""
    async with visitor(whole_site, "my password, typed too early") as person:
        await person.sign_in()
        await person.sign_in()
    first, second = lines.taken()
    assert first["account"] == second["account"]
    assert len(first["account"]) == 16
    assert "typed too early" not in json.dumps([first, second])
