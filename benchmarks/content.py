"""Papers and exams with identifiers that can be counted, so that requests can be written beforehand."""

from __future__ import annotations

import hashlib
import json

import msgspec
import psycopg

from benchmarks.people import STUDENTS
from domain.exam.sessions import NO_ACCOMMODATION, ExamRules

PAPER = 20
# What students look up, one after the other, and what papers ask.
QUESTIONS = 500
SNAPSHOT_BYTES = 1024

_PAPERS = """
with papers as (
    insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at,
                                   last_event_at)
    select 'usr_bench_' || k %% %(students)s, 'prs_' || %(label)s || '_' || k, 'pkg_bench', 'active', 'immediate',
           %(slots)s, %(slots)s, now(), now()
      from generate_series(0, %(count)s - 1) k
    returning user_id, id
)
insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order, max_mark)
select papers.user_id, papers.id, slot,
       'qst_bench_' || 1 + ((hashtext(papers.id) & 65535) + slot) %% %(questions)s, 1, array['A', 'B', 'C', 'D'], 1
  from papers cross join generate_series(1, %(slots)s) slot
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
    select 'usr_' || %(people)s || '_' || n, 'exs_' || %(label)s || '_' || n, tier.exam_package_id, tier.id, 1, now(),
           %(rules)s, %(accommodation)s, 'active', now(), now() + interval '3 hours',
           now() + interval '3 hours 1 minute'
      from tier, generate_series(0, %(count)s - 1) n
    returning user_id, id
)
insert into exam_slots (user_id, session_id, slot, section, question_id, version, choice_order, max_mark)
select exams.user_id, exams.id, slot, 0, 'qst_bench_' || slot, 1, array['A', 'B', 'C', 'D'], 1
  from exams cross join generate_series(1, %(slots)s) slot
"""


def add_papers(connection: psycopg.Connection, label: str, *, count: int, slots: int, students: int = STUDENTS) -> None:
    """Open practice sessions `prs_<label>_<k>`; the k-th belongs to student k modulo their number."""
    params = {"students": students, "label": label, "count": count, "slots": slots, "questions": QUESTIONS}
    connection.execute(_PAPERS, params)


def add_exams(
    connection: psycopg.Connection, label: str, *, slots: int = PAPER, people: str = "bench", count: int = STUDENTS
) -> None:
    """A running exam `exs_<label>_<n>` for each of these people, n."""
    connection.execute(
        _EXAMS,
        {
            "people": people,
            "count": count,
            "label": label,
            "slots": slots,
            "rules": msgspec.json.encode(ExamRules(time_limit_seconds=3 * 3600)).decode(),
            "accommodation": msgspec.json.encode(NO_ACCOMMODATION).decode(),
        },
    )


def forget_exams(connection: psycopg.Connection) -> None:
    """Nobody sits an exam any more."""
    connection.execute("truncate exam_sessions cascade")


def snapshot(turn: int) -> bytes:
    """What the page of an exam wants to find again, exactly 1 KiB: answers, times, and notes that do not compress."""
    answers = [
        {"slot": slot, "choiceIds": ["ABCD"[(turn + slot * 7) % 4]], "seconds": (turn * 15 + slot * 37) % 97}
        for slot in range(1, 13)
    ]
    kept = {"turn": turn, "elapsed": turn * 15, "slot": turn % PAPER, "answers": answers, "notes": ""}
    noise = "".join(hashlib.sha256(b"%d %d" % (turn, part)).hexdigest() for part in range(16))
    kept["notes"] = noise[: SNAPSHOT_BYTES - len(json.dumps(kept))]
    return json.dumps(kept).encode()


def settle(connection: psycopg.Connection) -> None:
    """What autovacuum and a checkpoint would do in the middle of a measurement."""
    connection.execute(
        "vacuum analyze users, enrollments, auth_sessions, auth_refresh_tokens, practice_sessions, practice_slots,"
        " student_progress, exam_sessions, exam_slots, exam_records"
    )
