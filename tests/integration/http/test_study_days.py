"""Days of study over HTTP: for a calendar, and nobody else's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.support.http import assert_problem
from tests.support.whole_site import WholeSite

pytestmark = pytest.mark.usefixtures("within_one_day")

DAYS = "/student/study-days"
DAY = timedelta(days=1)


@pytest.fixture
def clean(whole_site: WholeSite) -> WholeSite:
    """The site, in which nobody has studied yet and all live by UTC."""
    for table in ("practice_slots", "practice_sessions", "study_days", "student_progress"):
        whole_site.database.keeper.execute(f"delete from {table}".encode())
    return whole_site


async def asked(site: WholeSite, person: str = "student", **query: str) -> dict[str, Any]:
    answer = await site.ask("GET", DAYS, person, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


def study(site: WholeSite, *days: date, email: str = "student@example.org") -> None:
    for day in days:
        site.database.keeper.execute(
            "insert into study_days (user_id, day, credited_at, kind, source_id)"
            " select id, %s, now(), 'practice_answer', 'prs_1' from users where email = %s",
            (day, email),
        )


async def test_unasked_it_is_the_last_365_days(clean: WholeSite) -> None:
    before = datetime.now(UTC).date()
    body = await asked(clean)
    today = date.fromisoformat(body["today"])
    assert today in {before, datetime.now(UTC).date()}
    assert body == {
        "from": str(today - 364 * DAY),
        "to": str(today),
        "today": str(today),
        "timeZone": "UTC",
        "days": [],
    }


async def test_an_answer_is_a_day_of_study_at_once(clean: WholeSite) -> None:
    session = await clean.practice(count=2)
    sent = {"slot": 1, "choiceIds": [session["questions"][0]["choices"][0]["id"]]}
    await clean.ask("POST", f"/practice-sessions/{session['id']}/answers", "student", json=sent)
    body = await asked(clean)
    assert body["days"] == [body["today"]]
    assert (await asked(clean, "stranger"))["days"] == []


async def test_days_of_a_stretch_its_ends_included(clean: WholeSite) -> None:
    first = date(2026, 1, 10)
    study(clean, *(first + number * DAY for number in (-1, 0, 3, 20, 21)))
    body = await asked(clean, **{"from": "2026-01-10", "to": "2026-01-30"})
    assert body["days"] == ["2026-01-10", "2026-01-13", "2026-01-30"]
    assert (await asked(clean, **{"from": "2026-01-10"}))["to"] == "2027-01-09"
    assert (await asked(clean, to="2026-01-10"))["days"] == ["2026-01-09", "2026-01-10"]


async def test_today_is_the_callers_own(clean: WholeSite) -> None:
    zone = "Pacific/Kiritimati"
    assert (await clean.ask("PATCH", "/student/profile", "student", json={"timeZone": zone})).status_code == 200
    before = (datetime.now(UTC) + timedelta(hours=14)).date()
    body = await asked(clean)
    assert body["timeZone"] == zone
    assert date.fromisoformat(body["today"]) in {before, (datetime.now(UTC) + timedelta(hours=14)).date()}
    assert body["to"] == body["today"]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-01-02", "to": "2026-01-01"},
        {"from": "2025-01-01", "to": "2026-02-05"},
        *({name: text} for name in ("from", "to") for text in ("", "x", "2026-02-30", "2026-01-01T00:00:00Z", "1")),
        *({name: text} for name in ("from", "to") for text in ("0001-01-01", "1999-12-31", "2100-01-01", "9999-12-31")),
    ],
)
async def test_what_cannot_be_asked_for_is_refused(site: WholeSite, query: dict[str, str]) -> None:
    answer = await site.ask("GET", DAYS, "student", params=query)
    assert_problem(answer, 422, "request.invalid")
    assert answer.json()["errors"][0]["pointer"] == f"?{next(iter(query))}"


async def test_four_hundred_days_are_the_most(site: WholeSite) -> None:
    assert (await asked(site, **{"from": "2025-01-01", "to": "2026-02-04"}))["to"] == "2026-02-04"


@pytest.mark.parametrize("person", ["instructor", "admin"])
async def test_staff_have_no_days_of_study(site: WholeSite, person: str) -> None:
    assert_problem(await site.ask("GET", DAYS, person), 403, "auth.forbidden")
