"""Reading exam packages one by one."""

from __future__ import annotations

from dataclasses import dataclass

from application.enrollment.ports.packages import PackageReader
from application.enrollment.views import PackageView, StaffPackageView
from domain.enrollment.refusals import PackageNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOfferedPackage:
    """Anybody reads a visible package, by its id or its slug. A hidden one is not there, enrolled or not."""

    package_reader: PackageReader

    async def __call__(self, name: str) -> PackageView:
        found = await self.package_reader.visible_package(name)
        if found is None:
            raise PackageNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPackage:
    """Staff read any package, hidden or not, by its id or its slug."""

    package_reader: PackageReader

    async def __call__(self, name: str) -> StaffPackageView:
        found = await self.package_reader.package(name)
        if found is None:
            raise PackageNotFound
        return found
