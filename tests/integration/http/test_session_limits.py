"""Session limits as browsers meet them."""

from __future__ import annotations

from contextlib import AsyncExitStack

import httpx

from entrypoints.http.app import Application
from tests.support.auth_http import ADA, browser, code


async def test_a_fourth_browser_signs_the_first_one_out(ada: httpx.AsyncClient, app: Application) -> None:
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(browser(app)) for _ in range(3)]
        answers = [await other.post("/student/auth/login", json=ADA) for other in others]
        assert [answer.json()["evictedSessions"] for answer in answers] == [0, 0, 1]
        signed_out = await ada.get("/student/auth/me")
        assert (signed_out.status_code, code(signed_out)) == (401, "auth.session_ended")
        assert code(await ada.post("/student/auth/refresh", json={})) == "auth.session_ended"
        assert [(await other.get("/student/auth/me")).status_code for other in others] == [200] * 3


async def test_the_own_session_of_a_browser_makes_room_for_the_next(ada: httpx.AsyncClient, app: Application) -> None:
    async with browser(app) as second, browser(app) as third:
        for other in (second, third):
            assert (await other.post("/student/auth/login", json=ADA)).json()["evictedSessions"] == 0
        again = await ada.post("/student/auth/login", json=ADA)
        assert (again.status_code, again.json()["evictedSessions"]) == (200, 0)
        for client in (ada, second, third):
            assert (await client.get("/student/auth/me")).status_code == 200
