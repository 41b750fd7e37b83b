"""Students, sessions and papers with identifiers that can be counted, so that requests can be written beforehand."""

from __future__ import annotations

import asyncio
import http.client
import json
from dataclasses import dataclass

import msgspec
import psycopg

from adapters.security.passwords import ArgonPasswordHasher
from benchmarks.site import HOST, Site
from domain.exam.sessions import NO_ACCOMMODATION, ExamRules

STUDENTS = 50
# People who do nothing but sign in, so that nobody who is measured otherwise is signed out by their sign-ins.
VISITORS = 200
PAPER = 20
_PASSWORD = "a password of a benchmark"  # noqa: S105 - of a database that is thrown away

_STUDENTS = """
insert into users (id, email, role, status, email_verified_at, password_hash, created_at, updated_at)
select 'usr_bench_' || n, 'bench' || n || '@ace.example', 'student', 'active', now(), %(password_hash)s, now(), now()
  from generate_series(0, %(students)s + %(visitors)s - 1) n
"""
# Each student signs in more than once for different measurements.
_LIMIT = """
insert into session_limits (scope, subject_id, max_sessions, when_full, updated_at)
values ('role', 'student', 100, 'evict_oldest', now())
"""
_ENROLLMENTS = """
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)
select 'usr_bench_' || n, 'enr_bench_' || n, t.exam_package_id, t.id, 'active', now()
  from (select id, exam_package_id from exam_package_tiers order by id limit 1) t,
       generate_series(0, %(students)s - 1) n
"""
# What pgbench rotates: a session for each student, with the first link of its chain.
_LOGINS = """
with opened as (
    insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at, idle_expires_at,
                               absolute_expires_at)
    select 'usr_bench_' || n, 'ses_bench_' || n, 'portal', 'student', now(), now(), now(), now() + interval '7 days',
           now() + interval '30 days'
      from generate_series(0, %(students)s - 1) n
    returning user_id, id
)
insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)
select user_id, id, 0, sha256(convert_to(id || '-0', 'UTF8')), now() from opened
"""
_PAPERS = """
with packages as (
    select exam_package_id as id from enrollments where user_id = 'usr_bench_0'
), papers as (
    insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at,
                                   last_event_at)
    select 'usr_bench_' || k %% %(students)s, 'prs_' || %(label)s || '_' || k, packages.id, 'active', 'immediate',
           %(slots)s, %(slots)s, now(), now()
      from packages, generate_series(0, %(count)s - 1) k
    returning user_id, id
), pool as materialized (
    select v.question_id, v.version, v.points,
           row_number() over (order by v.question_id) as n, count(*) over () as size,
           (select array_agg(c ->> 'id' order by c ->> 'id') from jsonb_array_elements(v.choices) c) as choice_order
      from question_versions v join questions q on q.id = v.question_id and q.published_version = v.version
     where v.kind = 'single'
)
insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order, max_mark)
select papers.user_id, papers.id, slot, pool.question_id, pool.version, pool.choice_order, pool.points
  from papers cross join generate_series(1, %(slots)s) slot
  join pool on pool.n = 1 + ((hashtext(papers.id) & 65535) + slot) %% pool.size
"""
# An exam of each student, in a package of its own: of one package a student sits one exam at a time.
_EXAMS = """
with package as (
    insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
    values ('pkg_bench_' || %(label)s, 'bench-' || %(label)s, 'Exams', 'hidden', 50, now(), now())
    returning id
), tier as (
    insert into exam_package_tiers (id, exam_package_id, name, is_default)
    select 'tie_bench_' || %(label)s, id, 'Standard', true from package
    returning id, exam_package_id
), exams as (
    insert into exam_sessions (user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation,
                               status, started_at, deadline, due_at)
    select 'usr_bench_' || n, 'exs_' || %(label)s || '_' || n, tier.exam_package_id, tier.id, 1, now(), %(rules)s,
           %(accommodation)s, 'active', now(), now() + interval '3 hours', now() + interval '3 hours 1 minute'
      from tier, generate_series(0, %(students)s - 1) n
    returning user_id, id
), pool as (
    select v.question_id, v.version, v.points, row_number() over (order by v.question_id) as slot,
           (select array_agg(c ->> 'id' order by c ->> 'id') from jsonb_array_elements(v.choices) c) as choice_order
      from question_versions v join questions q on q.id = v.question_id and q.published_version = v.version
     where v.kind = 'single'
     order by v.question_id
     limit %(slots)s
)
insert into exam_slots (user_id, session_id, slot, section, question_id, version, choice_order, max_mark)
select exams.user_id, exams.id, pool.slot, 0, pool.question_id, pool.version, pool.choice_order, pool.points
  from exams cross join pool
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A student who is signed in."""

    access: str
    csrf: str
    refresh: str


def prepare_people(connection: psycopg.Connection) -> None:
    """Students who are enrolled in the first package of the demo."""
    known = {
        "students": STUDENTS,
        "visitors": VISITORS,
        "password_hash": asyncio.run(ArgonPasswordHasher().hash(_PASSWORD)),
    }
    for statement in (_STUDENTS, _LIMIT, _ENROLLMENTS, _LOGINS):
        connection.execute(statement, known)


def add_papers(connection: psycopg.Connection, label: str, *, count: int, slots: int) -> None:
    """Open practice sessions `prs_<label>_<k>`; the k-th belongs to student k modulo their number."""
    connection.execute(_PAPERS, {"students": STUDENTS, "label": label, "count": count, "slots": slots})


def add_exams(connection: psycopg.Connection, label: str, *, slots: int) -> None:
    """A running exam `exs_<label>_<n>` for each student, n."""
    rules = ExamRules(time_limit_seconds=3 * 3600)
    connection.execute(
        _EXAMS,
        {
            "students": STUDENTS,
            "label": label,
            "slots": slots,
            "rules": msgspec.json.encode(rules).decode(),
            "accommodation": msgspec.json.encode(NO_ACCOMMODATION).decode(),
        },
    )


def forget_exams(connection: psycopg.Connection) -> None:
    """Nobody sits an exam any more."""
    connection.execute("truncate exam_sessions cascade")


def snapshot(turn: int) -> bytes:
    """What the page of an exam wants to find again, of nearly 1 KiB: it changes here and there from time to time."""
    answers = [{"slot": slot, "choiceIds": ["ABCD"[slot * 7 % 4]], "flagged": False} for slot in range(1, 21)]
    answers[turn % 20]["choiceIds"] = ["ABCD"[turn % 4]]
    return json.dumps({"turn": turn, "elapsed": turn * 15, "slot": turn % 20, "answers": answers}).encode()


def settle(connection: psycopg.Connection) -> None:
    """What autovacuum would do in the middle of a measurement."""
    connection.execute(
        "vacuum analyze users, auth_sessions, auth_refresh_tokens, practice_sessions, practice_slots, student_progress,"
        " exam_sessions, exam_slots, exam_records"
    )


def sign_in(site: Site, students: int = STUDENTS) -> list[Login]:
    """The first of the students, all unless told otherwise, through the door."""
    connection = http.client.HTTPConnection(HOST, site.port)
    try:
        return [_sign_in(connection, number) for number in range(students)]
    finally:
        connection.close()


def credentials(number: int) -> bytes:
    """The body of a sign-in."""
    wanted = {"email": f"bench{number}@ace.example", "password": _PASSWORD, "delivery": "body"}
    return json.dumps(wanted).encode()


def _sign_in(connection: http.client.HTTPConnection, number: int) -> Login:
    connection.request("POST", "/student/auth/login", credentials(number), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"sign-in was answered {answer.status}: {body}")
    return Login(access=body["accessToken"], csrf=body["csrfToken"], refresh=body["refreshToken"])
