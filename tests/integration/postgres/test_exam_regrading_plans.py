"""How much finding and grading again costs where many thousand students sat an exam."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from adapters.postgres.statements import load
from tests.support.postgres import ClonedDatabase

REGRADING, RESULTS, STATISTICS = load("exam/regrading"), load("exam/results"), load("exam/statistics")
_SESSIONS, _SLOTS = 4000, 20
# A question of the middle, which every session asks; each session belongs to somebody else.
_FILLED = f"""
set session_replication_role = replica;
insert into users (id, email, role, password_hash, created_at, updated_at)
select 'usr_' || n, n || '@example.org', 'student', 'x', now(), now() from generate_series(1, {_SESSIONS}) n;
insert into exam_packages (id, slug, title, visibility, pass_mark, settings, created_at, updated_at)
values ('pkg_1', 'network', 'Network', 'visible', 50, '{{"review_rule": "after_release"}}', now(), now());
insert into questions (id, question_bank_id, external_id, published_version, latest_version, latest_status, created_at,
                       updated_at)
select 'qst_' || n, 'qbk_1', n, 1, 1, 'published', now(), now() from generate_series(1, {_SLOTS}) n;
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, answer_key, content_hash,
                               created_at, updated_at)
select 'qst_' || n, 1, 'published', 'single', 'Which?', 'plain',
       '[{{"id": "A", "text": "this"}}, {{"id": "B", "text": "that"}}]', '{{"correct": ["B"]}}', sha256(n::text::bytea),
       now(), now()
  from generate_series(1, {_SLOTS}) n;
insert into exam_sessions (user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, status, started_at,
                           sealed_at, seal_reason, grade_revision, mark, max_mark, passed, graded_at)
select 'usr_' || n, 'exs_' || n, 'pkg_1', 'tie_1', 1, now(), '{{"pass_mark": "50"}}', 'finished', now(), now(),
       'student', 1, {_SLOTS} / 2, {_SLOTS}, true, now()
  from generate_series(1, {_SESSIONS}) n;
insert into exam_slots (user_id, session_id, slot, section, question_id, version, choice_order, max_mark, response,
                        revision, answered_at, mark, correct)
select s.user_id, s.id, n, 0, 'qst_' || n, 1, '{{A,B}}', 1, '{{"choice_ids": ["A"]}}', 1, now(), 0, false
  from exam_sessions s, generate_series(1, {_SLOTS}) n;
insert into exam_grades (user_id, session_id, revision, mark, max_mark, passed, marks, mode, graded_at)
select s.user_id, s.id, 1, s.mark, s.max_mark, true,
       (select jsonb_agg(jsonb_build_object('slot', n, 'mark', (n % 2)::text, 'max_mark', '1', 'answered', true))
          from generate_series(1, {_SLOTS}) n), 'as_asked', now()
  from exam_sessions s;
set session_replication_role = origin;
"""
_WANTED: dict[str, Any] = {
    "exam_package_id": "pkg_1",
    "question_id": f"qst_{_SLOTS // 2}",
    "versions": [1],
    "version": 1,
    "void_id": "vod_1",
    "after_user_id": f"usr_{_SESSIONS // 2}",
    "after_id": "",
    "limit": 200,
}


@pytest.fixture(scope="module")
def filled(module_database: ClonedDatabase) -> Iterator[psycopg.Connection]:
    with module_database.administration() as connection:
        connection.execute(_FILLED.encode())
        connection.execute("vacuum analyze")
        yield connection
    module_database.empty()


def plan_of(connection: psycopg.Connection, statement: Any, **params: Any) -> list[dict[str, Any]]:
    """The nodes of the plan as it was carried out."""
    row = connection.execute(f"explain (analyze, format json) {statement}".encode(), params).fetchone()
    assert row is not None
    (found,) = row[0] if isinstance(row[0], list) else json.loads(row[0])
    nodes, open_nodes = [], [found["Plan"]]
    while open_nodes:
        node = open_nodes.pop()
        nodes.append(node)
        open_nodes.extend(node.get("Plans", ()))
    return nodes


def rows_of(nodes: list[dict[str, Any]], table: str) -> float:
    of_table = [node for node in nodes if node.get("Relation Name") == table]
    assert of_table
    return sum(float(node["Actual Rows"]) * float(node["Actual Loops"]) for node in of_table)


@pytest.mark.parametrize("name", ["graded", "without_void"])
def test_the_next_sessions_that_asked_a_question_cost_what_they_are(filled: psycopg.Connection, name: str) -> None:
    """However many come before and after them: they are read in the order of an index, and no others."""
    nodes = plan_of(filled, REGRADING[name], **_WANTED)
    assert not [node for node in nodes if node["Node Type"] in ("Seq Scan", "Sort")]
    for table in ("exam_slots", "exam_sessions", "exam_grades"):
        assert rows_of(nodes, table) <= 2 * _WANTED["limit"]


@pytest.mark.parametrize("name", ["count_affected", "count_without_void"])
def test_counting_the_sessions_that_asked_a_question_reads_the_slots_that_ask_it(
    filled: psycopg.Connection, name: str
) -> None:
    nodes = plan_of(filled, REGRADING[name], **_WANTED)
    assert rows_of(nodes, "exam_slots") == _SESSIONS


@pytest.mark.parametrize("name", ["result", "review"])
def test_a_result_costs_what_one_exam_is(filled: psycopg.Connection, name: str) -> None:
    params = {"user_id": "usr_7", "session_id": "exs_7", "now": None}
    nodes = plan_of(filled, RESULTS[name], **params)
    assert rows_of(nodes, "exam_slots") == _SLOTS
    assert rows_of(nodes, "exam_sessions") <= _SLOTS


@pytest.mark.parametrize("name", ["result", "review"])
def test_whether_anybody_still_sits_is_asked_of_an_index(filled: psycopg.Connection, name: str) -> None:
    params = {"user_id": "usr_7", "session_id": "exs_7", "now": None}
    with filled.transaction(force_rollback=True):
        filled.execute(
            """update exam_packages set settings = '{"review_rule": "after_window", "closes_at": "2020-01-01"}'"""
        )
        nodes = plan_of(filled, RESULTS[name], **params)
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "exam_sessions"]
    assert rows_of(nodes, "exam_slots") == _SLOTS
    assert rows_of(nodes, "exam_sessions") <= _SLOTS


@pytest.mark.parametrize("name", ["pkg_1", "network"])
def test_how_many_exams_of_a_package_are_finished_and_since_when_is_read_from_an_index(
    filled: psycopg.Connection, name: str
) -> None:
    nodes = plan_of(filled, STATISTICS["sampled_package"], name=name, now=None)
    (sessions,) = [node for node in nodes if node.get("Relation Name") == "exam_sessions"]
    assert (sessions["Node Type"], sessions["Heap Fetches"]) == ("Index Only Scan", 0)
    assert rows_of(nodes, "exam_sessions") == _SESSIONS


def test_a_history_costs_what_one_student_sat(filled: psycopg.Connection) -> None:
    nodes = plan_of(filled, RESULTS["history"], user_id="usr_7", exam_package_id=None, after=None, limit=20)
    assert rows_of(nodes, "exam_sessions") <= 2
