"""The tiers of a package, which administrators add, change and delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from application.enrollment.changes import TierChange, differences
from application.enrollment.managing import entry, refuse_stale
from application.enrollment.ports.packages import PackageWork
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.enrollment.packages import ExamPackage, Tier
from domain.enrollment.tiers import tier_of, with_tier, without_tier
from domain.question_bank.authority import require_admin


@dataclass(frozen=True, slots=True, kw_only=True)
class TierInPackage:
    """A tier, and the package as it is with it."""

    package: ExamPackage
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTier:
    """An administrator adds a tier; one that is to be the default takes that from the one before."""

    transact: Transaction[PackageWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, name: str, new: TierChange, expected: int | None = None) -> TierInPackage:
        require_admin(actor)
        blank = Tier(id=self.ids.new("tier"), name="", is_default=False, self_service=True, active=True)

        async def add(work: PackageWork) -> TierInPackage:
            before = refuse_stale(await work.hold_package(name), expected)
            tier = new.of(blank)
            after = with_tier(before, tier)
            await work.save_package(after)
            await work.save_tier(after.id, tier)
            await work.audit(entry(actor, "tier.created", tier.id, after=_facts(after, tier)))
            return TierInPackage(package=after, tier=tier)

        return await self.transact(add)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTier:
    """An administrator changes a tier, for everybody in it.

    Caps hold from the next session on. How long somebody may stay was settled when they enrolled.
    """

    transact: Transaction[PackageWork]

    async def __call__(
        self, actor: Actor, name: str, tier_id: str, change: TierChange, expected: int | None = None
    ) -> TierInPackage:
        require_admin(actor)

        async def carry_out(work: PackageWork) -> TierInPackage:
            before = refuse_stale(await work.hold_package(name), expected)
            was = tier_of(before, tier_id)
            became = change.of(was)
            after = with_tier(before, became)
            if after is before:
                return TierInPackage(package=before, tier=was)
            await work.save_package(after)
            await work.save_tier(after.id, became)
            old, new = differences(_facts(before, was), _facts(after, became))
            await work.audit(entry(actor, "tier.changed", tier_id, before=old, after=new))
            return TierInPackage(package=after, tier=became)

        return await self.transact(carry_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTier:
    """An administrator deletes a tier that nobody was ever enrolled in; any other is deactivated instead.

    The package keeps one tier at least. Who enrols in this very moment is told apart as when a package is deleted.
    """

    transact: Transaction[PackageWork]

    async def __call__(self, actor: Actor, name: str, tier_id: str, expected: int | None = None) -> ExamPackage:
        require_admin(actor)

        async def carry_out(work: PackageWork) -> ExamPackage:
            before = refuse_stale(await work.hold_package(name), expected)
            gone = tier_of(before, tier_id)
            after = without_tier(before, tier_id)
            await work.drop_tier(before.id, tier_id)
            await work.save_package(after)
            await work.audit(entry(actor, "tier.deleted", tier_id, before=_facts(before, gone)))
            return after

        return await self.transact(carry_out)


def _facts(package: ExamPackage, tier: Tier) -> Mapping[str, object]:
    """A default that another tier took over is told by the entry of that tier: there is one at most."""
    stated = asdict(tier)
    del stated["id"]
    return {"exam_package_id": package.id, **stated}
