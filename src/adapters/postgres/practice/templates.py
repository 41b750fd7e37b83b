"""Templates of practice on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.ports import Clock
from application.practice.ports.templates import TemplateReader, TemplateSource, TemplateWork
from application.practice.template_views import TemplateView
from domain.enrollment.refusals import PackageNotFound
from domain.errors import DomainError
from domain.practice.templates import PracticeTemplate, TemplateInUse, TemplateVersion

SQL = load("practice/templates")


class PostgresTemplateSource(PostgresWork, TemplateSource):
    """The version is shared until the end of the unit."""

    async def published_template(self, template_id: str) -> TemplateVersion | None:
        row = await self._one(SQL["published_template"], {"template_id": template_id})
        return None if row is None else entity(row, TemplateVersion)


class PostgresTemplateWork(PostgresWork, TemplateWork):
    """The template's row decides whose turn it is; foreign keys keep what sessions were begun from."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        # A session that came between the look and the deletion.
        "practice_sessions_template_id_template_version_fkey": TemplateInUse,
        "practice_templates_exam_package_id_fkey": PackageNotFound,
    }

    async def hold_package(self, exam_package_id: str) -> bool:
        return await self._one(SQL["hold_package"], {"exam_package_id": exam_package_id}) is not None

    async def has_templates(self, exam_package_id: str) -> bool:
        row = await self._one(SQL["has_templates"], {"exam_package_id": exam_package_id})
        return row is not None and row["found"] is True

    async def topics_of_package(self, exam_package_id: str, topic_ids: Sequence[str]) -> frozenset[str]:
        params = {"exam_package_id": exam_package_id, "topic_ids": list(topic_ids)}
        rows = await self._all(SQL["topics_of_package"], params) if topic_ids else []
        return frozenset(row["id"] for row in rows)

    async def difficulties_among(self, difficulty_ids: Sequence[str]) -> frozenset[str]:
        params = {"difficulty_ids": list(difficulty_ids)}
        rows = await self._all(SQL["difficulties_among"], params) if difficulty_ids else []
        return frozenset(row["id"] for row in rows)

    async def hold_template(self, template_id: str) -> PracticeTemplate | None:
        row = await self._one(SQL["hold_template"], {"template_id": template_id})
        return None if row is None else entity(row, PracticeTemplate)

    async def find_version(self, template_id: str, version: int) -> TemplateVersion | None:
        row = await self._one(SQL["find_version"], {"template_id": template_id, "version": version})
        return None if row is None else entity(row, TemplateVersion)

    async def add_template(self, template: PracticeTemplate) -> None:
        await self._run(SQL["add_template"], record(template))

    async def save_template(self, template: PracticeTemplate) -> None:
        await self._run(SQL["save_template"], record(template))

    async def add_version(self, version: TemplateVersion) -> None:
        await self._run(SQL["add_version"], record(version))

    async def drop_template(self, template_id: str) -> None:
        row = await self._one(SQL["is_template_used"], {"template_id": template_id})
        if row is None or row["used"]:
            raise TemplateInUse
        await self._run(SQL["drop_versions"], {"template_id": template_id})
        await self._run(SQL["drop_template"], {"template_id": template_id})


class PostgresTemplateReader(TemplateReader):
    """Each list is one statement. `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def templates(
        self, *, exam_package_id: str | None, published: bool | None, text: str | None, after: str | None, limit: int
    ) -> tuple[TemplateView, ...]:
        wanted = {
            "template_id": None,
            "exam_package_id": exam_package_id,
            "published": published,
            "pattern": _containing(text),
            "after": after,
            "limit": limit,
        }
        return tuple(_view(row) for row in await self._database.fetch_all(SQL["list_templates"], wanted))

    async def template(self, template_id: str) -> TemplateView | None:
        anything = dict.fromkeys(("exam_package_id", "published", "pattern", "after"))
        wanted = anything | {"template_id": template_id, "limit": 1}
        row = await self._database.fetch_one(SQL["list_templates"], wanted)
        return None if row is None else _view(row)

    async def offered_templates(
        self, student_id: str, *, exam_package_id: str | None, after: str | None, limit: int
    ) -> tuple[TemplateVersion, ...]:
        wanted = self._now | {
            "user_id": student_id,
            "template_id": None,
            "exam_package_id": exam_package_id,
            "after": after,
            "limit": limit,
        }
        return entities(await self._database.fetch_all(SQL["list_offered_templates"], wanted), TemplateVersion)

    async def offered_template(self, student_id: str, template_id: str) -> TemplateVersion | None:
        wanted = self._now | {
            "user_id": student_id,
            "template_id": template_id,
            "exam_package_id": None,
            "after": None,
            "limit": 1,
        }
        row = await self._database.fetch_one(SQL["list_offered_templates"], wanted)
        return None if row is None else entity(row, TemplateVersion)

    @property
    def _now(self) -> dict[str, Any]:
        return {"now": self._clock and self._clock.now()}


def _view(row: Mapping[str, Any]) -> TemplateView:
    template = entity(row, PracticeTemplate)
    if template.published_version is None:
        return TemplateView(template=template, published=None)
    shown = {name: row[f"shown_{name}"] for name in ("title", "description", "settings")}
    of = {"template_id": template.id, "version": template.published_version}
    return TemplateView(template=template, published=entity({**row, **shown, **of}, TemplateVersion))


def _containing(text: str | None) -> str | None:
    """The pattern that finds a text anywhere; its own wildcards stand for themselves."""
    if text is None:
        return None
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
