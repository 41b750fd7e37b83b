"""Routes that leave it to their statement whether a session stands: told apart from all others by nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx
import pytest
from litestar.routes import HTTPRoute

from application.auth.ports import AccessClaims, AccessTokens
from domain.auth.people import Role
from entrypoints.http import plain
from entrypoints.http.app import create_app
from entrypoints.http.logs import AccessLog
from entrypoints.http.middleware import observation
from entrypoints.http.requests import MIB
from tests.support.callers import Wire
from tests.support.exam_site import ExamSite, exam_site_of
from tests.support.http import LogLines
from tests.support.postgres import ClonedDatabase
from tests.support.standing_claims import CHANGES

_HOUR: Final = 3600
_OTHERS: Final = {"session": "exs_none", "practice": "pse_none", "question": "que_none"}
# Where the routes for claimants are, and what is sent there.
_ROUTES: Final[Mapping[tuple[str, str], bytes]] = {
    ("POST", "/exam-sessions/{session}/heartbeat"): b'{"seq": 3, "snapshot": {"a": 1}}',
    ("PUT", "/exam-sessions/{session}/answers/1"): b'{"response": {"choiceIds": ["B"]}, "baseRevision": 0}',
    ("POST", "/practice-sessions/{practice}/answers"): b'{"slot": 1, "choiceIds": ["B"]}',
    ("GET", "/practice-sessions/{practice}"): b"",
    ("GET", "/questions/{question}"): b"",
}
_KINDS: Final[Mapping[str, Callable[[bytes], tuple[bytes, dict[str, str]]]]] = {
    "good": lambda body: (body, {}),
    "with a key": lambda body: (body, {"idempotency-key": "once"}),
    "with a key that is none": lambda body: (body, {"idempotency-key": "\u00e9"}),
    "without a body": lambda _: (b"", {}),
    "not JSON": lambda _: (b"{", {}),
    "an unknown field": lambda body: (b'{"more": 1}', {}),
    "not UTF-8": lambda _: (b'{"a": "\xff"}', {}),
    "of another type": lambda body: (body, {"content-type": "text/plain"}),
    "too large": lambda _: (b" " * (MIB + 1), {}),
    "announced too large": lambda body: (body, {"content-length": str(9 * MIB)}),
    "already there": lambda body: (body, {"if-none-match": "*"}),
}


@dataclass(frozen=True)
class Both:
    """One application whose statements ask for the session, and one that asks before anything else."""

    site: ExamSite
    quick: Wire
    careful: Wire
    log: LogLines
    question: str

    @property
    def wires(self) -> tuple[Wire, Wire]:
        return self.quick, self.careful

    @property
    def tokens(self) -> AccessTokens:
        tokens: AccessTokens = self.site.whole.container.access_tokens()
        return tokens

    async def ids(self, person: str) -> dict[str, str]:
        """An exam and a practice session of somebody, and a question that may be read."""
        session = await self.site.begin(person)
        enrolled = await self.site.ask(
            "POST", "/student/enrollments", person, json={"examPackageId": self.site.whole.package}
        )
        assert enrolled.is_success, enrolled.text
        body = {"examPackageId": self.site.whole.package, "count": 2}
        practice = await self.site.ask("POST", "/practice-sessions", person, json=body)
        ids = {"session": session["id"], "practice": practice.json().get("id", "pse_none")}
        return {**ids, "question": self.question}

    async def compare(self, ids: Mapping[str, str], headers: Mapping[str, str], expected: set[int]) -> None:
        """Whatever is asked of every route is refused alike by both."""
        for (method, path), body in _ROUTES.items():
            for kind, made in _KINDS.items():
                content, more = made(body)
                for target in (path.format(**ids), path.format(**_OTHERS), f"{path.format(**ids)}?a=%00"):
                    sent = {**headers, **more}
                    quick = await self.quick.ask(method, target, sent, content)
                    careful = await self.careful.ask(method, target, sent, content)
                    assert told(quick) == told(careful), (method, target, kind)
                    if "%00" not in target and "announced" not in kind:
                        assert quick.status_code in expected, (method, target, kind, quick.text)


def told(answer: httpx.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """An answer without what differs from request to request."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    body: dict[str, Any] = answer.json() if answer.content else {}
    return answer.status_code, {**body, "instance": ""}, headers


def outline(answer: httpx.Response) -> Any:
    """What must be the same of two answers; of a change that was made, what it tells, for it is made once."""
    status, body, headers = told(answer)
    if answer.is_success:
        return status, body.keys(), headers.keys() - {"idempotency-replayed"}
    return status, body, headers


@pytest.fixture(scope="module")
async def both(module_database: ClonedDatabase) -> AsyncIterator[Both]:
    async with exam_site_of(module_database) as site:
        container, log = site.whole.container, LogLines()
        quick = create_app(container, log=AccessLog(log.write))
        careful = create_app(container, log=AccessLog(LogLines().write), plain=False)
        found = site.database.keeper.execute("select id from questions order by id limit 1").fetchone()
        assert found is not None
        yield Both(site, Wire(quick), Wire(careful), log, found[0])


async def test_these_are_the_routes_for_claimants(both: Both) -> None:
    found = {
        (method, route.path_format.replace("session_id", "session").replace("question_id", "question"))
        for route in both.quick.app.litestar.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if handler.opt.get("claimant")
    }
    ours = {(method, path.replace("{practice}", "{session}").replace("/1", "/{slot}")) for method, path in _ROUTES}
    assert found == ours


@pytest.mark.parametrize("change", CHANGES)
async def test_the_end_of_a_session_is_told_before_anything_else(both: Both, change: str) -> None:
    person = await both.site.person()
    ids = await both.ids(person)
    both.site.database.keeper.execute(CHANGES[change].encode(), [both.site.id_of(person)])
    await both.compare(ids, both.site.whole.speaking(person), {401, 403})


async def test_a_token_that_says_something_else_than_its_session_is_refused_alike(both: Both) -> None:
    person, other = await both.site.person(), await both.site.person()
    ids = await both.ids(person)
    true = both.tokens.read(both.site.whole.tokens[person])
    theirs = both.tokens.read(both.site.whole.tokens[other])
    changed: list[AccessClaims] = [
        replace(true, expires_at=true.issued_at - _HOUR),
        replace(true, not_before=true.issued_at + _HOUR),
        replace(true, issued_at=true.issued_at + _HOUR),
        replace(true, expires_at=10**17),
        replace(true, issued_at=-(10**17)),
        replace(true, audience=Role.ADMIN),
        replace(true, role=Role.ADMIN),
        replace(true, role=Role.ADMIN, audience=Role.ADMIN),
        replace(true, session_id="ses_none"),
        replace(true, session_id=theirs.session_id),
        replace(true, user_id=theirs.user_id),
    ]
    for claims in changed[:3] + changed[5:]:
        await both.compare(ids, bearer(both.tokens.sign(claims)), {401, 403})
    for claims in changed[3:5]:
        path = f"/questions/{ids['question']}"
        asked = [await wire.ask("GET", path, bearer(both.tokens.sign(claims))) for wire in both.wires]
        assert told(asked[0]) == told(asked[1])


@pytest.mark.parametrize("person", ["instructor", "admin"])
async def test_whoever_is_no_student_is_refused_alike(both: Both, person: str) -> None:
    ids = await both.ids(await both.site.person())
    await both.compare(ids, both.site.whole.speaking(person), {403})


async def test_whose_session_stands_is_answered_alike(both: Both) -> None:
    person = await both.site.person()
    ids, headers = await both.ids(person), both.site.whole.speaking(person)
    for (method, path), body in _ROUTES.items():
        for kind, made in _KINDS.items():
            content, more = made(body)
            for target in (path.format(**ids), path.format(**_OTHERS)):
                quick, careful = [await wire.ask(method, target, {**headers, **more}, content) for wire in both.wires]
                assert outline(quick) == outline(careful), (method, target, kind)
                assert quick.is_success or kind != "good" or "none" in target, quick.text


async def test_under_cookies_a_change_needs_the_token_of_the_page(both: Both) -> None:
    person = await both.site.person()
    ids, token = await both.ids(person), both.site.whole.tokens[person]
    csrf = both.site.whole.container.csrf_tokens().issue(both.tokens.read(token).session_id)
    cookies = f"ace_access={token}; ace_csrf={csrf}"
    for is_over in (False, True):
        if is_over:
            both.site.database.keeper.execute(CHANGES["revoked"].encode(), [both.site.id_of(person)])
        for shown in ({}, {"x-csrf-token": csrf}, {"x-csrf-token": "other"}, {"origin": "https://evil.test"}):
            for (method, path), body in _ROUTES.items():
                sent = {"cookie": cookies, **shown}
                quick, careful = [await wire.ask(method, path.format(**ids), sent, body) for wire in both.wires]
                assert outline(quick) == outline(careful)
                assert (quick.status_code == 401) is is_over
                assert is_over or (quick.status_code == 403) is (method != "GET" and shown != {"x-csrf-token": csrf})


@pytest.mark.parametrize(("change", "status"), [("", 200), (CHANGES["revoked"], 401)])
async def test_whoever_waits_for_leave_to_send_a_body_is_asked_about_first(
    both: Both, change: str, status: int
) -> None:
    person = await both.site.person()
    ids, asked = await both.ids(person), []
    if change:
        both.site.database.keeper.execute(change.encode(), [both.site.id_of(person)])

    async def leave() -> Any:
        asked.append("body")
        return {"type": "http.request", "body": b"{}", "more_body": False}

    headers = {**both.site.whole.speaking(person), "expect": "100-continue"}
    answer = await both.quick.ask("POST", f"/exam-sessions/{ids['session']}/heartbeat", headers, sending=leave)
    assert (answer.status_code, asked) == (status, ["body"] if status == 200 else [])


@pytest.mark.parametrize(("change", "status"), [("", 408), (CHANGES["revoked"], 401)])
async def test_there_is_time_to_ask_about_a_client_that_took_too_long(
    both: Both, monkeypatch: pytest.MonkeyPatch, change: str, status: int
) -> None:
    """The time in which it had to be answered is over by then."""
    person = await both.site.person()
    ids = await both.ids(person)
    monkeypatch.setattr(observation, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(plain, "BODY_SECONDS", 0.4)
    hurried = Wire(create_app(both.site.whole.container, log=AccessLog(LogLines().write)))
    if change:
        both.site.database.keeper.execute(change.encode(), [both.site.id_of(person)])
    path, headers = f"/exam-sessions/{ids['session']}/heartbeat", both.site.whole.speaking(person)
    answer = await hurried.ask("POST", path, headers, sending=asyncio.Event().wait)
    assert answer.status_code == status, answer.text


async def test_the_record_names_only_whom_the_store_knows(both: Both) -> None:
    person = await both.site.person()
    ids, headers = await both.ids(person), both.site.whole.speaking(person)
    users = []
    for change in ("", CHANGES["revoked"]):
        if change:
            both.site.database.keeper.execute(change.encode(), [both.site.id_of(person)])
        await both.quick.ask("GET", f"/questions/{ids['question']}", headers)
        both.quick.app.log.flush()
        users.append(both.log.lines()[-1].get("userId"))
    assert users == [both.site.id_of(person), None]


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
