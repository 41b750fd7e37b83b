"""What packages need from outside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

from application.enrollment.views import PackageTopicView, PackageView, StaffPackageView
from application.ports import Work
from domain.enrollment.packages import ExamPackage, Tier, Visibility


class PackageWork(Work, Protocol):
    """One change to the exam packages. A package is named by its id or its slug; no name means two."""

    @abstractmethod
    async def add_package(self, package: ExamPackage) -> bool:
        """Adds the package with its tiers; False, and nothing is added, when the slug is in use."""

    @abstractmethod
    async def hold_package(self, name: str) -> ExamPackage | None:
        """The package with its tiers as they are now, kept from other changes until the end."""

    @abstractmethod
    async def hold_package_alone(self, name: str) -> ExamPackage | None:
        """The same, and from whatever would come to refer to it: for its deletion and for another slug."""

    @abstractmethod
    async def view_package(self, package_id: str) -> StaffPackageView:
        """A package that was added or held, as it is with what this change has made of it."""

    @abstractmethod
    async def save_package(self, package: ExamPackage) -> None:
        """Writes a held package without its tiers; refuses with `PackageSlugTaken`."""

    @abstractmethod
    async def drop_package(self, package_id: str) -> None:
        """Removes a package that is held alone, with its tiers; refuses with `PackageInUse` where it has a history."""

    @abstractmethod
    async def save_tier(self, package_id: str, tier: Tier) -> None:
        """Adds or writes a tier of a held package; as the default it takes that from others.

        Refuses with `TierNameTaken`.
        """

    @abstractmethod
    async def drop_tier(self, package_id: str, tier_id: str) -> None:
        """Removes a tier of a held package; refuses with `TierInUse` where anybody was ever enrolled in it."""

    @abstractmethod
    async def find_banks(self, names: Sequence[str]) -> Mapping[str, str]:
        """The id of every question bank that is named here by its id or slug; what does not exist is left out."""

    @abstractmethod
    async def banks_of(self, package_id: str) -> tuple[str, ...]:
        """The ids of the banks that the package draws from, sorted."""

    @abstractmethod
    async def link_banks(self, package_id: str, bank_ids: Sequence[str]) -> tuple[str, ...]:
        """Lets the package draw from the banks; answers those that it did not draw from before, sorted."""

    @abstractmethod
    async def unlink_banks(self, package_id: str, bank_ids: Sequence[str]) -> None:
        """Lets the package draw from the banks no longer."""

    @abstractmethod
    async def topics_among(self, topic_ids: Sequence[str], bank_ids: Sequence[str]) -> frozenset[str]:
        """Those of the topics that belong to one of the banks."""

    @abstractmethod
    async def difficulties_among(self, difficulty_ids: Sequence[str]) -> frozenset[str]:
        """Those of the difficulties that there are."""


class PackageReader(Protocol):
    """What choosers and staff see of the packages. `text` occurs in title, slug or description."""

    @abstractmethod
    async def visible_packages(self, *, text: str | None, after: str | None, limit: int) -> tuple[PackageView, ...]:
        """At most `limit` visible packages by id, those after `after`."""

    @abstractmethod
    async def visible_package(self, name: str) -> PackageView | None:
        """The visible package of this id or slug."""

    @abstractmethod
    async def topics_of(self, package_id: str) -> tuple[PackageTopicView, ...]:
        """The topics of the package's visible banks by name; banks may have topics of the same name."""

    @abstractmethod
    async def packages(
        self, *, visibility: Visibility | None, text: str | None, after: str | None, limit: int
    ) -> tuple[StaffPackageView, ...]:
        """At most `limit` packages by id, those after `after`; None: visible and hidden ones."""

    @abstractmethod
    async def package(self, name: str) -> StaffPackageView | None:
        """The package of this id or slug."""
