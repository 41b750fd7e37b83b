"""The dashboard of administrators: every figure counts what it says, and nobody else sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.support.exam_site import ExamSite, exam_site_of
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import QUESTIONS

DASHBOARD = "/admin/dashboard"


@pytest.fixture(scope="module")
async def exams(module_database: ClonedDatabase) -> AsyncIterator[ExamSite]:
    async with exam_site_of(module_database) as site:
        site.whole.container.dashboard_reader.add_kwargs(clock=site.clock)
        now = site.clock.now()
        # Noon of another day, so that no day begins between two looks.
        site.later(seconds=(now.replace(hour=12) + timedelta(days=1) - now).total_seconds())
        yield site


async def _figures(exams: ExamSite) -> dict[str, Any]:
    answer = await exams.ask("GET", DASHBOARD, "admin")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


def _more(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is different, and by how much."""
    changed: dict[str, Any] = {}
    for name, value in after.items():
        if isinstance(value, dict):
            changed |= {f"{name}.{inner}": by for inner, by in _more(before[name], value).items()}
        elif isinstance(value, int) and value != before[name]:
            changed[name] = value - before[name]
    return changed


async def test_people_and_content_are_counted(exams: ExamSite) -> None:
    found = await _figures(exams)
    assert found["users"] == {"students": 2, "instructors": 1, "admins": 1}
    assert (found["questionBanks"], found["topics"], found["examPackages"], found["enrollments"]) == (1, 2, 1, 2)
    assert found["questions"] == {
        "draft": 0,
        "inReview": 0,
        "changesRequested": 0,
        "published": QUESTIONS,
        "archived": 0,
    }


@dataclass
class Since:
    """The dashboard, and what has changed on it since it was looked at last."""

    exams: ExamSite
    last: dict[str, Any]

    async def changes(self) -> dict[str, Any]:
        before, self.last = self.last, await _figures(self.exams)
        return _more(before, self.last)


async def test_an_exam_is_followed_from_its_start_to_its_end(exams: ExamSite) -> None:
    person = await exams.person()
    package = await exams.package(duration=600)
    await exams.enroll(package, person)
    since = Since(exams, await _figures(exams))

    session = (await exams.start(package, person)).json()
    started = {"examSessions.live": 1, "examSessions.liveByStatus.active": 1, "examSessions.today": 1, "events24h": 1}
    assert await since.changes() == started

    exams.later(seconds=91)
    assert await since.changes() == {"examSessions.connectionLost": 1}
    await exams.act(session, "heartbeat", {"seq": 1}, person=person)
    assert await since.changes() == {"examSessions.connectionLost": -1}

    flag = (await exams.oversee(session, "flags", person=person, type="noise")).json()
    assert await since.changes() == {"flags24h": 1, "openFlags": 1}
    assert (await exams.oversee(session, f"flags/{flag['id']}/resolve", person=person, note="a fan")).is_success
    assert await since.changes() == {"openFlags": -1}

    assert (await exams.oversee(session, "pause", person=person, reason="a fire")).is_success
    paused = {"examSessions.liveByStatus.active": -1, "examSessions.liveByStatus.paused": 1, "events24h": 1}
    assert await since.changes() == paused
    assert (await exams.oversee(session, "resume", person=person, reason="over")).is_success
    await since.changes()

    exams.later(minutes=20)
    assert await since.changes() == {"examSessions.due": 1, "examSessions.connectionLost": 1}
    await exams.whole.container.sweep_exams()()
    assert await since.changes() == {
        "events24h": 2,
        "examSessions.live": -1,
        "examSessions.liveByStatus.active": -1,
        "examSessions.due": -1,
        "examSessions.connectionLost": -1,
        "examSessions.finished": 1,
    }


async def test_yesterday_is_not_today(exams: ExamSite) -> None:
    await exams.begin(await exams.person())
    exams.later(hours=25)
    found = await _figures(exams)
    assert (found["examSessions"]["today"], found["events24h"], found["flags24h"]) == (0, 0, 0)


async def test_an_enrolment_whose_time_is_over_is_counted_no_more(exams: ExamSite) -> None:
    """Even before the sweeper has come by."""
    package = await exams.package()
    await exams.enroll(package, await exams.person())
    before = await _figures(exams)
    over = "update enrollments set started_at = %s, expires_at = %s where exam_package_id = %s"
    now = exams.clock.now()
    exams.database.keeper.execute(over, (now - timedelta(days=2), now - timedelta(seconds=1), package))
    assert _more(before, await _figures(exams)) == {"enrollments": -1}


async def test_a_published_question_with_a_new_draft_is_counted_as_both(exams: ExamSite) -> None:
    question = exams.value("select id from questions order by id limit 1")
    before = await _figures(exams)
    exams.database.keeper.execute("update questions set latest_status = 'draft' where id = %s", (question,))
    assert _more(before, await _figures(exams)) == {"questions.draft": 1}
    exams.database.keeper.execute("update questions set latest_status = 'published' where id = %s", (question,))


async def test_only_admins_see_it(exams: ExamSite) -> None:
    for person in ("student", "instructor"):
        assert (await exams.ask("GET", DASHBOARD, person)).status_code in (401, 403)
    assert_problem(await exams.ask("GET", DASHBOARD, None), 401, "auth.token_missing")
