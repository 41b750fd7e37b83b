"""Heartbeats and answers of whoever may not: told as every other route tells it, and nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from application.exam.pulse import MAX_SNAPSHOT
from tests.support.exam_site import RIGHT, SESSIONS, ExamSite, exam_site_of
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.standing_claims import CHANGES

_BEAT = {"seq": 7, "snapshot": {"a": 1}}
_ANSWER = {"response": RIGHT, "baseRevision": 0}
# What is asked of `/exam-sessions/{id}`: plain, for the unit of work, and wrong in the path or in the body.
_ASKED: list[tuple[str, str, Any]] = [
    ("POST", "{}/heartbeat", _BEAT),
    ("POST", "{}/heartbeat", {"seq": -1}),
    ("POST", "{}/heartbeat", {"snapshot": "text"}),
    ("POST", "{}/heartbeat", {"snapshot": {"a": "x" * MAX_SNAPSHOT}}),
    ("POST", "exs_none/heartbeat", _BEAT),
    ("PUT", "{}/answers/1", _ANSWER),
    ("PUT", "{}/answers/1", _ANSWER | {"baseRevision": 9}),
    ("PUT", "{}/answers/1", _ANSWER | {"more": 1}),
    ("PUT", "{}/answers/0", _ANSWER),
    ("PUT", "{}/answers/99", _ANSWER),
    ("PUT", "exs_none/answers/1", _ANSWER),
]
_KEPT = """
select (select jsonb_agg(to_jsonb(s) order by s.id) from exam_sessions s where s.user_id = %(user)s),
       (select jsonb_agg(to_jsonb(t) order by t.slot) from exam_slots t where t.user_id = %(user)s),
       (select count(*) from exam_records r where r.user_id = %(user)s)
"""


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[ExamSite]:
    async with exam_site_of(module_database) as site:
        yield site


def kept(site: ExamSite, person: str) -> Any:
    return site.database.keeper.execute(_KEPT, {"user": site.id_of(person)}).fetchone()


def problem(answer: httpx.Response) -> dict[str, Any]:
    """A refusal without what differs from request to request."""
    body: dict[str, Any] = answer.json()
    return {name: value for name, value in body.items() if name not in ("instance", "requestId", "request_id")} | {
        "challenge": answer.headers.get("www-authenticate")
    }


@pytest.mark.parametrize("change", CHANGES)
async def test_whose_session_opens_nothing_is_told_so_and_nothing_else(site: ExamSite, change: str) -> None:
    """With the status, the code and the words of a route that asks for the session before anything else."""
    person = await site.person()
    session = await site.begin(person)
    assert (await site.act(session, "heartbeat", {"seq": 1}, person=person)).status_code == 200
    site.database.keeper.execute(CHANGES[change].encode(), [site.id_of(person)])
    before = kept(site, person)
    usual = await site.ask("GET", f"{SESSIONS}/{session['id']}/paper", person)
    assert usual.status_code in (401, 403)
    for method, path, body in _ASKED:
        for headers in ({}, {"idempotency-key": "once"}):
            asked = f"{SESSIONS}/{path.format(session['id'])}"
            answer = await site.ask(method, asked, person, json=body, headers=headers)
            assert (answer.status_code, problem(answer)) == (usual.status_code, problem(usual)), (asked, body)
    assert kept(site, person) == before


async def test_the_session_of_another_student_is_no_session(site: ExamSite) -> None:
    """A heartbeat under its id would begin an exam of one's own, and there is none to begin."""
    owner, other = await site.person(), await site.person()
    session = await site.begin(owner)
    before = kept(site, owner)
    answer = await site.save(session, person=other)
    assert_problem(answer, 404, "exam.session_not_found")
    assert problem(answer) == problem(await site.ask("GET", f"{SESSIONS}/{session['id']}/paper", other))
    beat = await site.act(session, "heartbeat", _BEAT, person=other)
    assert beat.status_code >= 400
    assert kept(site, owner) == before
    assert kept(site, other)[0] is None


@pytest.mark.parametrize("person", ["instructor", "admin"])
async def test_whoever_is_no_student_sits_no_exam(site: ExamSite, person: str) -> None:
    session = await site.begin(await site.person())
    usual = await site.ask("GET", f"{SESSIONS}/{session['id']}/paper", person)
    for method, path, body in _ASKED:
        answer = await site.ask(method, f"{SESSIONS}/{path.format(session['id'])}", person, json=body)
        assert (answer.status_code, problem(answer)) == (usual.status_code, problem(usual))
