"""People who are signed in: through the door where a refresh token is needed, else with tokens signed for them."""

from __future__ import annotations

import asyncio
import http.client
import json
import time

import psycopg

from adapters.security.access_tokens import JwtAccessTokens
from adapters.security.csrf_tokens import HmacCsrfTokens
from adapters.security.passwords import ArgonPasswordHasher
from application.auth.ports import AccessClaims
from benchmarks.requests import Login, credentials
from benchmarks.site import HOST, PUBLIC_HOST, Site
from domain.auth.people import Role

STUDENTS = 50
# People who do nothing but sign in, so that nobody who is measured otherwise is signed out by their sign-ins.
VISITORS = 200
# People who read lists of everything.
ADMINS = 50
_PASSWORD = "a password of a benchmark"  # noqa: S105 - of a database that is thrown away
_TOKEN_SECONDS = 900
_NO_HASH = "none"

_PEOPLE = """
insert into users (id, email, name, role, status, email_verified_at, password_hash, created_at, updated_at)
select 'usr_' || %(label)s || '_' || n, %(label)s || n || '@ace.example', 'Person ' || n, %(role)s, 'active', now(),
       %(password_hash)s, now(), now()
  from generate_series(0, %(count)s - 1) n
"""
# Each student signs in more than once for different measurements.
_LIMIT = """
insert into session_limits (scope, subject_id, max_sessions, when_full, updated_at)
values ('role', 'student', 100, 'evict_oldest', now())
"""
_ENROLLMENTS = """
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)
select 'usr_' || %(label)s || '_' || n, 'enr_' || %(label)s || '_' || n, 'pkg_bench', 'tie_bench', 'active', now()
  from generate_series(0, %(count)s - 1) n
"""
_SESSIONS = """
with opened as (
    insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at, idle_expires_at,
                               absolute_expires_at)
    select u.id, 'ses_' || %(label)s || '_' || n, 'portal', u.role, now(), now(), now(), now() + interval '7 days',
           now() + interval '30 days'
      from generate_series(0, %(count)s - 1) n
      join users u on u.id = 'usr_' || %(people)s || '_' || n
    returning user_id, id
)
insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)
select user_id, id, 0, sha256(convert_to(id || '-0', 'UTF8')), now() from opened
"""


def prepare_people(connection: psycopg.Connection) -> None:
    """Students who are enrolled in the package, visitors, administrators, and a session of each for pgbench."""
    password_hash = asyncio.run(ArgonPasswordHasher().hash(_PASSWORD))
    add_people(connection, "bench", STUDENTS + VISITORS, password_hash=password_hash)
    add_people(connection, "admin", ADMINS, role=Role.ADMIN)
    connection.execute(_LIMIT)
    connection.execute(_ENROLLMENTS, {"label": "bench", "count": STUDENTS})
    add_sessions(connection, "bench", STUDENTS, people="bench")
    add_sessions(connection, "admin", ADMINS, people="admin")


def add_people(
    connection: psycopg.Connection, label: str, count: int, *, role: Role = Role.STUDENT, password_hash: str = _NO_HASH
) -> None:
    """People `usr_<label>_<n>`."""
    params = {"label": label, "count": count, "role": role.value, "password_hash": password_hash}
    connection.execute(_PEOPLE, params)


def add_sessions(connection: psycopg.Connection, label: str, count: int, *, people: str) -> None:
    """Sessions `ses_<label>_<n>` of the people `usr_<people>_<n>`, each with the first link of its chain."""
    connection.execute(_SESSIONS, {"label": label, "count": count, "people": people})


def signed_for(site: Site, people: str, count: int, *, role: Role = Role.STUDENT) -> list[Login]:
    """Logins of sessions that were added, with tokens as the product signs them."""
    access, csrf, now = JwtAccessTokens([site.secret]), HmacCsrfTokens([site.secret]), int(time.time())
    sessions = [(f"usr_{people}_{number}", f"ses_{people}_{number}") for number in range(count)]
    claims = [
        AccessClaims(
            audience=role,
            role=role,
            user_id=user_id,
            session_id=session_id,
            token_id=f"tok_{session_id}",
            auth_time=now,
            issued_at=now,
            not_before=now,
            expires_at=now + _TOKEN_SECONDS,
        )
        for user_id, session_id in sessions
    ]
    return [Login(access=access.sign(each), csrf=csrf.issue(each.session_id)) for each in claims]


def sign_in(site: Site, students: int = STUDENTS) -> list[Login]:
    """The first of the students, all unless told otherwise, through the door."""
    connection = http.client.HTTPConnection(HOST, site.port)
    try:
        return [_sign_in(connection, number) for number in range(students)]
    finally:
        connection.close()


def credentials_of(number: int) -> bytes:
    """The body of a sign-in."""
    return credentials(f"bench{number}@ace.example", _PASSWORD)


def _sign_in(connection: http.client.HTTPConnection, number: int) -> Login:
    headers = {"Content-Type": "application/json", "Host": PUBLIC_HOST}
    connection.request("POST", "/student/auth/login", credentials_of(number), headers)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"sign-in was answered {answer.status}: {body}")
    return Login(access=body["accessToken"], csrf=body["csrfToken"], refresh=body["refreshToken"])
