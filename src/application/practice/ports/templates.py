"""What templates of practice need: the words of their changes, of beginning a session from one, and lists."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from application.ports import Work
from application.practice.template_views import TemplateView
from domain.practice.templates import PracticeTemplate, TemplateVersion


class TemplateSource(Work, Protocol):
    """What a unit of work that begins a session from a template speaks too."""

    @abstractmethod
    async def published_template(self, template_id: str) -> TemplateVersion | None:
        """The version that students see, kept from deletion until the end; None if there is none."""


class TemplateWork(Work, Protocol):
    """One change to a template. A package is held before a template, wherever both are."""

    @abstractmethod
    async def hold_package(self, exam_package_id: str) -> bool:
        """Whether there is such a package, which then stays; whoever makes templates of it takes turns."""

    @abstractmethod
    async def has_templates(self, exam_package_id: str) -> bool: ...

    @abstractmethod
    async def topics_of_package(self, exam_package_id: str, topic_ids: Sequence[str]) -> frozenset[str]:
        """Those of the topics that live in a bank which the package draws from."""

    @abstractmethod
    async def difficulties_among(self, difficulty_ids: Sequence[str]) -> frozenset[str]:
        """Those of the difficulties that there are."""

    @abstractmethod
    async def hold_template(self, template_id: str) -> PracticeTemplate | None:
        """The template, kept from other changes until the end; sessions are begun from it meanwhile."""

    @abstractmethod
    async def find_version(self, template_id: str, version: int) -> TemplateVersion | None: ...

    @abstractmethod
    async def add_template(self, template: PracticeTemplate) -> None: ...

    @abstractmethod
    async def save_template(self, template: PracticeTemplate) -> None: ...

    @abstractmethod
    async def add_version(self, version: TemplateVersion) -> None:
        """Before the template that says it is published; it is never written again."""

    @abstractmethod
    async def drop_template(self, template_id: str) -> None:
        """Removes a held template with its versions; refuses with `TemplateInUse` where a session was begun from one.

        A session that is being begun from it is waited for.
        """


class TemplateReader(Protocol):
    """Lists of templates, by id."""

    @abstractmethod
    async def templates(
        self, *, exam_package_id: str | None, published: bool | None, text: str | None, after: str | None, limit: int
    ) -> tuple[TemplateView, ...]:
        """Of one package if told, only those that students see or do not see if told; `text` occurs in the title."""

    @abstractmethod
    async def template(self, template_id: str) -> TemplateView | None: ...

    @abstractmethod
    async def offered_templates(
        self, student_id: str, *, exam_package_id: str | None, after: str | None, limit: int
    ) -> tuple[TemplateVersion, ...]:
        """What is published for the packages that the student is enrolled in now."""

    @abstractmethod
    async def offered_template(self, student_id: str, template_id: str) -> TemplateVersion | None: ...
