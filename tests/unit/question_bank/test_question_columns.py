"""What a version says survives its columns: written and read again it is the same."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given

from adapters.postgres.question_bank.columns import content_of
from adapters.postgres.question_bank.content import answer_key_column, choices_column, prompts_column
from domain.question_bank.content import QuestionContent
from tests.support.content_strategies import contents


def as_row(content: QuestionContent) -> dict[str, object]:
    """The row as the driver returns it."""
    question = content.canonical(external_id="q1", bank="sums", topic=None, difficulty=None)
    return {
        "kind": content.kind.value,
        "stem": content.stem.text,
        "stem_format": content.stem.format.value,
        "choices": json.loads(choices_column(question)),
        "prompts": json.loads(prompts_column(question)),
        "answer_key": json.loads(answer_key_column(question), parse_float=Decimal),
        "topic_id": content.topic_id,
        "difficulty_id": content.difficulty_id,
        "tags": list(content.tags),
        "points": content.points,
        "shuffle": content.shuffle,
    }


@given(contents())
def test_columns_hold_all_that_a_version_says(content: QuestionContent) -> None:
    assert content_of(as_row(content)) == content


@given(contents())
def test_what_students_may_see_holds_no_key(content: QuestionContent) -> None:
    """Neither column has a member beyond the text, its format and whether it keeps its place."""
    row = as_row(content)
    shown = [*json.loads(json.dumps(row["choices"])), *json.loads(json.dumps(row["prompts"]))]
    assert {name for each in shown for name in each} <= {"id", "text", "format", "pinned"}
