"""What was declared void in a package, for those who declare it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from application.exam.ports.regrading import AffectedReader
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.enrollment.refusals import PackageNotFound
from domain.exam.voiding import Void
from domain.identifiers import could_be_id


@dataclass(frozen=True, slots=True)
class ListVoids:
    """An admin sees every declaration about the questions of a package, the latest first.

    The latest about a version is the one that counts; those before it are told all the same.
    """

    affected_reader: AffectedReader

    async def __call__(
        self, actor: Actor, exam_package_id: str, *, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Void, ...]:
        if actor.role is not Role.ADMIN:
            raise Forbidden
        if not could_be_id(exam_package_id):
            raise PackageNotFound
        found = await self.affected_reader.voids(exam_package_id, after=after, limit=limit)
        if found is None:
            raise PackageNotFound
        return found
