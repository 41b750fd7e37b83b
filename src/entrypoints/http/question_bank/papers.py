"""The question bank over HTTP: papers by blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.question_bank.papers import DrawnQuestion, PaperPreview, PaperSourceNotFound, PreviewPaper
from domain.auth.people import Actor, Role
from domain.question_bank.blueprints import MAX_MARKS, MAX_PAPER, MAX_SECTIONS, Blueprint, Section, Shortfall
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from entrypoints.http.fields import NO_BREAK_AFTER, Id, MarkedBody, MaxMark, RequestBody, ResponseBody
from entrypoints.http.injection import Injected

_Count = Annotated[int, Meta(ge=1, le=MAX_PAPER, description="How many questions")]
_Marks = (
    Annotated[str, Meta(pattern=rf"^[0-9]{{1,4}}(\.[0-9]{{1,4}})?${NO_BREAK_AFTER}", max_length=9)]
    | Annotated[int, Meta(ge=1, le=int(MAX_MARKS))]
)


class BlueprintSection(RequestBody):
    """So many questions of a topic, of a difficulty, of both or of any."""

    count: _Count
    topic_id: Annotated[Id | None, Meta(description="Null: any topic")] = None
    difficulty_id: Annotated[Id | None, Meta(description="Null: any difficulty")] = None
    marks: Annotated[
        _Marks | None, Meta(description="For each question, as a decimal string; null: its own points")
    ] = None

    example: ClassVar[Mapping[str, Any]] = {"count": 10, "topicId": "top_01m7y0w5089re0wwbvvzgw20sg", "marks": "2"}


class PreviewPaperRequest(RequestBody):
    """A blueprint, whose retakes are to be tried, and the seed of a paper that is to be told again."""

    sections: Annotated[list[BlueprintSection], Meta(min_length=1, max_length=MAX_SECTIONS)]
    student_id: Annotated[Id | None, Meta(description="Whose questions count as seen; null: nobody's")] = None
    seed: Annotated[Id | None, Meta(description="The same seed gives the same paper; null: a new one")] = None

    example: ClassVar[Mapping[str, Any]] = {"sections": [BlueprintSection.example], "seed": "rehearsal-1"}

    def blueprint(self) -> Blueprint:
        return Blueprint(
            sections=tuple(
                Section(
                    count=section.count,
                    topic_id=section.topic_id,
                    difficulty_id=section.difficulty_id,
                    marks=None if section.marks is None else Decimal(section.marks),
                )
                for section in self.sections
            )
        )


class PaperChoice(ResponseBody):
    """An option of a question."""

    id: str
    text: str
    format: TextFormat


class PaperQuestion(MarkedBody):
    """A place of the paper with its question; choices in the order in which they stand there."""

    slot: Annotated[int, Meta(description="The place in the paper, from 1")]
    section: Annotated[int, Meta(description="The section it fills, from 0")]
    question_id: str
    version: Annotated[int, Meta(description="Which version of the question")]
    kind: QuestionKind
    stem: str
    stem_format: TextFormat
    choices: list[PaperChoice]
    max_mark: MaxMark

    example: ClassVar[Mapping[str, Any]] = {
        "slot": 1,
        "section": 0,
        "questionId": "qst_01m7y0w5089re0wwbvvzgw20sm",
        "version": 1,
        "kind": "single",
        "stem": "Which address is private?",
        "stemFormat": "plain",
        "choices": [
            {"id": "B", "text": "10.1.2.3", "format": "plain"},
            {"id": "A", "text": "8.8.8.8", "format": "plain"},
        ],
        "maxMark": "2",
    }


class PaperShortfall(ResponseBody):
    """Sections that compete for too few questions. Null among the topics is a section for any topic."""

    sections: Annotated[list[int], Meta(description="Which sections, from 0")]
    topic_ids: list[str | None]
    required: Annotated[int, Meta(description="How many questions these sections ask for together")]
    available: Annotated[int, Meta(description="How many there are for them")]
    missing: Annotated[int, Meta(description="How many are missing")]


class PaperPreviewBody(ResponseBody):
    """What a blueprint gives today: a paper, or where and by how much the banks fall short."""

    feasible: bool
    seed: str
    shortfalls: list[PaperShortfall]
    questions: list[PaperQuestion]

    example: ClassVar[Mapping[str, Any]] = {
        "feasible": True,
        "seed": "rehearsal-1",
        "shortfalls": [],
        "questions": [PaperQuestion.example],
    }


@post(
    "/instructor/exam-packages/{exam_package_id:str}/paper-preview",
    summary="Try a blueprint",
    operation_id="previewPaper",
    status_code=200,
    opt={"callers": (Role.INSTRUCTOR, Role.ADMIN), "refusals": (PaperSourceNotFound,)},
)
async def preview(
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[PreviewPaperRequest],
    preview_paper: Injected[PreviewPaper],
) -> PaperPreviewBody:
    """Draw a paper from a package as an exam would, to see whether the blueprint can be filled. Nothing is kept."""
    found = await preview_paper(actor, exam_package_id, data.blueprint(), student_id=data.student_id, seed=data.seed)
    return _preview(found)


def _preview(found: PaperPreview) -> PaperPreviewBody:
    return PaperPreviewBody(
        feasible=not found.shortfalls,
        seed=found.seed,
        shortfalls=[_shortfall(shortfall) for shortfall in found.shortfalls],
        questions=[_question(drawn) for drawn in found.questions],
    )


def _shortfall(shortfall: Shortfall) -> PaperShortfall:
    return PaperShortfall(
        sections=list(shortfall.sections),
        topic_ids=list(shortfall.topic_ids),
        required=shortfall.required,
        available=shortfall.available,
        missing=shortfall.missing,
    )


def _question(drawn: DrawnQuestion) -> PaperQuestion:
    slot, question = drawn.slot, drawn.question
    choices = {choice.id: choice for choice in question.choices}
    return PaperQuestion(
        slot=slot.slot,
        section=slot.section,
        question_id=question.question_id,
        version=question.version,
        kind=question.kind,
        stem=question.stem,
        stem_format=question.stem_format,
        choices=[PaperChoice(id=id_, text=choices[id_].text, format=choices[id_].format) for id_ in drawn.choice_order],
        max_mark=question.max_mark if slot.marks is None else slot.marks,
    )


handlers: list[ControllerRouterHandler] = [preview]
