"""Exams over HTTP: what administrators send to have exams graded again, and what they are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta, convert, field, structs

from application.exam.regrading import Regraded, RegradedSlot
from application.exam.voiding import VoidReport, VoidRequest
from domain.exam.grading import Grade, SlotGrade
from domain.exam.moves import MAX_REASON
from domain.exam.regrading import RegradeMode
from domain.exam.results import Score
from domain.exam.voiding import Void, VoidMode
from entrypoints.http.exam.oversight_bodies import AdminExamSession, overseen_body
from entrypoints.http.fields import Id, Mark, MarkedBody, MaxMark, PageBody, RequestBody, ResponseBody, When

_Reason = Annotated[
    str, Meta(max_length=MAX_REASON, description="Why: needed, and kept in the audit log and with the grade")
]
_QUESTION_ID = "qst_01m7y0w5089re0wwbvvzgw20sm"
_MOST_CHOICES = 100


class RegradeExamRequest(RequestBody):
    """By which keys an exam is graded again, and why."""

    mode: Annotated[
        RegradeMode,
        Meta(
            description="`latest_versions` takes the key of the published version of each question where that has the"
            " same kind and the same options; `as_asked` the keys of the versions that were asked"
        ),
    ] = RegradeMode.AS_ASKED
    dry_run: Annotated[bool, Meta(description="Only tell what would come of it")] = False
    reason: _Reason = ""

    example: ClassVar[Mapping[str, Any]] = {"mode": "latest_versions", "dryRun": True, "reason": "Two keys were wrong"}


class VoidQuestionRequest(RequestBody):
    """Which question is void, and how."""

    question_id: Id
    mode: VoidMode
    version: Annotated[
        Annotated[int, Meta(ge=1, le=2**31 - 1)] | None,
        Meta(description="Null: every version that sessions of the package were asked, or else the published one"),
    ] = None
    accepted_choice_ids: Annotated[
        list[Id],
        Meta(
            max_length=_MOST_CHOICES,
            description="With `accept_also`: the options that are right as well, by the ids that the bank gives them",
        ),
    ] = field(default_factory=list)
    reason: _Reason = ""
    dry_run: Annotated[bool, Meta(description="Only tell what would come of it, which is what happens unasked")] = True

    example: ClassVar[Mapping[str, Any]] = {
        "questionId": _QUESTION_ID,
        "mode": "accept_also",
        "acceptedChoiceIds": ["C"],
        "reason": "The second edition of the book says otherwise",
        "dryRun": True,
    }

    def request(self) -> VoidRequest:
        return VoidRequest(
            question_id=self.question_id,
            version=self.version,
            mode=self.mode,
            accepted=tuple(self.accepted_choice_ids),
            reason=self.reason,
        )


class ExamGrade(MarkedBody):
    """One revision of a grade. What a dry run tells is not kept."""

    revision: Annotated[int, Meta(description="From 1")]
    mark: Mark
    max_mark: MaxMark
    percent: Annotated[Decimal, Meta(description="As a decimal string, two places")]
    passed: bool
    voids: Annotated[list[str], Meta(description="The declarations about questions that it regards")]

    example: ClassVar[Mapping[str, Any]] = {
        "revision": 1,
        "mark": "38",
        "maxMark": "50",
        "percent": "76",
        "passed": True,
        "voids": [],
    }


class RegradedSlotMark(MarkedBody):
    """What a question earned before and earns now."""

    slot: Annotated[int, Meta(description="The place of the question in the paper, from 1")]
    question_id: str
    version: Annotated[int, Meta(description="The version that was asked")]
    key_version: Annotated[int, Meta(description="The version whose key it was marked by")]
    void: Annotated[VoidMode | None, Meta(description="How the question was declared void; null where it was not")]
    mark_before: Annotated[Decimal | None, Meta(description="As a decimal string; null without a grade before")]
    max_mark_before: Annotated[Decimal | None, Meta(description="As a decimal string; null without a grade before")]
    mark: Mark
    max_mark: MaxMark

    example: ClassVar[Mapping[str, Any]] = {
        "slot": 3,
        "questionId": _QUESTION_ID,
        "version": 1,
        "keyVersion": 2,
        "void": None,
        "markBefore": "0",
        "maxMarkBefore": "1",
        "mark": "1",
        "maxMark": "1",
    }


class RegradedExamSession(AdminExamSession):
    """An exam session with its grades before and after."""

    dry_run: bool
    mode: RegradeMode
    before: Annotated[ExamGrade | None, Meta(description="Null where it had no grade")]
    after: ExamGrade
    slots: list[RegradedSlotMark]

    example: ClassVar[Mapping[str, Any]] = {
        **AdminExamSession.example,
        "status": "finished",
        "dryRun": True,
        "mode": "latest_versions",
        "before": ExamGrade.example,
        "after": {**ExamGrade.example, "revision": 2, "mark": "39", "percent": "78"},
        "slots": [RegradedSlotMark.example],
    }


class ExamVoid(ResponseBody):
    """A declaration about a version of a question. The latest about a version counts."""

    id: str
    question_id: str
    version: Annotated[int, Meta(description="The version of the question that it is about")]
    mode: VoidMode
    accepted: Annotated[list[str], Meta(description="The options that are right as well")] = field(
        name="acceptedChoiceIds"
    )
    reason: str
    created_at: When
    created_by: str

    example: ClassVar[Mapping[str, Any]] = {
        "id": "vod_01m7y0w5089re0wwbvvzgw20sv",
        "questionId": _QUESTION_ID,
        "version": 1,
        "mode": "accept_also",
        "acceptedChoiceIds": ["C"],
        "reason": "The second edition of the book says otherwise",
        "createdAt": "2026-03-09T09:00:00Z",
        "createdBy": "usr_01m7y0w5089re0wwbvvzgw20sb",
    }


class ExamVoidPage(PageBody):
    """A page of declarations about questions of a package."""

    items: list[ExamVoid]

    example: ClassVar[Mapping[str, Any]] = {"items": [ExamVoid.example], "nextCursor": None}


class VoidedQuestion(ResponseBody):
    """What declaring a question void does, or would do."""

    dry_run: bool
    exam_package_id: str
    question_id: str
    versions: Annotated[list[int], Meta(description="The versions that are meant")]
    voids: Annotated[list[ExamVoid], Meta(description="What counts of each version now; empty of a dry run")]
    affected: Annotated[int, Meta(description="Sessions with a grade that were asked the question")]
    live: Annotated[int, Meta(description="Sessions under way that were asked it: they take it when they are graded")]
    marks_changed: Annotated[int, Meta(description="How many of the affected sessions have another mark then")]
    passed_to_failed: Annotated[int, Meta(description="How many finished ones are no longer passed then")]
    failed_to_passed: Annotated[int, Meta(description="How many finished ones are passed then")]
    regraded: Annotated[int, Meta(description="How many got their new grade by this request")]
    pending: Annotated[
        int,
        Meta(description="How many are still to be looked at (dry run), or whose outdated grade is made anew soon"),
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "dryRun": True,
        "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "questionId": _QUESTION_ID,
        "versions": [1],
        "voids": [],
        "affected": 212,
        "live": 3,
        "marksChanged": 61,
        "passedToFailed": 0,
        "failedToPassed": 4,
        "regraded": 0,
        "pending": 0,
    }


def regraded_body(result: Regraded) -> RegradedExamSession:
    before = {} if result.before is None else {each.slot: each for each in result.before.marks}
    after = {each.slot: each for each in result.after.marks}
    return RegradedExamSession(
        **structs.asdict(overseen_body(result.session)),
        dry_run=result.dry_run,
        mode=RegradeMode(result.after.mode),
        before=None if result.before is None else _grade(result.before),
        after=_grade(result.after),
        slots=[_slot(each, before.get(each.slot), after[each.slot]) for each in result.slots],
    )


def void_body(void: Void) -> ExamVoid:
    return convert(void, ExamVoid, from_attributes=True)


def voided_body(report: VoidReport) -> VoidedQuestion:
    return convert(report, VoidedQuestion, from_attributes=True)


def _grade(given: Grade) -> ExamGrade:
    score = Score(mark=given.mark, max_mark=given.max_mark, passed=given.passed)
    return ExamGrade(
        revision=given.revision,
        mark=score.mark,
        max_mark=score.max_mark,
        percent=score.percent,
        passed=score.passed,
        voids=list(given.voids),
    )


def _slot(asked: RegradedSlot, before: SlotGrade | None, after: SlotGrade) -> RegradedSlotMark:
    return RegradedSlotMark(
        slot=asked.slot,
        question_id=asked.question_id,
        version=asked.version,
        key_version=after.key_version or asked.version,
        void=after.void,
        mark_before=None if before is None else before.mark,
        max_mark_before=None if before is None else before.max_mark,
        mark=after.mark,
        max_mark=after.max_mark,
    )
