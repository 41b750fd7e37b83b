"""What must be true after an exam day, read from the database itself and not from the server that is judged."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.exam_day.ledger import Ledger, Said
from tests.exam_day.site import Site

Row = dict[str, Any]


def complaints(site: Site, ledgers: Sequence[Ledger], *, latency: int) -> Iterator[str]:
    """Everything that was acknowledged and is not there, and every session that is not as it must be."""
    with psycopg.Connection[Row].connect(site.ace.database_url, row_factory=dict_row) as connection:
        sessions = {row["id"]: row for row in connection.execute("select * from exam_sessions")}
        entries = _by_session(connection.execute("select * from exam_records order by session_id, position").fetchall())
        grades = _by_session(connection.execute("select session_id, revision, mark::text from exam_grades").fetchall())
        slots = _by_session(connection.execute("select * from exam_slots").fetchall())
    for ledger in (each for each in ledgers if each.session_id):
        session = sessions.get(ledger.session_id)
        if session is None:
            yield f"{ledger.session_id}: an acknowledged start is not there"
            continue
        for complaint in _of_session(ledger, session, entries, grades, slots, latency):
            yield f"{ledger.session_id}: {complaint}"
    if len(sessions) != len(ledgers):
        yield f"{len(ledgers)} candidates have {len(sessions)} sessions"


def verified(site: Site) -> Iterator[str]:
    """`ace exam verify` recomputes every chain and every mark."""
    outcome = site.ace.run("exam", "verify", "--all")
    if outcome.returncode != 0:
        yield f"ace exam verify: {outcome.returncode}: {(outcome.stdout + outcome.stderr)[-500:]}"


def _of_session(
    ledger: Ledger,
    session: Row,
    entries: dict[str, list[Row]],
    grades: dict[str, list[Row]],
    slots: dict[str, list[Row]],
    latency: int,
) -> Iterator[str]:
    said = entries[ledger.session_id]
    answers = {(row["slot"], row["revision"]): row for row in said if row["kind"] == "answer"}
    yield from _answers(ledger, answers)
    yield from _last_answers(answers, slots[ledger.session_id])
    yield from _beats(ledger, session)
    yield from _events(ledger, [row for row in said if row["kind"] == "event"])
    yield from _ending(ledger, session, grades[ledger.session_id])
    yield from _in_time(session, answers.values(), latency)


def _answers(ledger: Ledger, stored: dict[tuple[int, int], Row]) -> Iterator[str]:
    for slot, revisions in ledger.answers.items():
        for revision, response in revisions.items():
            row = stored.get((slot, revision))
            if row is None:
                yield f"answer {revision} of slot {slot} was acknowledged and is not there"
            elif not _says(row["content"], response):
                yield f"answer {revision} of slot {slot} is {row['content']} and not {response}"


def _says(content: str, response: Said) -> bool:
    """Choices may have other names inside; how many were chosen, and every other answer, is told as it was given."""
    stored = json.loads(content)
    if "choiceIds" in response:
        return len(stored.get("choiceIds", [])) == len(response["choiceIds"])
    return all(str(stored.get(name)) == str(value) for name, value in response.items())


def _last_answers(stored: dict[tuple[int, int], Row], slots: list[Row]) -> Iterator[str]:
    for slot in slots:
        revisions = [revision for number, revision in stored if number == slot["slot"]]
        if sorted(revisions) != list(range(1, slot["revision"] + 1)):
            yield f"slot {slot['slot']} has come to {slot['revision']} and its history to {sorted(revisions)}"


def _beats(ledger: Ledger, session: Row) -> Iterator[str]:
    if session["last_seq"] < ledger.beat:
        yield f"heartbeat {ledger.beat} was acknowledged, the session knows {session['last_seq']}"
    if ledger.beat and (session["snapshot"] or {}).get("beat") != session["last_seq"]:
        yield f"the snapshot is {session['snapshot']}, the last heartbeat {session['last_seq']}"


def _events(ledger: Ledger, stored: list[Row]) -> Iterator[str]:
    kept: dict[str, list[str]] = defaultdict(list)
    for row in stored:
        if row["client_event_id"] is not None:
            kept[row["client_event_id"]].append(row["id"])
    for name, identifier in ledger.events.items():
        if kept[name] != [identifier]:
            yield f"event {name} was acknowledged as {identifier} and is stored as {kept[name]}"


def _ending(ledger: Ledger, session: Row, grades: list[Row]) -> Iterator[str]:
    if session["status"] != "finished":
        yield f"it is {session['status']}"
    if [row["revision"] for row in grades] != [1]:
        yield f"it has the grades {[row['revision'] for row in grades]}"
    if ledger.submitted is None:
        return
    told = ledger.submitted["result"]["mark"]
    if grades and float(told) != float(grades[0]["mark"]):
        yield f"its student was told {told}, its grade is {grades[0]['mark']}"


def _in_time(session: Row, answers: Any, latency: int) -> Iterator[str]:
    sealed: datetime | None = session["sealed_at"]
    if sealed is None:
        return
    for row in answers:
        if row["effective_at"] > sealed:
            yield f"answer {row['revision']} of slot {row['slot']} counts for later than the end"
        if row["at"] > sealed + timedelta(seconds=latency):
            yield f"answer {row['revision']} of slot {row['slot']} was accepted after the end"


def _by_session(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["session_id"]].append(row)
    return found
