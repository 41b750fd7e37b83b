"""The operations as scripts for pgbench: the statements of the product, in its order, with counted identifiers.

A client of pgbench acts for the student of its own number. `:g` is the number of its transaction in this round, from 1,
and `:round` that of the round, from 0: whatever a round uses up is there for each anew.
"""

from __future__ import annotations

import msgspec
import psycopg

from adapters.postgres.admin.reading import list_of_users
from adapters.postgres.question_bank.listing import page_of_questions
from application.admin.ports import UserFilter
from application.question_bank.listing import QuestionFilter
from benchmarks.content import PAPER, QUESTIONS, snapshot
from benchmarks.limit import CLIENTS, Script, composed, statement, transaction
from benchmarks.people import STUDENTS
from domain.auth.people import Actor, Role
from domain.question_bank.questions import Response

# Rows of a page.
PAGE = 50
_USER = "('usr_bench_' || :client_id::text)"
_SESSION = "('ses_bench_' || :client_id::text)"
# Of this round, with a chain of its own; its transactions of each client have a number in it.
_CHAIN = "('ses_limit' || :round::text || '_' || :client_id::text)"
_NOW = "clock_timestamp()"
_DIGEST = "decode(repeat('5a', 32), 'hex')"
_WEEK, _MONTH = "clock_timestamp() + interval '7 days'", "clock_timestamp() + interval '30 days'"
# What every authenticated request begins with.
_CHECK = statement("auth", "read_standing", user_id=_USER, session_id=_SESSION)
# What a statement that asks for itself whether the session stands is given.
_CLAIM = {
    "claim_session_id": _SESSION,
    "claim_role": "'student'",
    "claim_from": "'-infinity'",
    "claim_until": "'infinity'",
}
_ADMIN = Actor(user_id="usr_admin_0", session_id="ses_admin_0", role=Role.ADMIN)
_CHECK_ADMIN = statement("auth", "read_standing", user_id="'usr_admin_0'", session_id="'ses_admin_0'")


def read_paper(label: str, sessions: int) -> Script:
    paper = _paper(label, f":g % {sessions // STUDENTS}")
    read = statement("practice/reading", "read_session", user_id=_USER, session_id=paper, now="null", **_CLAIM)
    return Script(statements=(read,), shared=True)


def read_question() -> Script:
    """Each client reads the questions in turn, of a version that is known, as the product does after the first time."""
    question = f"('qst_bench_' || (1 + :g % {QUESTIONS})::text)"
    values = {"user_id": _USER, "question_id": question, "known_version": "1", **_CLAIM}
    return Script(statements=(statement("question_bank/reading", "read_published_question", **values),), shared=True)


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


def list_questions() -> Script:
    return Script(statements=(_CHECK_ADMIN, composed(*page_of_questions(QuestionFilter(), _ADMIN, None, PAGE + 1))))


def list_people() -> Script:
    return Script(statements=(_CHECK_ADMIN, composed(*list_of_users(UserFilter(), None, PAGE + 1))))


def answer(connection: psycopg.Connection, papers: int) -> Script:
    """Each transaction answers the next slot that has no answer yet, the last of each paper excepted."""
    kept = statement(
        "practice/answering",
        "keep_answer",
        user_id=_USER,
        session_id=_next_paper(),
        slot=f"(1 + :g % {PAPER - 1})",
        now="null",
        thresholds="array[]::integer[]",
        longest="300",
        response=":response::jsonb",
        correct="true",
        mark="1",
        certainty="null",
        certainty_mark="null",
        feedback=":feedback::jsonb",
        **_CLAIM,
    )
    return Script(
        statements=(kept,),
        text={"response": '{"choice_ids": ["A"]}', "feedback": _feedback(connection)},
        most=papers // CLIENTS * (PAPER - 1) - 1,
        shared=True,
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
        **_CLAIM,
    )
    return Script(statements=(kept,), text={"rest": snapshot(1).decode().removeprefix('{"turn": 1')}, shared=True)


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
        **_CLAIM,
    )
    choices = {name: msgspec.json.encode(Response.choosing(name[0])).decode() for name in ("A", "B")}
    return Script(statements=(kept,), text={"one": choices["A"], "other": choices["B"]}, shared=True)


def refresh() -> Script:
    presented, successor = (_sha256(f"{_CHAIN} || '-' || ({number})::text") for number in (":g - 1", ":g - 0"))
    rotated = statement(
        "auth",
        "rotate_at_once",
        now="null",
        portal="'student'",
        token_hash=presented,
        successor_hash=successor,
        successor_masked=_DIGEST,
        idle="'7 days'",
        otherwise="3",
    )
    return Script(statements=(rotated,), shared=True)


def login() -> Script:
    """Each sign-in ends the one before, as a session limit does in the long run."""
    visitor = f"('usr_bench_' || ({STUDENTS} + :client_id)::text)"
    session, oldest = (
        f"('ses_login' || :round::text || '_' || :client_id::text || '_' || ({number})::text)"
        for number in (":g", ":g - 1")
    )
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
    """The exam of this client's student in this round."""
    return "('exs_limit' || :round::text || '_' || :client_id::text)"


def _paper(label: str, turn: str) -> str:
    """The session of this client's student at its turn; see `content.add_papers` for the numbers."""
    return f"('prs_{label}_' || (:client_id + {STUDENTS} * ({turn}))::text)"


def _next_paper() -> str:
    """The paper that this client's student has come to in this round."""
    return f"('prs_limit' || :round::text || '_' || (:client_id + {CLIENTS} * (:g / {PAPER - 1}))::text)"


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
