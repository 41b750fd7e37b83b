"""How the practice platform's door tells every refusal that there is."""

from __future__ import annotations

import json
from inspect import signature

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError, FieldProblem, InvalidInput
from domain.practice.refusals import ExamUnderWay
from domain.practice.results import refuse_during_exam
from entrypoints.http.error_catalogue import every_refusal
from entrypoints.http.practice_platform.errors import DETAILS
from entrypoints.http.problems import PROBLEMS, status_of


def _needs_nothing(refusal: type[DomainError]) -> bool:
    return all(each.default is not each.empty for each in signature(refusal).parameters.values())


_PLAIN = [refusal for refusal in every_refusal() if _needs_nothing(refusal)]
# What clients of the platform know by another status; all else is told as everywhere.
_OTHERWISE = {
    "user.email_taken": 400,
    "user.username_taken": 400,
    "auth.current_password_wrong": 401,
    "practice.no_questions": 404,
    "request.malformed": 422,
}


@pytest.mark.parametrize("refusal", _PLAIN, ids=lambda each: each.code)
def test_every_refusal_has_a_status_a_detail_and_its_code(refusal: type[DomainError]) -> None:
    told = DETAILS.tell(refusal(), "request-1")
    assert told.status == DETAILS.status_of(refusal) == _OTHERWISE.get(refusal.code, status_of(refusal))
    assert (told.media_type, told.headers["x-error-code"]) == ("application/json", refusal.code)
    assert ("www-authenticate" in told.headers) == (told.status == 401)
    (detail,) = json.loads(told.body).values()
    assert isinstance(detail, list if told.status == 422 else str)
    assert detail
    usual = PROBLEMS.tell(refusal(), "request-1").headers
    assert usual.items() <= told.headers.items(), "when to come back is told at every door"


def test_what_an_exam_shuts_is_told_in_a_sentence_that_needs_no_title() -> None:
    """Elsewhere a title stands beside what is said of this case."""
    with pytest.raises(ExamUnderWay) as refused:
        refuse_during_exam(True)
    (detail,) = json.loads(DETAILS.tell(refused.value, "request-1").body).values()
    assert detail == f"{ExamUnderWay.title}. It opens again when that exam is over."


_NAMES = st.from_regex("[a-z]{1,6}(_[a-z]{1,6}){0,2}", fullmatch=True)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


@given(path=st.lists(_NAMES | st.integers(0, 99), min_size=1, max_size=4), camel=st.booleans())
def test_a_pointer_becomes_the_way_to_the_field(path: list[str | int], camel: bool) -> None:
    steps = [_camel(step) if camel and isinstance(step, str) else str(step) for step in path]
    refusal = InvalidInput(problems=(FieldProblem("".join(f"/{step}" for step in steps), "too_long", "Too long"),))
    (fault,) = json.loads(DETAILS.tell(refusal, "request-1").body)["detail"]
    renamed = {"current_password": "old_password", "choice_ids": "user_answer"}
    assert fault == {
        "loc": ["body", *(renamed.get(step, step) if isinstance(step, str) else step for step in path)],
        "msg": "Too long",
        "type": "string_too_long",
    }


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("?count", ["query", "count"]),
        ("?", ["query"]),
        ("Idempotency-Key", ["header", "Idempotency-Key"]),
        ("", ["body"]),
    ],
)
def test_what_is_not_in_the_body_is_told_where_it_is(pointer: str, place: list[str]) -> None:
    refusal = InvalidInput(problems=(FieldProblem(pointer, "required", "The parameter is required"),))
    (fault,) = json.loads(DETAILS.tell(refusal, "request-1").body)["detail"]
    assert fault == {"loc": place, "msg": "Field required", "type": "missing"}
