"""Exams, their domains and random questions at this door."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from application.practice.dealing import DealPractice
from application.practice.reading import ReadPracticeSession
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import AccessUsedUp, EnrollmentRequired, PackageNotFound, TierNotSelfService
from domain.practice.judging import FeedbackMode
from domain.practice.plans import PracticePlan
from domain.practice.refusals import NoQuestions, PracticeNotInTier, WeeklyPracticeLimit
from entrypoints.http.injection import Injected
from entrypoints.http.practice_platform.exam_types import ExamTypes
from entrypoints.http.practice_platform.fields import LONGEST_NAME, WantedExam
from entrypoints.http.practice_platform.lettering import LETTERED
from entrypoints.http.practice_platform.question_bodies import DomainList, ExamTypeList, Quiz

_MOST: Final = 100
BEGINNING: Final = (
    PackageNotFound,
    EnrollmentRequired,
    TierNotSelfService,
    AccessUsedUp,
    PracticeNotInTier,
    WeeklyPracticeLimit,
    NoQuestions,
)


@get("/questions/exams", summary="List the exams", operation_id="platformExams")
async def exams(exam_types: NamedDependency[ExamTypes]) -> ExamTypeList:
    """The exams that anybody may choose and that there are questions for."""
    return ExamTypeList(exams=await exam_types.offered())


@get(
    "/questions/domains",
    summary="List the domains of an exam",
    operation_id="platformDomains",
    opt={"refusals": (PackageNotFound,)},
)
async def domains(exam_type: WantedExam, exam_types: NamedDependency[ExamTypes]) -> DomainList:
    """The topics of an exam that have questions."""
    return DomainList.of(exam_type, await exam_types.offered_topics(exam_type))


@get(
    "/questions/quiz",
    summary="Be dealt questions",
    operation_id="platformQuiz",
    opt={"callers": (Role.STUDENT,), "refusals": BEGINNING},
)
async def quiz(
    actor: NamedDependency[Actor],
    exam_type: WantedExam,
    exam_types: NamedDependency[ExamTypes],
    deal_practice: Injected[DealPractice],
    read_practice_session: Injected[ReadPracticeSession],
    count: Annotated[int, QueryParameter(ge=1, le=_MOST, description="How many questions")] = 10,
    domain: Annotated[
        str | None, QueryParameter(max_length=LONGEST_NAME, description="Only questions of the topic of this name")
    ] = None,
) -> Quiz:
    """Random questions of an exam, without keys: these are told when the quiz is handed in.

    The same request brings the same questions until one of them is answered, and counts as one session of the week.
    Whoever is not enrolled yet is enrolled by it where the exam's default tier is open to all.
    """
    package_id = await exam_types.package_id(actor, exam_type)
    topics = await exam_types.topics(package_id)
    plan = PracticePlan(
        exam_package_id=package_id,
        topic_ids=topics.ids(domain),
        kinds=LETTERED,
        count=count,
        feedback=FeedbackMode.DEFERRED,
    )
    dealt = await exam_types.enrolled(actor, package_id, lambda: deal_practice(actor, plan))
    return Quiz.of(await read_practice_session(actor, dealt), exam_type, topics)


handlers: Sequence[ControllerRouterHandler] = [exams, domains, quiz]
