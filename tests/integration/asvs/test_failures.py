"""When something is broken: nothing is told, nothing is half done, and nothing is let through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.auth_http import code
from tests.support.http import assert_problem
from tests.support.visitors import Visitor, visitor
from tests.support.whole_site import WholeSite

# What would tell an attacker about the inside: statements, names of tables, code, files, libraries.
_INTERNAL = ("relation", "select", "insert", "psycopg", "Traceback", "/src/", ".py", "Error(", "litestar", "postgres")


@contextmanager
def without(site: WholeSite, table: str) -> Iterator[None]:
    """The table is gone for a while."""
    site.database.keeper.execute(f"alter table {table} rename to {table}_gone".encode())
    try:
        yield
    finally:
        site.database.keeper.execute(f"alter table {table}_gone rename to {table}".encode())


@pytest.mark.parametrize(
    ("table", "method", "path"),
    [
        ("exam_packages", "GET", "/exam-packages"),
        ("auth_sessions", "GET", "/student/auth/me"),
        ("practice_sessions", "GET", "/practice-sessions"),
        ("audit_log", "GET", "/admin/audit-log"),
    ],
)
async def test_asvs_13_4_2_and_16_5_1_a_failure_of_the_database_tells_nothing(
    site: WholeSite, caplog: pytest.LogCaptureFixture, table: str, method: str, path: str
) -> None:
    """The answer says that something went wrong; the log says what."""
    with without(site, table):
        answer = await site.ask(method, path, "admin" if "admin" in path else "student")
    problem = assert_problem(answer, 500, "service.internal")
    assert set(problem) == {"type", "title", "status", "detail", "code", "instance"}
    assert [word for word in (*_INTERNAL, table) if word.lower() in answer.text.lower()] == []
    assert table in caplog.text


async def test_asvs_13_4_2_the_application_never_explains_itself(site: WholeSite) -> None:
    assert site.app.litestar.debug is False
    for path in ("/nowhere", "/practice-sessions/'", "/exam-packages?cursor=%FF", "/exam-packages?limit=x"):
        answer = await site.client.get(path)
        assert [word for word in _INTERNAL if word.lower() in answer.text.lower()] == []
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers


async def test_asvs_16_5_3_what_cannot_be_counted_is_not_admitted(ada: Visitor, whole_site: WholeSite) -> None:
    """Without the counters of attempts nobody signs in, with the right password either, and nobody registers."""
    async with visitor(whole_site, ada.email) as elsewhere, visitor(whole_site) as newcomer:
        before = whole_site.rows()
        with without(whole_site, "attempt_counters"):
            refused = [
                await elsewhere.sign_in(),
                await newcomer.register(),
                await newcomer.post("request-password-reset", email=ada.email),
                await newcomer.post("reset-password", token="A" * 43, password="quite another sentence"),
            ]
            assert {answer.status_code for answer in refused} == {500}
            assert {code(answer) for answer in refused} == {"service.internal"}
            assert not elsewhere.client.cookies
            assert (await ada.me()).status_code == 200, "who is signed in stays so"
        assert whole_site.rows() == before
        assert (await elsewhere.sign_in()).status_code == 200


async def test_asvs_2_3_3_a_use_case_happens_as_a_whole_or_not_at_all(ada: Visitor, whole_site: WholeSite) -> None:
    """What comes last fails, and what came first did not happen."""
    before = whole_site.rows()
    async with visitor(whole_site) as newcomer:
        with without(whole_site, "auth_refresh_tokens"):
            assert (await newcomer.register()).status_code == 500
        with without(whole_site, "audit_log"):
            person = (await ada.me()).json()["user"]["id"]
            body = {"status": "disabled"}
            assert (await whole_site.ask("PATCH", f"/admin/users/{person}", "admin", json=body)).status_code == 500
        assert whole_site.rows() == before
        assert (await ada.me()).status_code == 200
        assert (await newcomer.register()).status_code == 201
