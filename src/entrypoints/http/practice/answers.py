"""Practice over HTTP: an answer as it is sent, as it is shown again, and what is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from domain.practice.judging import Answer
from domain.question_bank.certainty import Certainty, certainty_fraction
from domain.question_bank.imported import TextFormat
from domain.question_bank.questions import Response
from domain.question_bank.wording import LONGEST_ANSWER
from entrypoints.http.fields import Id, Mark, MarkedBody, MaxMark, RequestBody, ResponseBody, Text
from entrypoints.http.refusals import invalid

_SlotNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]
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


def _for_each_certainty(fraction: Fraction) -> str:
    return ", ".join(f"{certainty_fraction(fraction, each)} (`{each}`)" for each in Certainty).replace("-", "−")


STAKES = (
    f"Right: {_for_each_certainty(Fraction(1))} times what the answer earns otherwise; wrong:"
    f" {_for_each_certainty(Fraction(0))} times what the question is worth."
)


class AnswerQuestionRequest(RequestBody):
    """The question by slot or id, the answer in the one field that its kind is answered in, and how sure one is."""

    slot: Annotated[_SlotNumber | None, Meta(description="The place of the question in the session, from 1")] = None
    question_id: Annotated[Id | None, Meta(description="In place of `slot`, or to agree with it")] = None
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
    certainty: Annotated[
        Certainty | None,
        Meta(
            description="How sure the answer is, in a session that asks for it: unsaid is `low`. In others refused."
            f" {STAKES}"
        ),
    ] = None

    example: ClassVar[Mapping[str, Any]] = {"slot": 1, "choiceIds": ["B"]}

    def answer(self) -> Answer:
        """The response and how sure the student is of it."""
        return Answer(response=self.response(), certainty=self.certainty)

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


class PracticeResponse(MarkedBody):
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


class PracticeExplanation(ResponseBody):
    """Why an option is right or wrong; without `choiceId` about the question as a whole."""

    choice_id: Annotated[str | None, Meta(description="The option; null: the question as a whole")]
    text: str
    format: TextFormat


class PracticeValue(MarkedBody):
    """A right value of a numeric question: right is what is no farther off than either tolerance allows."""

    answer: Annotated[Decimal, Meta(description="The value, as a decimal string")]
    tol_abs: Annotated[Decimal, Meta(description="How far off an answer may be, as a decimal string")]
    tol_rel: Annotated[Decimal, Meta(description="The same as a fraction of the value, as a decimal string")]
    fraction: Annotated[Decimal, Meta(description="The fraction of the full mark that it earns, 0 to 1")]


CorrectChoices = Annotated[list[str], Meta(description="The right options, where options are chosen or matched")]
CorrectOrder = Annotated[list[str], Meta(description="The options in their right order; empty of other kinds")]
CorrectPairs = Annotated[dict[str, str], Meta(description="The right option of each prompt; empty of other kinds")]
CorrectValues = Annotated[
    list[PracticeValue], Meta(description="The right values, the first that is met counts; empty of other kinds")
]
CertaintyMark = Annotated[
    Decimal | None,
    Meta(
        description=f"Marks by certainty, as a decimal string: −6 to 3 times `maxMark`. {STAKES} Null where it is not"
        " asked for"
    ),
]
AcceptedTexts = Annotated[list[str], Meta(description="The accepted short answers; empty of other kinds")]


class PracticeFeedback(MarkedBody):
    """How an answer was judged, and why. What is right is told in the field of the question's kind."""

    correct: Annotated[bool, Meta(description="Whether the answer is wholly right")]
    mark: Mark
    max_mark: MaxMark
    certainty_mark: CertaintyMark
    correct_choice_ids: CorrectChoices
    correct_order: CorrectOrder
    correct_pairs: CorrectPairs
    correct_values: CorrectValues
    accepted_texts: AcceptedTexts
    explanations: list[PracticeExplanation]

    example: ClassVar[Mapping[str, Any]] = {
        "correct": True,
        "mark": "1",
        "maxMark": "1",
        "certaintyMark": None,
        "correctChoiceIds": ["B"],
        "correctOrder": [],
        "correctPairs": {},
        "correctValues": [],
        "acceptedTexts": [],
        "explanations": [{"choiceId": "B", "text": "10.0.0.0/8 is private (RFC 1918).", "format": "plain"}],
    }
