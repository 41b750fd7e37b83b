"""Reading evidence on PostgreSQL: in one statement, and at a cost that follows one student's answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.progress.evidence import PostgresEvidenceReader, PostgresFacilityWork
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from domain.progress.calibration import Outcomes
from domain.progress.evidence import MOST_ANSWERS
from tests.support.evidence_stores import ADA, PACKAGE, PostgresEvidence, several
from tests.support.postgres import ClonedDatabase, SettableClock

SQL = load("progress/evidence")
NOW: Final = datetime(2030, 1, 15, 9, 0, tzinfo=UTC)
_STUDENTS, _OWN, _OTHERS, _QUESTIONS, _TOPICS = 40, 2_000, 28_000, 5_000, 50
# One busy student among others, in sessions of a hundred questions each.
_FILLED = f"""
set session_replication_role = replica;
insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
values ('{PACKAGE}', 'network', 'Network', 'visible', 75, now(), now());
insert into question_banks (id, slug, title, published_count, created_at, updated_at)
values ('qbk_network', 'network', 'Network', {_QUESTIONS}, now(), now());
insert into exam_package_banks (exam_package_id, question_bank_id) values ('{PACKAGE}', 'qbk_network');
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
select 'top_' || n, 'qbk_network', 'Topic ' || n, now(), now() from generate_series(0, {_TOPICS - 1}) n;
insert into questions (id, question_bank_id, external_id, published_version, latest_version, latest_status, topic_id,
                       created_at, updated_at)
select 'qst_' || n, 'qbk_network', n, 1, 1, 'published', case when n % 100 <> 7 then 'top_' || n % {_TOPICS} end,
       now(), now()
  from generate_series(0, {_QUESTIONS - 1}) n;
insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at,
                               finished_at, last_event_at)
select u, 'prs_' || s, '{PACKAGE}', 'finished', case when s % 2 = 0 then 'immediate' else 'deferred' end, 100, 100,
       timestamptz '2029-06-01' + s * interval '12 hours', timestamptz '2029-06-01' + s * interval '12 hours', now()
  from (select '{ADA}' as u, s from generate_series(1, {_OWN // 100}) s
        union all
        select 'usr_' || s % {_STUDENTS}, s from generate_series(1, {_OTHERS // 100}) s) of_all;
insert into practice_slots (user_id, session_id, slot, question_id, version, topic_id, choice_order, max_mark, response,
                            correct, mark, answered_at)
select s.user_id, s.id, n, 'qst_' || q, 1, case when q % 100 <> 7 then 'top_' || q % {_TOPICS} end, '{{A,B}}', 1,
       '{{}}', n % 3 > 0, (n % 3 > 0)::integer, s.started_at + n * interval '1 minute'
  from practice_sessions s, generate_series(1, 100) n, lateral (select (hashtext(s.id) + n * 37) & 4095 as q) question;
set session_replication_role = origin;
"""


@pytest.fixture(scope="module")
def filled(module_database: ClonedDatabase) -> Iterator[psycopg.Connection]:
    """Thirty thousand answers, of which one student gave more than any other."""
    with module_database.administration() as connection:
        connection.execute(_FILLED.encode())
        connection.execute("vacuum analyze")
        yield connection
    module_database.empty()


def plan_of(connection: psycopg.Connection, name: str, **params: Any) -> list[dict[str, Any]]:
    """The nodes of the plan as it was carried out."""
    row = connection.execute(f"explain (analyze, format json) {SQL[name]}".encode(), params).fetchone()
    assert row is not None
    (found,) = row[0] if isinstance(row[0], list) else json.loads(row[0])
    nodes, open_nodes = [], [found["Plan"]]
    while open_nodes:
        node = open_nodes.pop()
        nodes.append(node)
        open_nodes.extend(node.get("Plans", ()))
    return nodes


def tables_read_whole(nodes: list[dict[str, Any]]) -> set[str]:
    return {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan" and node["Actual Loops"] > 0}


def test_evidence_costs_what_one_student_has_answered(filled: psycopg.Connection) -> None:
    params = {"user_id": ADA, "exam_package_id": PACKAGE, "now": NOW, "most": MOST_ANSWERS, "with_outcomes": True}
    nodes = plan_of(filled, "evidence", **params)
    assert not tables_read_whole(nodes) & {"practice_slots", "questions"}
    slots = [node for node in nodes if node.get("Relation Name") == "practice_slots"]
    assert slots
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in slots) <= _OWN


def test_evidence_of_one_who_answered_little_costs_little(filled: psycopg.Connection) -> None:
    params = {
        "user_id": "usr_nobody",
        "exam_package_id": PACKAGE,
        "now": NOW,
        "most": MOST_ANSWERS,
        "with_outcomes": True,
    }
    nodes = plan_of(filled, "evidence", **params)
    assert sum(node["Actual Rows"] for node in nodes if node.get("Relation Name") == "practice_slots") == 0


def test_evidence_is_bounded_however_much_was_answered(filled: psycopg.Connection) -> None:
    params = {"user_id": ADA, "exam_package_id": PACKAGE, "now": NOW, "most": 500, "with_outcomes": False}
    cursor = filled.execute(SQL["evidence"].encode(), params)
    columns = [column.name for column in cursor.description or ()]
    row = dict(zip(columns, cursor.fetchone() or (), strict=True))
    assert len(row["question_ids"]) == len(row["fractions"]) == 500
    newest = filled.execute("select max(answered_at) from practice_slots where user_id = %s", (ADA,)).fetchone()
    assert newest is not None
    assert max(row["answered_at"]) == newest[0]
    assert row["without_topic"] == _QUESTIONS // 100


async def test_counting_everything_may_take_longer_than_a_request(database: Database) -> None:
    async def unit(work: _Counting) -> tuple[str, str]:
        usual = await work.patience()
        await work.count_facilities()
        return usual, await work.patience()

    assert await PostgresTransaction(database, _Counting, TimeOrderedIds())(unit) == ("3s", "5min")


class _Counting(PostgresFacilityWork):
    async def patience(self) -> str:
        row = await self._one("show statement_timeout")
        assert row is not None
        return str(row["statement_timeout"])


async def test_a_reader_tells_what_a_unit_of_work_is_told(
    cloned: ClonedDatabase, database: Database, clock: SettableClock
) -> None:
    store = PostgresEvidence(clock, cloned, database)
    store.enroll()
    store.publish("qst_1", "top_1")
    store.publish("qst_2", None)
    store.give(*several("top_1", 3, 2), *several("top_1", 1, ago=timedelta(hours=-1)))
    reader = PostgresEvidenceReader(database, clock)
    assert await reader.evidence(ADA, PACKAGE) == await store.evidence()
    assert await reader.evidence(ADA, "pkg_none") is None
    by_its_own_clock = await PostgresEvidenceReader(database).evidence(ADA, PACKAGE)
    assert by_its_own_clock is not None
    assert abs(by_its_own_clock.at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_topics_are_told_by_their_names(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> None:
    store = PostgresEvidence(clock, cloned, database)
    store.publish("qst_1", "top_1")
    found = await store.evidence()
    assert found is not None
    assert [(topic.id, topic.name) for topic in found.topics] == [("top_1", "top_1 by name"), (None, None)]


async def test_a_hidden_bank_takes_part_in_nothing(
    cloned: ClonedDatabase, database: Database, clock: SettableClock
) -> None:
    store = PostgresEvidence(clock, cloned, database)
    store.publish("qst_1", "top_1")
    store.publish("qst_2", None)
    store.give(*several("top_1", 3))
    cloned.keeper.execute("update question_banks set visibility = 'hidden'")
    found = await store.evidence()
    assert found is not None
    assert found.answers == ()
    assert [(topic.id, topic.published) for topic in found.topics] == [(None, 0)]


async def test_predictions_with_an_outcome_are_told_by_the_chance_that_was_shown(
    cloned: ClonedDatabase, database: Database, clock: SettableClock
) -> None:
    PostgresEvidence(clock, cloned, database)
    shown = [(0.25, True), (0.2504, False), (0.25, None), (0.75, False), (0.75, False), (1.0, True)]
    for number, (p_pass, passed) in enumerate(shown):
        cloned.keeper.execute(
            "insert into readiness_predictions (user_id, id, exam_package_id, shown_at, p_pass, expected, lowest,"
            " highest, need, questions, coverage, exam_session_id, passed)"
            " values (%s, %s, %s, now(), %s, 5, 4, 6, 5, 10, 1, %s, %s)",
            (ADA, f"rdy_{number}", PACKAGE, p_pass, None if passed is None else f"exs_{number}", passed),
        )
    reader = PostgresEvidenceReader(database, clock)
    told = [
        Outcomes(p_pass=0.25, count=2, passed=1),
        Outcomes(p_pass=0.75, count=2, passed=0),
        Outcomes(p_pass=1.0, count=1, passed=1),
    ]
    assert sorted(await reader.outcomes(None), key=lambda group: group.p_pass) == told
    assert sorted(await reader.outcomes(PACKAGE), key=lambda group: group.p_pass) == told
    assert await reader.outcomes("pkg_other") == ()
