"""What a statement asks of a claim is asked in the same words by all of them."""

from __future__ import annotations

import re

from adapters.postgres.files import sql_folder
from adapters.postgres.statements import load

_GUARD = (
    "%(claim_session_id)s::text is null or exists (select from open_sessions o"
    " where o.user_id = %(user_id)s and o.id = %(claim_session_id)s and o.audience = %(claim_role)s"
    " and clock_timestamp() < least(o.open_until, %(claim_until)s::timestamptz)"
    " and clock_timestamp() >= %(claim_from)s::timestamptz)"
)


def test_every_statement_that_takes_a_claim_has_one_and_the_same_guard() -> None:
    queries = sql_folder() / "queries"
    guarded = set()
    for path in queries.rglob("*.sql"):
        area = str(path.relative_to(queries).with_suffix(""))
        for name, statement in load(area).items():
            text = re.sub(r"\s+", " ", statement)
            if "%(claim_" in text or "open_sessions" in text:
                guarded.add(f"{area}: {name}")
                assert text.count(_GUARD) == 1, name
                assert "%(claim_" not in text.replace(_GUARD, ""), name
    assert guarded == {
        "exam/quick: keep_answer",
        "exam/quick: keep_heartbeat",
        "practice/answering: keep_answer",
        "practice/reading: read_session",
        "question_bank/reading: read_published_question",
    }
