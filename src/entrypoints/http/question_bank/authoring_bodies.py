"""What is sent to write questions and to decide about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, TypeVar

from msgspec import UNSET, Meta, UnsetType

from application.question_bank.authoring import NewQuestion
from application.question_bank.changes import KEPT, Named, QuestionChange
from domain.question_bank.bounds import MOST_DIGITS, MOST_PLACES, is_number
from domain.question_bank.content import QuestionContent
from domain.question_bank.import_checks import (
    MAX_NAME_BYTES,
    MAX_OPTION_BYTES,
    MAX_TAGS,
    MOST_ACCEPTED,
    MOST_BANDS,
    MOST_PROMPTS,
)
from domain.question_bank.imported import (
    CHOICE_KEYS,
    LONGEST_TEXT,
    FormattedText,
    ImportedChoice,
    NumericBand,
    Prompt,
    TextFormat,
    unsigned_zero,
)
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.numeric import LONGEST_NUMBER, NumberFault, read_number
from domain.question_bank.review import LONGEST_NOTE
from entrypoints.http.decimals import FRACTION, NOT_NEGATIVE, NUMBER, POINTS, WEIGHT
from entrypoints.http.fields import Id, RequestBody
from entrypoints.http.refusals import invalid

T = TypeVar("T")
# Numbers come as decimal strings, as long as any that is answered; whole ones may come as such.
_MOST = 10**15
# Read by the domain, as what students answer is, so that authors are told in words what is wrong.
_Answer = (
    Annotated[
        str,
        Meta(max_length=LONGEST_NUMBER, extra_json_schema={"pattern": NUMBER}),
    ]
    | Annotated[int, Meta(ge=-_MOST, le=_MOST)]
)
_NotNegative = Annotated[str, Meta(pattern=NOT_NEGATIVE, max_length=81)] | Annotated[int, Meta(ge=0, le=_MOST)]
_Fraction = Annotated[str, Meta(pattern=FRACTION, max_length=42)] | Annotated[int, Meta(ge=0, le=1)]
_Weight = Annotated[str, Meta(pattern=WEIGHT, max_length=13)] | Annotated[int, Meta(ge=-1, le=1)]
_PointsNumber = Annotated[str, Meta(pattern=POINTS, max_length=9)] | Annotated[int, Meta(ge=1, le=9999)]
_LongText = Annotated[str, Meta(max_length=LONGEST_TEXT)]
_OptionText = Annotated[str, Meta(max_length=MAX_OPTION_BYTES)]
_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_BYTES)]
_Tags = Annotated[tuple[_Name, ...], Meta(max_length=MAX_TAGS)]
_Accepted = Annotated[tuple[_OptionText, ...], Meta(max_length=MOST_ACCEPTED)]
_Rev = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_RevIfKnown = Annotated[_Rev | None, Meta(description="The `rev` that was read; null: whatever it is by now")]
_PLAIN: Final = TextFormat.PLAIN
_ANSWER_TOLD: Final = (
    "As a decimal string, written as students may write it: `-12.50`, `.5` or `6.02e23`; it is answered without "
    f"exponent. At most {MOST_DIGITS} significant digits, and {MOST_PLACES} places before and behind the point"
)
_WEIGHT_TOLD: Final = (
    "The fraction of the mark that it earns, −1 to 1, as a decimal string. Where one choice is right it always counts; "
    "where several are, under the policy `weighted` only"
)
_QUESTION_ID: Final = "qst_01m7y0w5089re0wwbvvzgw20sm"


class QuestionTextRequest(RequestBody):
    """A text and how it is to be read."""

    text: _LongText
    format: TextFormat = _PLAIN

    example: ClassVar[Mapping[str, Any]] = {"text": "10.0.0.0/8 is private (RFC 1918).", "format": "plain"}

    def formatted(self) -> FormattedText:
        return FormattedText(text=self.text, format=self.format)


class QuestionChoiceRequest(RequestBody):
    """An option. It is stored as A, B, C… by its place; its `id` here is only what prompts of this body call it."""

    text: _OptionText
    id: Annotated[Id | None, Meta(description="Absent or null: the letter of its place")] = None
    format: TextFormat = _PLAIN
    correct: Annotated[bool, Meta(description="Says nothing where the kind is `ordering` or `matching`")] = False
    weight: Annotated[_Weight | None, Meta(description=_WEIGHT_TOLD)] = None
    explanation: Annotated[QuestionTextRequest | None, Meta(description="Why it is right or wrong")] = None
    pinned: Annotated[bool, Meta(description="Whether it keeps its place where the others are shuffled")] = False

    example: ClassVar[Mapping[str, Any]] = {"text": "10.1.2.3", "correct": True}


class QuestionPromptRequest(RequestBody):
    """What a choice is to be matched with."""

    text: _OptionText
    choice_id: Annotated[Id, Meta(description="The `id` of a choice in this body, or the letter of its place")]
    format: TextFormat = _PLAIN

    example: ClassVar[Mapping[str, Any]] = {"text": "443", "choiceId": "A"}

    def prompt(self, index: int, letters: Mapping[str, str]) -> Prompt:
        if self.choice_id not in letters:
            raise invalid(f"/prompts/{index}/choiceId", "unknown_choice", "The body has no such choice")
        return Prompt(text=FormattedText(text=self.text, format=self.format), choice=letters[self.choice_id])


class NumericBandRequest(RequestBody):
    """A right number: how far off it may be, and the fraction of the mark that it earns then."""

    answer: Annotated[_Answer, Meta(description=_ANSWER_TOLD)]
    tol_abs: Annotated[_NotNegative, Meta(description="As a decimal string")] = "0"
    tol_rel: Annotated[_Fraction, Meta(description="A fraction of the answer, as a decimal string")] = "0"
    fraction: Annotated[_Fraction, Meta(description="More than 0, up to 1, as a decimal string")] = "1"

    example: ClassVar[Mapping[str, Any]] = {"answer": "3.14", "tolAbs": "0.01"}

    def band(self, index: int) -> NumericBand:
        return NumericBand(
            answer=self._right(f"/bands/{index}/answer"),
            tol_abs=Decimal(self.tol_abs),
            tol_rel=Decimal(self.tol_rel),
            fraction=Decimal(self.fraction),
        )

    def _right(self, pointer: str) -> Decimal:
        read = read_number(str(self.answer))
        if isinstance(read, NumberFault):
            raise invalid(pointer, read.code, read.message)
        if not is_number(read):
            message = f"At most {MOST_DIGITS} significant digits, and {MOST_PLACES} places before and behind the point."
            raise invalid(pointer, "out_of_range", message)
        return read


_Choices = Annotated[tuple[QuestionChoiceRequest, ...], Meta(max_length=len(CHOICE_KEYS))]
_Prompts = Annotated[tuple[QuestionPromptRequest, ...], Meta(max_length=MOST_PROMPTS)]
_Bands = Annotated[tuple[NumericBandRequest, ...], Meta(max_length=MOST_BANDS)]
_ChoicesTold = Annotated[_Choices, Meta(description="Of `ordering` in the right order")]
_PromptsTold = Annotated[_Prompts, Meta(description="Of `matching`: each with the choice that belongs to it")]
_BandsTold = Annotated[_Bands, Meta(description="Of `numeric`: the right answers")]
_AcceptedTold = Annotated[_Accepted, Meta(description="Of `short_text`: the right answers")]
_Points = Annotated[_PointsNumber, Meta(description="More than 0, as a decimal string")]


class CreateQuestionRequest(RequestBody):
    """A first draft. All but its bank and kind may come later; a prompt has its choice, a band its answer."""

    question_bank_id: Id
    kind: QuestionKind
    external_id: Annotated[_Name | None, Meta(description="What files call it; null: its own id")] = None
    stem: Annotated[_LongText, Meta(description="The text of the question")] = ""
    stem_format: TextFormat = _PLAIN
    choices: _ChoicesTold = ()
    prompts: _PromptsTold = ()
    bands: _BandsTold = ()
    accepted: _AcceptedTold = ()
    explanation: Annotated[QuestionTextRequest | None, Meta(description="About the question as a whole")] = None
    topic_id: Annotated[Id | None, Meta(description="A topic of the bank")] = None
    difficulty_id: Annotated[Id | None, Meta(description="How hard it is")] = None
    tags: _Tags = ()
    points: _Points = "1"
    shuffle: Annotated[bool, Meta(description="Whether its choices are shown in an order of their own")] = True

    example: ClassVar[Mapping[str, Any]] = {
        "questionBankId": "qbk_01m7y0w5089re0wwbvvzgw20sq",
        "kind": "single",
        "stem": "Which address is private?",
        "choices": [{"text": "8.8.8.8"}, {"text": "10.1.2.3", "correct": True}],
        "explanation": QuestionTextRequest.example,
        "topicId": "top_01m7y0w5089re0wwbvvzgw20sn",
        "difficultyId": "dif_easy",
        "tags": ["addressing"],
        "points": "1",
    }

    def new(self) -> NewQuestion:
        content = QuestionContent(
            kind=self.kind,
            stem=FormattedText(text=self.stem, format=self.stem_format),
            choices=_choices(self.choices),
            bands=_bands(self.bands),
            accepted=self.accepted,
            prompts=_prompts(self.prompts, self.choices),
            explanation=_formatted(self.explanation),
            topic_id=self.topic_id,
            difficulty_id=self.difficulty_id,
            tags=self.tags,
            points=Decimal(self.points),
            shuffle=self.shuffle,
        )
        return NewQuestion(bank_id=self.question_bank_id, external_id=self.external_id, content=content)


class ChangeQuestionRequest(RequestBody):
    """What is to be changed; what is absent stays as it is. A `stem` without `stemFormat` is plain text."""

    expected_rev: _RevIfKnown = None
    kind: QuestionKind | UnsetType = UNSET
    stem: Annotated[_LongText | UnsetType, Meta(description="The text of the question")] = UNSET
    stem_format: Annotated[TextFormat | UnsetType, Meta(description="Comes with `stem`")] = UNSET
    explanation: Annotated[QuestionTextRequest | UnsetType | None, Meta(description="Null takes it away")] = UNSET
    topic_id: Annotated[Id | UnsetType | None, Meta(description="Null takes it away")] = UNSET
    difficulty_id: Annotated[Id | UnsetType | None, Meta(description="Null takes it away")] = UNSET
    tags: _Tags | UnsetType = UNSET
    points: _Points | UnsetType = UNSET
    shuffle: bool | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"expectedRev": 2, "stem": "Which address is private?", "points": "2"}

    def change(self) -> QuestionChange:
        if self.stem is UNSET and self.stem_format is not UNSET:
            raise invalid("/stemFormat", "needs_stem", "Send stemFormat together with stem")
        change = QuestionChange(
            kind=_named(self.kind),
            stem=KEPT if isinstance(self.stem, UnsetType) else self._stem(self.stem),
            explanation=KEPT if isinstance(self.explanation, UnsetType) else _formatted(self.explanation),
            topic_id=_named(self.topic_id),
            difficulty_id=_named(self.difficulty_id),
            tags=KEPT if isinstance(self.tags, UnsetType) else self.tags,
            points=KEPT if isinstance(self.points, UnsetType) else Decimal(self.points),
            shuffle=_named(self.shuffle),
        )
        if not change.named:
            raise invalid("", "required", "Name at least one field that is to be changed")
        return change

    def _stem(self, text: str) -> FormattedText:
        return FormattedText(text=text, format=_PLAIN if isinstance(self.stem_format, UnsetType) else self.stem_format)


class ReplaceChoicesRequest(RequestBody):
    """All that answers are made of, at once: what is absent is empty afterwards; one is named. `kind` may change."""

    expected_rev: _RevIfKnown = None
    kind: Annotated[QuestionKind | UnsetType, Meta(description="Absent: it stays as it is")] = UNSET
    choices: _ChoicesTold | UnsetType = UNSET
    prompts: _PromptsTold | UnsetType = UNSET
    bands: _BandsTold | UnsetType = UNSET
    accepted: _AcceptedTold | UnsetType = UNSET
    shuffle: Annotated[bool | UnsetType, Meta(description="Absent: it stays as it is")] = UNSET

    example: ClassVar[Mapping[str, Any]] = {
        "expectedRev": 2,
        "choices": [{"text": "8.8.8.8"}, {"text": "10.1.2.3", "correct": True}],
    }

    def change(self) -> QuestionChange:
        if all(part is UNSET for part in (self.choices, self.prompts, self.bands, self.accepted)):
            raise invalid("", "required", "Name the choices, prompts, bands or accepted texts")
        choices = _all(self.choices)
        return QuestionChange(
            kind=_named(self.kind),
            choices=_choices(choices),
            prompts=_prompts(_all(self.prompts), choices),
            bands=_bands(_all(self.bands)),
            accepted=_all(self.accepted),
            shuffle=_named(self.shuffle),
        )


class QuestionStepRequest(RequestBody):
    """The revision that was read, where the step is to be taken from that one only."""

    expected_rev: _RevIfKnown = None

    example: ClassVar[Mapping[str, Any]] = {"expectedRev": 3}


class ApproveQuestionRequest(RequestBody):
    """The decision to publish what was read."""

    expected_rev: Annotated[_Rev | None, Meta(description="The `rev` that was read; null where If-Match tells it")] = (
        None
    )
    override: Annotated[bool, Meta(description="Approves even what one has written; is recorded")] = False
    note: Annotated[
        Annotated[str, Meta(max_length=LONGEST_NOTE)] | None, Meta(description="For those who wrote it")
    ] = None

    example: ClassVar[Mapping[str, Any]] = {"expectedRev": 3, "note": "Well explained."}


class RequestChangesRequest(RequestBody):
    """The decision to send a question back, and what is to change in it."""

    note: Annotated[str, Meta(max_length=LONGEST_NOTE, description="For those who wrote it; at least one character")]
    expected_rev: _RevIfKnown = None

    example: ClassVar[Mapping[str, Any]] = {"note": "Option C is right as well.", "expectedRev": 3}


def _choices(sent: Sequence[QuestionChoiceRequest]) -> tuple[ImportedChoice, ...]:
    return tuple(
        ImportedChoice(
            key=key,
            text=FormattedText(text=choice.text, format=choice.format),
            correct=choice.correct,
            weight=None if choice.weight is None else unsigned_zero(Decimal(choice.weight)),
            explanation=_formatted(choice.explanation),
            pinned=choice.pinned,
        )
        for key, choice in zip(CHOICE_KEYS, sent, strict=False)
    )


def _prompts(sent: Sequence[QuestionPromptRequest], choices: Sequence[QuestionChoiceRequest]) -> tuple[Prompt, ...]:
    letters = _letters(choices)
    return tuple(prompt.prompt(index, letters) for index, prompt in enumerate(sent))


def _letters(choices: Sequence[QuestionChoiceRequest]) -> dict[str, str]:
    """The letter under which each choice is stored, by what the body calls it."""
    letters: dict[str, str] = {}
    for index, (letter, choice) in enumerate(zip(CHOICE_KEYS, choices, strict=False)):
        name = letter if choice.id is None else choice.id
        if name in letters:
            raise invalid(f"/choices/{index}/id", "duplicate", "Another choice of the body is called so")
        letters[name] = letter
    return letters


def _bands(sent: Sequence[NumericBandRequest]) -> tuple[NumericBand, ...]:
    return tuple(band.band(index) for index, band in enumerate(sent))


def _formatted(text: QuestionTextRequest | None) -> FormattedText | None:
    return None if text is None else text.formatted()


def _all(sent: tuple[T, ...] | UnsetType) -> tuple[T, ...]:
    return () if isinstance(sent, UnsetType) else sent


def _named(value: T | UnsetType) -> Named[T]:
    return KEPT if isinstance(value, UnsetType) else value
