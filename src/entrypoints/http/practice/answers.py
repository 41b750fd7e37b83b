"""Practice over HTTP: an answer as it is sent, as it is shown again, and what is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from domain.practice.judging import Answer
from domain.question_bank.certainty import Certainty, certainty_fraction
from domain.question_bank.imported import TextFormat
from entrypoints.http.fields import Id, Mark, MarkedBody, MaxMark, ResponseBody
from entrypoints.http.responses import GivenResponse, ShownResponse

_SlotNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]


def _for_each_certainty(fraction: Fraction) -> str:
    return ", ".join(f"{certainty_fraction(fraction, each)} (`{each}`)" for each in Certainty).replace("-", "−")


STAKES = (
    f"Right: {_for_each_certainty(Fraction(1))} times what the answer earns otherwise; wrong:"
    f" {_for_each_certainty(Fraction(0))} times what the question is worth."
)


class AnswerQuestionRequest(GivenResponse):
    """The question by slot or id, the answer in the one field that its kind is answered in, and how sure one is."""

    slot: Annotated[_SlotNumber | None, Meta(description="The place of the question in the session, from 1")] = None
    question_id: Annotated[Id | None, Meta(description="In place of `slot`, or to agree with it")] = None
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


class PracticeResponse(ShownResponse):
    """What a student has answered; what the kind of the question does not ask for is empty or null."""

    example: ClassVar[Mapping[str, Any]] = ShownResponse.example


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
