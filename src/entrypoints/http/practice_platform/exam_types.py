"""Exam packages by the names that this door's clients know them by: `exam_type` is a slug, `domain` a topic's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from application.enrollment.enrolling import Enroll
from application.enrollment.ports.enrolling import EnrollmentReader, WantedEnrollments
from application.enrollment.ports.packages import PackageReader
from application.enrollment.views import EnrollmentView, PackageTopicView
from domain.auth.people import Actor
from domain.enrollment.refusals import EnrollmentRequired, PackageNotFound, TierUnknown
from domain.practice.refusals import NoQuestions
from entrypoints.http.injection import Injected

T = TypeVar("T")
_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of a package, by name and by id."""

    all: tuple[PackageTopicView, ...]

    def ids(self, domain: str | None) -> tuple[str, ...]:
        """Those of this name, in whatever bank; none is no restriction. Refuses a name that no topic has."""
        if domain is None:
            return ()
        found = tuple(topic.id for topic in self.all if topic.name == domain)
        if not found:
            raise NoQuestions("The exam has no domain of this name")
        return found

    def name(self, topic_id: str | None) -> str | None:
        return next((topic.name for topic in self.all if topic.id == topic_id), None)

    def counted(self) -> Mapping[str, int]:
        """How many published questions there are under each name; where there is none the name is left out."""
        counts: dict[str, int] = {}
        for topic in self.all:
            counts[topic.name] = counts.get(topic.name, 0) + topic.question_count
        return {name: count for name, count in counts.items() if count}


@dataclass(frozen=True, slots=True)
class ExamTypes:
    """What a name means. A package that was hidden after somebody enrolled keeps its name for them."""

    packages: PackageReader
    enrollments: EnrollmentReader
    enroll: Enroll

    async def offered(self) -> list[str]:
        """The slugs of all packages that anybody may choose and that have questions, in order."""
        slugs: list[str] = []
        after: str | None = None
        while True:
            page = await self.packages.visible_packages(text=None, after=after, limit=_PAGE)
            slugs += [package.slug for package in page if package.question_count]
            if len(page) < _PAGE:
                return sorted(slugs)
            after = page[-1].id

    async def offered_topics(self, exam_type: str) -> Topics:
        package = await self.packages.visible_package(exam_type)
        if package is None:
            raise PackageNotFound
        return await self.topics(package.id)

    async def topics(self, package_id: str) -> Topics:
        return Topics(await self.packages.topics_of(package_id))

    async def slugs(self, actor: Actor) -> Mapping[str, str]:
        """By the id of every package that the student is or was enrolled in."""
        return {each.exam_package_id: each.package_slug for each in await self._enrollments(actor)}

    async def package_id(self, actor: Actor, exam_type: str) -> str:
        for package_id, slug in (await self.slugs(actor)).items():
            if exam_type in (slug, package_id):
                return package_id
        package = await self.packages.visible_package(exam_type)
        if package is None:
            raise PackageNotFound
        return package.id

    async def enrolled(self, actor: Actor, package_id: str, call: Callable[[], Awaitable[T]]) -> T:
        """What is called needs an enrolment. Where the default tier is open to all, whoever has none gets one by it."""
        try:
            return await call()
        except EnrollmentRequired:
            try:
                await self.enroll(actor, package_id)
            except TierUnknown:
                raise EnrollmentRequired from None
            return await call()

    async def _enrollments(self, actor: Actor) -> list[EnrollmentView]:
        found: list[EnrollmentView] = []
        after: str | None = None
        while True:
            page = await self.enrollments.enrollments(actor.user_id, WantedEnrollments(), after=after, limit=_PAGE)
            found += page
            if len(page) < _PAGE:
                return found
            after = page[-1].id


def provide_exam_types(
    package_reader: Injected[PackageReader], enrollment_reader: Injected[EnrollmentReader], enroll: Injected[Enroll]
) -> ExamTypes:
    return ExamTypes(package_reader, enrollment_reader, enroll)
