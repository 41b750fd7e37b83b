"""A zero of a file has no sign in the bank, whichever format wrote one."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from adapters.files.gift_questions import parse_gift
from adapters.files.jsonl_questions import parse_jsonl
from adapters.files.moodle_questions import parse_moodle
from domain.question_bank.imported import ImportedQuestion

_JSONL = b'{"format":"ace-questions","version":1}\n'
_GIFT = b"Which? {~%100%a ~%100%b ~%-0%c ~%-0.0%d}\n"
_MOODLE = b"""<quiz><question type="multichoice"><questiontext format="plain_text"><text>Which?</text></questiontext>
<single>false</single><answer fraction="50"><text>a</text></answer><answer fraction="50"><text>b</text></answer>
<answer fraction="-0"><text>c</text></answer><answer fraction="-0.0"><text>d</text></answer></question></quiz>"""


def line(**changes: Any) -> bytes:
    return _JSONL + json.dumps({"externalId": "Q1", "stem": {"text": "Which?"}} | changes).encode() + b"\n"


def choice(key: str, weight: str) -> dict[str, Any]:
    return {"key": key, "text": {"text": key}, "correct": key in "AB", "weight": weight}


_WEIGHTED = line(
    kind="multiple", choices=[choice(*each) for each in zip("ABCD", ("0.5", "0.5", "-0", "-0.00"), strict=True)]
)


@pytest.mark.parametrize(
    ("parse", "content"),
    [(parse_jsonl, _WEIGHTED), (parse_gift, _GIFT), (parse_moodle, _MOODLE)],
    ids=["jsonl", "gift", "moodle"],
)
def test_a_weight_of_nothing_has_no_sign(parse: Any, content: bytes) -> None:
    (question,) = questions_of(parse, content)
    weights = [each.weight for each in question.choices[2:]]
    assert weights == [0, 0]
    assert not any(weight is None or weight.is_signed() for weight in weights)


def test_neither_an_answer_of_nothing_nor_its_tolerances_have_one() -> None:
    band = {"answer": "-0.0", "tolAbs": "-0", "tolRel": "-0.000"}
    (question,) = questions_of(parse_jsonl, line(kind="numeric", bands=[band]))
    assert [
        str(number) for number in (question.bands[0].answer, question.bands[0].tol_abs, question.bands[0].tol_rel)
    ] == ["0", "0", "0"]


def questions_of(parse: Any, content: bytes) -> list[ImportedQuestion]:
    items = parse(io.BytesIO(content), file_name="questions", bank="ports")
    return [item for item in items if isinstance(item, ImportedQuestion)]
