"""Making exam packages, for the command line and for demo content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from application.enrollment.ports.packages import PackageWork
from application.ports import AuditEntry, IdGenerator, Transaction
from domain.auth.people import Actor
from domain.enrollment.packages import DEFAULT_TIER_NAME, ExamPackage, Tier, Visibility, check_package
from domain.enrollment.refusals import BankUnknown
from domain.errors import FieldProblem
from domain.question_bank.imported import canonical_text


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageOutline:
    """A package as its author writes it. `banks` are slugs or ids of question banks; `pass_mark` is a percentage."""

    slug: str
    title: str
    description: str = ""
    visibility: Visibility = Visibility.VISIBLE
    pass_mark: Decimal = Decimal(70)
    duration_seconds: int | None = None
    banks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinedPackage:
    """The package there is now, whether this made it, and the banks that it draws from since this."""

    package: ExamPackage
    created: bool
    linked_banks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DefinePackage:
    """Sees to it that a package with this slug exists, with one tier open to all, and draws from the named banks.

    A package that exists keeps what its administrators made of it: only missing banks are added. Doing it again changes
    nothing, and only what changed something is audited.
    """

    transact: Transaction[PackageWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor | None, outline: PackageOutline) -> DefinedPackage:
        package = self.draft(outline)

        async def define(work: PackageWork) -> DefinedPackage:
            banks = await _find_all(work, outline.banks)
            created = await work.add_package(package)
            stored = await work.hold_package(package.slug) or package
            defined = DefinedPackage(
                package=stored,
                created=created,
                linked_banks=await work.link_banks(stored.id, sorted(set(banks.values()))),
            )
            if defined.created or defined.linked_banks:
                await work.audit(_entry(actor, defined))
            return defined

        return await self.transact(define)

    def draft(self, outline: PackageOutline) -> ExamPackage:
        """The package that would be made; refuses an outline that breaks a rule."""
        draft = ExamPackage(
            id=self.ids.new("pkg"),
            slug=outline.slug,
            title=canonical_text(outline.title),
            description=outline.description,
            visibility=outline.visibility,
            pass_mark=outline.pass_mark,
            duration_seconds=outline.duration_seconds,
            version=1,
            tiers=(first_tier(self.ids),),
        )
        return check_package(draft)


def first_tier(ids: IdGenerator) -> Tier:
    """The tier that a new package has: the default, and open to all."""
    return Tier(id=ids.new("tier"), name=DEFAULT_TIER_NAME, is_default=True, self_service=True, active=True)


async def _find_all(work: PackageWork, names: tuple[str, ...]) -> Mapping[str, str]:
    banks = await work.find_banks(names) if names else {}
    problems = tuple(
        FieldProblem(f"/banks/{index}", BankUnknown.code, f"There is no question bank {name}")
        for index, name in enumerate(names)
        if name not in banks
    )
    if problems:
        raise BankUnknown(problems[0].message, problems=problems)
    return banks


def _entry(actor: Actor | None, defined: DefinedPackage) -> AuditEntry:
    """Nobody (`actor` None) is whoever runs the command line."""
    package = defined.package
    return AuditEntry(
        actor_id=actor.user_id if actor else None,
        action="package.created" if defined.created else "package.banks_linked",
        subject=package.id,
        after={"slug": package.slug, "title": package.title, "linked_banks": list(defined.linked_banks)},
    )
