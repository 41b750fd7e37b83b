"""What a student answers to a question, as it is sent and as it is shown again: in practice and in exams."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from domain.question_bank.questions import Response
from domain.question_bank.wording import LONGEST_ANSWER
from entrypoints.http.fields import Id, MarkedBody, RequestBody, Text
from entrypoints.http.refusals import invalid

_Ids = Annotated[list[Id], Meta(max_length=100)]
_Pairs = Annotated[dict[Id, Id], Meta(max_length=100)]
_WholeNumber = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
# Of two given answers the second is told to be too much.
_ANSWERS: Mapping[str, str] = {
    "choice_ids": "choiceIds",
    "choice_id": "choiceId",
    "numeric_value": "numericValue",
    "text": "text",
    "order": "order",
    "pairs": "pairs",
}


class GivenResponse(RequestBody):
    """The answer in the one field that its kind of question is answered in."""

    choice_ids: Annotated[_Ids | None, Meta(description="The options that are chosen")] = None
    choice_id: Annotated[Id | None, Meta(description="The one option that is chosen, in place of `choiceIds`")] = None
    numeric_value: Annotated[
        Text | _WholeNumber | float | None,
        Meta(description="A number with a decimal point; a string keeps every digit, as `-12.50` or `6.02e23`"),
    ] = None
    text: Annotated[
        Text | None, Meta(description=f"A short answer, {LONGEST_ANSWER} characters at most; case does not matter")
    ] = None
    order: Annotated[_Ids | None, Meta(description="All options, from the first to the last")] = None
    pairs: Annotated[_Pairs | None, Meta(description="The option of each prompt; prompts may be left out")] = None

    example: ClassVar[Mapping[str, Any]] = {"choiceIds": ["B"]}

    def response(self) -> Response:
        """The answer in its one spelling. Refuses two answers at once."""
        given = [sent for name, sent in _ANSWERS.items() if getattr(self, name) is not None]
        if len(given) > 1:
            raise invalid(f"/{given[1]}", "ambiguous", f"Send {given[0]} or {given[1]}, not both")
        if self.numeric_value is not None:
            return Response.counting(str(self.numeric_value))
        if self.text is not None:
            return Response.writing(self.text)
        if self.pairs is not None:
            return Response.matching(self.pairs)
        if self.order is not None:
            return Response.arranging(self.order)
        return Response.choosing([self.choice_id] if self.choice_id is not None else self.choice_ids or [])


class ShownResponse(MarkedBody):
    """What a student has answered; what the kind of the question does not ask for is empty or null."""

    choice_ids: list[str]
    numeric_value: Annotated[Decimal | None, Meta(description="As a decimal string; null of other kinds")]
    text: Annotated[str | None, Meta(description="The short answer; null of other kinds")]
    order: Annotated[list[str], Meta(description="All options, from the first to the last")]
    matched: Annotated[dict[str, str], Meta(description="The option of each prompt")] = field(name="pairs")

    example: ClassVar[Mapping[str, Any]] = {
        "choiceIds": ["B"],
        "numericValue": None,
        "text": None,
        "order": [],
        "pairs": {},
    }
