"""People, questions and sessions by the million, with identifiers that can be counted: `grow` adds those of a range.

Session n of each kind is of person n / 10, so that a person has ten of each; exam n is of package n modulo 10, because
of one package a person sits one exam at a time. Rows have no more in them than the operations ask for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import psycopg

from benchmarks import bank
from benchmarks.site import Site
from domain.auth.refresh import encode_token
from domain.exam.sessions import NO_ACCOMMODATION, ExamRules

SESSIONS_EACH = 10
SLOTS = 3

_PACKAGES = """
with packages as (
    insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
    select 'pkg_grow_' || n, 'grow-' || n, 'Exams', 'hidden', 50, now(), now()
      from generate_series(0, %(each)s - 1) n
    returning id
)
insert into exam_package_tiers (id, exam_package_id, name, is_default)
select 'tie' || substr(id, 4), id, 'Standard', true from packages
"""
_LIMIT = """
insert into session_limits (scope, subject_id, max_sessions, when_full, updated_at)
values ('role', 'student', 100, 'evict_oldest', now())
"""
_PEOPLE = """
insert into users (id, email, name, role, status, email_verified_at, password_hash, created_at, updated_at)
select 'usr_grow_' || n, 'grow' || n || '@ace.example', 'Person ' || n, 'student', 'active', now(), 'none', now(), now()
  from generate_series(%(first)s / %(each)s, %(last)s / %(each)s - 1) n
"""
_ENROLLMENTS = """
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)
select 'usr_grow_' || n, 'enr_grow_' || n, 'pkg_bench', 'tie_bench', 'active', now()
  from generate_series(%(first)s / %(each)s, %(last)s / %(each)s - 1) n
"""
# Today counts already, so that no answer is the first of a day.
_PROGRESS = """
insert into student_progress (user_id, questions_answered, last_day, credited_from, credited_until, last_activity_at)
select 'usr_grow_' || n, 300, current_date, now() - interval '1 hour', now() + interval '1 day', now()
  from generate_series(%(first)s / %(each)s, %(last)s / %(each)s - 1) n
"""
_SESSIONS = """
insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at, idle_expires_at,
                           absolute_expires_at)
select 'usr_grow_' || n / %(each)s, 'ses_grow_' || n, 'portal', 'student', now(), now(), now(),
       now() + interval '7 days', now() + interval '30 days'
  from generate_series(%(first)s::integer, %(last)s - 1) n
"""
_TOKENS = """
insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)
select 'usr_grow_' || n / %(each)s, 'ses_grow_' || n, 0, sha256(sha256(convert_to('ses_grow_' || n, 'UTF8'))), now()
  from generate_series(%(first)s::integer, %(last)s - 1) n
"""
_PAPERS = """
insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at,
                               last_event_at)
select 'usr_grow_' || n / %(each)s, 'prs_grow_' || n, 'pkg_bench', 'active', 'immediate', %(slots)s, %(slots)s, now(),
       now()
  from generate_series(%(first)s::integer, %(last)s - 1) n
"""
_PAPER_SLOTS = """
insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order, max_mark)
select 'usr_grow_' || n / %(each)s, 'prs_grow_' || n, slot, 'qst_bench_' || 1 + (n + slot) %% %(last)s, 1,
       array['A', 'B', 'C', 'D'], 1
  from generate_series(%(first)s::integer, %(last)s - 1) n, generate_series(1, %(slots)s) slot
"""
_EXAMS = """
insert into exam_sessions (user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation, status,
                           started_at, deadline, due_at)
select 'usr_grow_' || n / %(each)s, 'exs_grow_' || n, 'pkg_grow_' || n %% %(each)s, 'tie_grow_' || n %% %(each)s, 1,
       now(), %(rules)s, %(accommodation)s, 'active', now(), now() + interval '3 hours',
       now() + interval '3 hours 1 minute'
  from generate_series(0, %(last)s - 1) n
"""
_EXAM_SLOTS = """
insert into exam_slots (user_id, session_id, slot, section, question_id, version, choice_order, max_mark)
select 'usr_grow_' || n / %(each)s, 'exs_grow_' || n, 1, 0, 'qst_bench_' || 1 + n %% %(last)s, 1,
       array['A', 'B', 'C', 'D'], 1
  from generate_series(0, %(last)s - 1) n
"""
_TABLES = (
    "users, enrollments, student_progress, auth_sessions, auth_refresh_tokens, practice_sessions, practice_slots,"
    " exam_sessions, exam_slots"
)


@contextmanager
def filling(site: Site) -> Iterator[psycopg.Connection]:
    """A connection that asks for no foreign key: what is added is whole by itself, and there is much of it."""
    address = site.urls.superuser.replace("/postgres?", f"/{site.urls.database}?")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("set synchronous_commit = off")
        yield connection


def begin(connection: psycopg.Connection) -> None:
    """What there is one of, however many sessions there are."""
    bank.add_package(connection)
    connection.execute(_PACKAGES, {"each": SESSIONS_EACH})
    connection.execute(_LIMIT)


def grow(connection: psycopg.Connection, first: int, last: int) -> None:
    """The sessions of a range, and as many questions."""
    bank.add_questions(connection, first + 1, last)
    params = {"first": first, "last": last, "each": SESSIONS_EACH, "slots": SLOTS}
    for statement in (_PEOPLE, _ENROLLMENTS, _PROGRESS, _SESSIONS, _TOKENS, _PAPERS, _PAPER_SLOTS):
        connection.execute(statement, params)
    settle(connection)


def add_exams(connection: psycopg.Connection, last: int) -> None:
    """An exam for each of so many sessions, all of them running."""
    params = {
        "last": last,
        "each": SESSIONS_EACH,
        "rules": msgspec.json.encode(ExamRules(time_limit_seconds=3 * 3600)).decode(),
        "accommodation": msgspec.json.encode(NO_ACCOMMODATION).decode(),
    }
    for statement in (_EXAMS, _EXAM_SLOTS):
        connection.execute(statement, params)
    settle(connection)


def forget_exams(connection: psycopg.Connection) -> None:
    """Nobody sits an exam any more."""
    connection.execute("truncate exam_sessions cascade")


def settle(connection: psycopg.Connection) -> None:
    """What would come sooner or later, and not in the middle of a measurement."""
    connection.execute(f"vacuum analyze {_TABLES}")
    connection.execute("checkpoint")


def owner_of(number: int) -> str:
    """Whose the sessions of this number are."""
    return f"usr_grow_{number // SESSIONS_EACH}"


def first_token(number: int) -> str:
    """The first refresh token of a session."""
    return encode_token(hashlib.sha256(f"ses_grow_{number}".encode()).digest())
