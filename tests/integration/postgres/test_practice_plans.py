"""What drawing costs: it follows the window of a draw and what one student has done, not how much there is of all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
import pytest

from adapters.postgres.statements import load
from tests.support.postgres import ClonedDatabase

_QUESTIONS, _OWN, _PAPER = 20_000, 3_000, 100
_PARAMETER = re.compile(r"%\((\w+)\)s")
_GROWING: Final = (
    *("questions", "question_versions", "practice_slots", "practice_sessions"),
    *("review_cards", "flagged_questions", "exam_sessions", "exam_slots"),
)
_FILLED = f"""
set session_replication_role = replica;
insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
values ('pkg_net', 'network', 'Network', 'visible', 75, now(), now());
insert into question_banks (id, slug, title, created_at, updated_at)
select 'qbk_' || n, 'network-' || n, 'Network', now(), now() from generate_series(0, 1) n;
insert into exam_package_banks (exam_package_id, question_bank_id) select 'pkg_net', id from question_banks;
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
select 'top_' || n, 'qbk_' || n % 2, 'Topic ' || n, now(), now() from generate_series(0, 19) n;
insert into questions (id, question_bank_id, external_id, published_version, latest_version, latest_status, topic_id,
                       difficulty_id, created_at, updated_at)
select 'qst_' || n, 'qbk_' || n % 2, n, 1, 1, 'published', 'top_' || n % 20, 'dif_easy', now(), now()
  from generate_series(0, {_QUESTIONS - 1}) n;
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, prompts, answer_key,
                               topic_id, difficulty_id, points, shuffle, content_hash, created_at, updated_at)
select id, 1, 'published', 'single', 'Why?', 'plain', '[]', '[]', '{{}}', topic_id, difficulty_id, 1, true, sha256('x'),
       now(), now()
  from questions;
insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at,
                               finished_at, last_event_at)
select 'usr_' || u, 'prs_' || s, 'pkg_net', 'finished', 'immediate', 100, 100,
       timestamptz '2029-06-01' + s * interval '1 hour', timestamptz '2029-06-02' + s * interval '1 hour', now()
  from generate_series(0, 4) u, generate_series(1, {_OWN // 100}) s;
insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order, max_mark, response, correct,
                            mark, answered_at)
select s.user_id, s.id, n, 'qst_' || (substr(s.id, 5)::integer * 100 + n) * 7 % {_QUESTIONS}, 1, '{{}}', 1, '{{}}',
       n % 3 > 0, 0, s.started_at + n * interval '1 second'
  from practice_sessions s, generate_series(1, 100) n;
insert into flagged_questions (user_id, question_id, flagged_at)
select user_id, question_id, answered_at from practice_slots where slot % 10 = 0;
insert into review_cards (user_id, question_id, state, stability, difficulty, due, last_review, reviews, made_of, as_of)
select user_id, question_id, 'review', 1, 1, answered_at, answered_at, 1, 0, answered_at from practice_slots;
insert into exam_sessions (user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, status, started_at,
                           sealed_at, seal_reason)
select 'usr_' || u, 'exs_' || s, 'pkg_net', 'tie_1', s, now(), '{{}}',
       case when s = 1 then 'active' else 'abandoned' end, now(),
       case when s > 1 then now() end, case when s > 1 then 'timeout' end
  from generate_series(0, 99) u, generate_series(1, 5) s;
insert into exam_slots (user_id, session_id, slot, section, question_id, version, choice_order, max_mark)
select user_id, id, n, 0, 'qst_' || n * 3, 1, '{{}}', 1 from exam_sessions, generate_series(1, {_PAPER}) n;
set session_replication_role = origin;
"""
_WANTED: Final[dict[str, Any]] = {
    "user_id": "usr_0",
    "exam_package_id": "pkg_net",
    "topic_ids": [],
    "difficulty_ids": [],
    "kinds": [],
    "count": 50,
    "session_id": "prs_x",
    "start": 0.3,
    "unseen": False,
    "now": datetime(2031, 1, 1, tzinfo=UTC),
}
_DRAWS: Final = [
    ("draw_questions", {}),
    ("draw_questions", {"unseen": True}),
    *((f"draw_{name}", {"kinds": ["single", "multiple"]}) for name in ("questions", "incorrect", "flagged", "due")),
    ("draw_questions", {"unseen": True, "topic_ids": ["top_1", "top_2"]}),
    ("draw_questions", {"unseen": True, "difficulty_ids": ["dif_easy"]}),
    ("draw_incorrect", {}),
    ("draw_flagged", {}),
    ("draw_due", {}),
]


@pytest.fixture(scope="module")
def filled(module_database: ClonedDatabase) -> Iterator[psycopg.Connection]:
    """Twenty thousand questions, five students with three thousand answers each, and an exam under way of everybody."""
    with module_database.administration() as connection:
        connection.execute(_FILLED.encode())
        connection.execute("vacuum analyze")
        yield connection
    module_database.empty()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def carried_out(connection: psycopg.Connection, name: str, wishes: dict[str, Any]) -> list[dict[str, Any]]:
    statement = f"explain (analyze, format json) {load('practice/drawing')[name]}"
    row = connection.execute(statement.encode(), _WANTED | wishes).fetchone()
    assert row is not None
    return list(nodes(row[0][0]["Plan"]))


def rows_of(plan: list[dict[str, Any]], *tables: str) -> float:
    """How many rows of the tables the plan has brought up."""
    found = [node for node in plan if node.get("Relation Name") in tables]
    return sum(float(node["Actual Rows"]) * float(node["Actual Loops"]) for node in found)


@pytest.mark.parametrize(("name", "wishes"), _DRAWS)
def test_a_draw_reads_no_more_questions_than_its_window(
    filled: psycopg.Connection, name: str, wishes: dict[str, Any]
) -> None:
    """500 of each part, the 500 nearest again for their kind, and no table that grows with everybody as a whole."""
    plan = carried_out(filled, name, wishes)
    whole = {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan" and node["Actual Loops"]}
    assert whole & {"questions", "question_versions", "practice_slots", "review_cards", "exam_slots"} == set()
    assert rows_of(plan, "questions") <= 2 * 500 + (500 if "kinds" in wishes else 0) + 50
    assert rows_of(plan, "practice_slots", "flagged_questions", "review_cards") <= 2 * _OWN
    assert rows_of(plan, "exam_sessions", "exam_slots") == 1 + _PAPER


# Of whom an exam is under way, and of whom none is: the same session, all of whose hundred slots are open.
_SITTING, _FREE = "usr_0", "usr_100"
_BEGUN: Final = f"""
set session_replication_role = replica;
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)
select u, 'enr_' || u, 'pkg_net', 'tie_1', 'active', now() from unnest(array['{_SITTING}', '{_FREE}']) u;
insert into student_progress (user_id, last_day, credited_from, credited_until)
select u, '2031-01-01', '2031-01-01', '2031-01-02' from unnest(array['{_SITTING}', '{_FREE}']) u;
insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at,
                               last_event_at)
select u, 'open_' || u, 'pkg_net', 'active', 'immediate', 100, 100, now(), now()
  from unnest(array['{_SITTING}', '{_FREE}']) u;
insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order, max_mark)
select user_id, id, n, 'qst_' || 9000 + n * 3, 1, '{{}}', 1
  from practice_sessions, generate_series(1, 100) n where id like 'open%%';
"""
_ANSWER: Final[dict[str, Any]] = {
    "slot": 1,
    "now": datetime(2031, 1, 1, 12, tzinfo=UTC),
    "thresholds": [100],
    "longest": 300,
    "response": "{}",
    "correct": True,
    "mark": 1,
    "certainty": None,
    "certainty_mark": None,
    "feedback": None,
    "claim_session_id": None,
    "claim_role": None,
    "claim_from": None,
    "claim_until": None,
}


@pytest.mark.parametrize(("user_id", "sessions", "slots"), [(_FREE, 0, 0), (_SITTING, 1, _PAPER)])
def test_an_answer_looks_up_what_is_sat(filled: psycopg.Connection, user_id: str, sessions: int, slots: int) -> None:
    """Nothing more where no exam of the student is under way; else one paper, and no table as a whole."""
    with filled.transaction(force_rollback=True):
        filled.execute(_BEGUN.encode())
        statement = f"explain (analyze, format json) {load('practice/answering')['keep_answer']}"
        row = filled.execute(
            statement.encode(), _ANSWER | {"user_id": user_id, "session_id": f"open_{user_id}"}
        ).fetchone()
    assert row is not None
    plan = list(nodes(row[0][0]["Plan"]))
    growing = [node for node in plan if node.get("Relation Name") in _GROWING and node["Actual Loops"]]
    whole = {node["Relation Name"] for node in growing if node["Node Type"] == "Seq Scan"}
    assert whole.isdisjoint({"exam_sessions", "exam_slots", "practice_slots"})
    assert (rows_of(plan, "exam_sessions"), rows_of(plan, "exam_slots")) == (sessions, slots)
    assert max(float(node["Actual Loops"]) for node in growing) <= max(2, slots)


def numbered(statement: str) -> str:
    """With its parameters by number, for a plan without their values."""
    names = list(dict.fromkeys(_PARAMETER.findall(statement)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement)


@pytest.mark.parametrize("part", ["drawing", "sessions", "reading"])
def test_tables_that_grow_are_looked_up(part: str, module_database: ClonedDatabase) -> None:
    """Each statement of practice has an index for each of them."""
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        for name, statement in load(f"practice/{part}").items():
            row = connection.execute(f"explain (generic_plan, format json) {numbered(statement)}".encode()).fetchone()
            assert row is not None
            for node in nodes(row[0][0]["Plan"]):
                read_whole = node["Node Type"] == "Seq Scan" and node["Relation Name"] in _GROWING
                assert not read_whole, (name, node["Relation Name"])


def test_how_full_a_week_is_costs_as_many_entries_as_the_tier_allows_sessions(filled: psycopg.Connection) -> None:
    statement = f"explain (analyze, format json) {load('practice/sessions')['nth_latest_start']}"
    wanted = {"user_id": "usr_0", "exam_package_id": "pkg_net", "nth": 3}
    row = filled.execute(statement.encode(), wanted).fetchone()
    assert row is not None
    assert rows_of(list(nodes(row[0][0]["Plan"])), "practice_sessions") == 3
