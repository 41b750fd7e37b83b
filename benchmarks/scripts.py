"""The operations as scripts for pgbench: the statements of the product, in its order, with counted identifiers.

A client of pgbench acts for the student of its own number. `:g` is the number of its transaction, from 1.
"""

from __future__ import annotations

import msgspec
import psycopg

from benchmarks.content import PAPER, STUDENTS, snapshot
from benchmarks.limit import Script, statement, transaction
from domain.question_bank.questions import Response

_USER = "('usr_bench_' || :client_id::text)"
_SESSION = "('ses_bench_' || :client_id::text)"
_NOW = "clock_timestamp()"
_DIGEST = "decode(repeat('5a', 32), 'hex')"
_WEEK, _MONTH = "clock_timestamp() + interval '7 days'", "clock_timestamp() + interval '30 days'"
# What every authenticated request begins with.
_CHECK = statement("auth", "read_standing", user_id=_USER, session_id=_SESSION)


def read_paper(label: str, sessions: int) -> Script:
    paper = _paper(label, f":g % {sessions // STUDENTS}")
    return Script(
        statements=(
            _CHECK,
            statement("practice/reading", "read_session", user_id=_USER, session_id=paper, now="null"),
        )
    )


def list_papers() -> Script:
    listing = statement(
        "practice/reading",
        "list_sessions",
        user_id=_USER,
        before_id="null",
        limit="21",
        now="null",
        exam_package_id="null",
        statuses="array[]::text[]",
    )
    return Script(statements=(_CHECK, listing))


def list_packages() -> Script:
    return Script(
        statements=(statement("enrollment/packages", "list_packages", text="null", after="null", limit="21"),)
    )


def answer(connection: psycopg.Connection, sessions: int) -> Script:
    """Each transaction answers the next slot that has no answer yet, the last of each paper excepted."""
    kept = statement(
        "practice/answering",
        "keep_answer",
        user_id=_USER,
        session_id=_paper("limit", f":g / {PAPER - 1}"),
        slot=":slot",
        now="null",
        thresholds="array[]::integer[]",
        longest="300",
        response=":response::jsonb",
        correct="true",
        mark="1",
        certainty="null",
        certainty_mark="null",
        feedback=":feedback::jsonb",
    )
    return Script(
        statements=(_CHECK, kept),
        settings=f"\\set slot 1 + :g % {PAPER - 1}",
        text={"response": '{"choice_ids": ["A"]}', "feedback": _feedback(connection)},
        most=sessions // STUDENTS * (PAPER - 1) - 1,
    )


def heartbeat() -> Script:
    """Each brings another snapshot."""
    kept = statement(
        "exam/quick",
        "keep_heartbeat",
        user_id=_USER,
        session_id=_exam(),
        now="null",
        seq=":g",
        client_at="null",
        snapshot="""('{"turn": ' || (:g)::text || :rest)""",
        event_id="'evt_bench'",
        digest=_DIGEST,
        longest_silence="'15 seconds'",
        longest_drift="'30 seconds'",
        drift_pause="'60 seconds'",
    )
    return Script(statements=(_CHECK, kept), text={"rest": snapshot(1).decode().removeprefix('{"turn": 1')})


def exam_answer() -> Script:
    """Each transaction answers the next slot, and begins anew with the other choice when all are answered."""
    revision = f"((:g - 1) / {PAPER})"
    kept = statement(
        "exam/quick",
        "keep_answer",
        user_id=_USER,
        session_id=_exam(),
        now="null",
        slot=f"(1 + :g % {PAPER})",
        base_revision=revision,
        response=f"(case when {revision} % 2 = 0 then :one else :other end)",
        certainty="null",
        flagged="null",
        autosave="false",
        content="""'{"choiceIds":["A"]}'""",
        digest=_DIGEST,
    )
    choices = {name: msgspec.json.encode(Response.choosing(name[0])).decode() for name in ("A", "B")}
    return Script(statements=(_CHECK, kept), text={"one": choices["A"], "other": choices["B"]})


def refresh() -> Script:
    presented, successor = (_sha256(f"{_SESSION} || '-' || ({number})::text") for number in (":g - 1", ":g - 0"))
    return Script(
        statements=transaction(
            statement("auth", "hold_session_of", token_hash=presented, now=_NOW),
            statement("auth", "limits_of", user_id=_USER, role="'student'"),
            statement("auth", "read_chain", user_id=_USER, session_id=_SESSION, token_hash=presented),
            statement(
                "auth",
                "rotate",
                user_id=_USER,
                session_id=_SESSION,
                generation="(:g - 1)",
                used_at=_NOW,
                successor_masked="decode(repeat('5a', 32), 'hex')",
                last_seen_at=_NOW,
                idle_expires_at=_WEEK,
                successor_hash=successor,
            ),
        )
    )


def login() -> Script:
    """Each sign-in ends the one before, as a session limit does in the long run."""
    visitor = f"('usr_bench_' || ({STUDENTS} + :client_id)::text)"
    session, oldest = (f"('ses_limit_' || :client_id::text || '_' || ({number})::text)" for number in (":g", ":g - 1"))
    found = statement(
        "auth", "find_user_by_email", email=f"('bench' || ({STUDENTS} + :client_id)::text || '@ace.example')"
    )
    entered = transaction(
        statement("auth", "hold_user", user_id=visitor),
        statement(
            "auth",
            "end_expired",
            user_id=visitor,
            now=_NOW,
            since="clock_timestamp() - interval '10 seconds'",
            reason="'expired'",
        ),
        statement("auth", "limits_of", user_id=visitor, role="'student'"),
        statement("auth", "live_sessions", user_id=visitor, now=_NOW),
        statement(
            "auth", "end_sessions", user_id=visitor, session_ids=f"array[{oldest}]", now=_NOW, reason="'evicted'"
        ),
        _open_session(visitor, session),
    )
    counted = transaction(*_count_attempt(settled=False))
    return Script(statements=(*counted, found, *transaction(*_count_attempt(settled=True)), *entered))


def _count_attempt(*, settled: bool) -> tuple[str, str]:
    """An attempt at one account from one address is reserved, or settled."""
    keys = "array['account:' || :client_id::text, 'pair:' || :client_id::text, 'sign-in:' || :client_id::text]"
    thrice = "array[{0}, {0}, {0}]"
    kept = statement(
        "auth",
        "keep_attempts",
        keys=keys,
        failures=thrice.format("0"),
        under_way_by="array[]::text[]" if settled else keys,
        under_way_since="array[]::timestamptz[]" if settled else thrice.format(_NOW),
        window_started_at=thrice.format(_NOW),
        last_at=thrice.format(_NOW),
        blocked_until="array[null, null, null]",
    )
    return statement("auth", "hold_attempts", keys=keys, now=_NOW), kept


def _open_session(user: str, session: str) -> str:
    return statement(
        "auth",
        "add_session",
        user_id=user,
        id=session,
        door="'portal'",
        audience="'student'",
        ip="'127.0.0.1'",
        user_agent="''",
        remember="false",
        auth_time=_NOW,
        created_at=_NOW,
        last_seen_at=_NOW,
        renewed_at="null",
        idle_expires_at=_WEEK,
        absolute_expires_at=_MONTH,
        sits_exam_until="null",
        revoked_at="null",
        revoke_reason="null",
        generation="0",
        token_hash=_sha256(session),
        issued_at=_NOW,
    )


def _exam() -> str:
    """The exam of this client's student."""
    return "('exs_limit_' || :client_id::text)"


def _paper(label: str, turn: str) -> str:
    """The session of this client's student at its turn; see `content.add_papers` for the numbers."""
    return f"('prs_{label}_' || (:client_id + {STUDENTS} * ({turn}))::text)"


def _sha256(expression: str) -> str:
    return f"sha256(convert_to({expression}, 'UTF8'))"


def _feedback(connection: psycopg.Connection) -> str:
    """What an answer stores beside itself to be read back later, of the usual length."""
    row = connection.execute(
        "select feedback::text from practice_slots where feedback is not null order by length(feedback::text), slot"
        " offset (select count(*) / 2 from practice_slots where feedback is not null) limit 1"
    ).fetchone()
    assert row is not None, "the product is measured first, so that its answers are there"
    return str(row[0])
