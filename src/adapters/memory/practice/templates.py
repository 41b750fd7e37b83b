"""Templates of practice in memory."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.memory.store import MemoryWork
from application.practice.ports.templates import TemplateSource, TemplateWork
from domain.practice.sessions import PracticeSession
from domain.practice.templates import PracticeTemplate, TemplateInUse, TemplateVersion
from domain.question_bank.taxonomy import Topic


class MemoryTemplateSource(MemoryWork, TemplateSource):
    """Templates by id, versions by id and number. Units of work take turns, so everything is always held."""

    async def published_template(self, template_id: str) -> TemplateVersion | None:
        template: PracticeTemplate | None = self._tables["practice_templates"].get(template_id)
        if template is None:
            return None
        version: TemplateVersion | None = self._tables["practice_template_versions"].get(
            (template_id, template.published_version)
        )
        return version


class MemoryTemplateWork(MemoryWork, TemplateWork):
    """Packages, their banks, topics and difficulties are those of the other areas' tables."""

    async def hold_package(self, exam_package_id: str) -> bool:
        return (exam_package_id,) in self._tables["exam_packages"]

    async def has_templates(self, exam_package_id: str) -> bool:
        templates: list[PracticeTemplate] = list(self._tables["practice_templates"].values())
        return any(template.exam_package_id == exam_package_id for template in templates)

    async def topics_of_package(self, exam_package_id: str, topic_ids: Sequence[str]) -> frozenset[str]:
        topics: list[Topic] = list(self._tables["topics"].values())
        links = self._tables["exam_package_banks"]
        own = frozenset(topic.id for topic in topics if (exam_package_id, topic.question_bank_id) in links)
        return own & frozenset(topic_ids)

    async def difficulties_among(self, difficulty_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(difficulty_ids) & self._tables["difficulties"].keys()

    async def hold_template(self, template_id: str) -> PracticeTemplate | None:
        template: PracticeTemplate | None = self._tables["practice_templates"].get(template_id)
        return template

    async def find_version(self, template_id: str, version: int) -> TemplateVersion | None:
        found: TemplateVersion | None = self._tables["practice_template_versions"].get((template_id, version))
        return found

    async def add_template(self, template: PracticeTemplate) -> None:
        await self.save_template(template)

    async def save_template(self, template: PracticeTemplate) -> None:
        self._tables["practice_templates"][template.id] = template

    async def add_version(self, version: TemplateVersion) -> None:
        self._tables["practice_template_versions"][version.template_id, version.version] = version

    async def drop_template(self, template_id: str) -> None:
        sessions: list[PracticeSession] = list(self._tables["practice_sessions"].values())
        if any(session.template_id == template_id for session in sessions):
            raise TemplateInUse
        versions = self._tables["practice_template_versions"]
        for key in [key for key in versions if key[0] == template_id]:
            del versions[key]
        del self._tables["practice_templates"][template_id]
