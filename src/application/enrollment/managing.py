"""Managing exam packages: administrators make, change and delete them, instructors say what their exams are like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal

from application.enrollment.changes import PackageChange, SettingsChange, differences
from application.enrollment.defining import first_tier
from application.enrollment.ports.packages import PackageWork
from application.enrollment.views import StaffPackageView
from application.ports import AuditEntry, IdGenerator, Transaction
from application.question_bank.changes import KEPT
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.enrollment.package_refusals import PackageChanged, PackageSlugTaken
from domain.enrollment.packages import ExamPackage, Visibility, check_package
from domain.enrollment.refusals import BankUnknown, PackageNotFound
from domain.enrollment.settings import PackageSettings
from domain.errors import FieldProblem, InvalidInput
from domain.question_bank.authority import require_admin, require_staff
from domain.question_bank.blueprints import Blueprint, Section
from domain.question_bank.imported import canonical_text


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPackage:
    """A package as it is to be made; what is not named of its settings has its default."""

    slug: str
    title: str
    description: str = ""
    visibility: Visibility = Visibility.VISIBLE
    pass_mark: Decimal = Decimal(70)
    duration_seconds: int | None = None
    settings: SettingsChange = field(default_factory=SettingsChange)
    blueprint: Blueprint | None = None
    question_bank_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPackage:
    """A package and the banks that it draws from, sorted."""

    package: ExamPackage
    question_bank_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePackage:
    """An administrator makes a package with one tier open to all, and says which banks it draws from."""

    transact: Transaction[PackageWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, new: NewPackage) -> StaffPackageView:
        require_admin(actor)
        package = check_package(
            ExamPackage(
                id=self.ids.new("pkg"),
                slug=new.slug,
                title=canonical_text(new.title),
                description=new.description,
                visibility=new.visibility,
                pass_mark=new.pass_mark,
                duration_seconds=new.duration_seconds,
                version=1,
                tiers=(first_tier(self.ids),),
                settings=new.settings.of(PackageSettings()),
                blueprint=new.blueprint,
            )
        )

        async def create(work: PackageWork) -> StaffPackageView:
            made = ManagedPackage(package=package, question_bank_ids=await _known_banks(work, new.question_bank_ids))
            await _refuse_strange_sections(work, made)
            if not await work.add_package(package):
                raise PackageSlugTaken
            await work.link_banks(package.id, made.question_bank_ids)
            await work.audit(entry(actor, "package.created", package.id, after=_facts(made)))
            return await work.view_package(package.id)

        return await self.transact(create)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePackage:
    """Staff change what a package says; where it is found and which banks it draws from is for administrators.

    Sessions that have begun keep what they began with. Who is enrolled stays so when it is hidden.
    """

    transact: Transaction[PackageWork]

    async def __call__(
        self, actor: Actor, name: str, change: PackageChange, expected: int | None = None
    ) -> StaffPackageView:
        require_staff(actor)
        if change.is_for_admins and actor.role is not Role.ADMIN:
            raise Forbidden

        async def carry_out(work: PackageWork) -> StaffPackageView:
            # Its slug is a key: whoever refers to the row has to be waited for before anything of it is held.
            hold = work.hold_package if change.slug is KEPT else work.hold_package_alone
            before = await _with_banks(work, refuse_stale(await hold(name), expected))
            after = await _changed(work, change, before)
            if after != before:
                await _save(work, before, after)
                was, became = differences(_facts(before), _facts(after))
                await work.audit(entry(actor, "package.changed", after.package.id, before=was, after=became))
            return await work.view_package(after.package.id)

        return await self.transact(carry_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePackage:
    """An administrator deletes a package that has no history; one that has is hidden instead.

    Whoever enrols refers to the row of the package and so shares it until their own change is committed. A deletion
    takes the row for itself before it looks: it waits for those who came first and then sees them, and whoever comes
    later waits for it and then finds no package.
    """

    transact: Transaction[PackageWork]

    async def __call__(self, actor: Actor, name: str, expected: int | None = None) -> None:
        require_admin(actor)

        async def carry_out(work: PackageWork) -> None:
            gone = await _with_banks(work, refuse_stale(await work.hold_package_alone(name), expected))
            await work.drop_package(gone.package.id)
            await work.audit(entry(actor, "package.deleted", gone.package.id, before=_facts(gone)))

        await self.transact(carry_out)


def refuse_stale(package: ExamPackage | None, expected: int | None) -> ExamPackage:
    """The package that was held, in the state that was expected."""
    if package is None:
        raise PackageNotFound
    if expected not in (None, package.version):
        raise PackageChanged(package.version)
    return package


def entry(
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> AuditEntry:
    """What is written down about a change to a package."""
    return AuditEntry(actor_id=actor.user_id, action=action, subject=subject, before=before, after=after)


async def _with_banks(work: PackageWork, package: ExamPackage) -> ManagedPackage:
    return ManagedPackage(package=package, question_bank_ids=await work.banks_of(package.id))


async def _changed(work: PackageWork, change: PackageChange, before: ManagedPackage) -> ManagedPackage:
    package, banks = change.of(before.package), before.question_bank_ids
    if change.question_bank_ids is not KEPT:
        banks = await _known_banks(work, change.question_bank_ids)
    after = ManagedPackage(package=package, question_bank_ids=banks)
    if after == before:
        return before
    if (package.blueprint, banks) != (before.package.blueprint, before.question_bank_ids):
        await _refuse_strange_sections(work, after)
    return replace(after, package=replace(package, version=package.version + 1))


async def _save(work: PackageWork, before: ManagedPackage, after: ManagedPackage) -> None:
    await work.save_package(after.package)
    package_id, banks, kept = after.package.id, set(after.question_bank_ids), set(before.question_bank_ids)
    await work.link_banks(package_id, sorted(banks - kept))
    await work.unlink_banks(package_id, sorted(kept - banks))


async def _known_banks(work: PackageWork, named: tuple[str, ...]) -> tuple[str, ...]:
    found = await work.find_banks(named) if named else {}
    problems = tuple(
        FieldProblem(f"/questionBankIds/{index}", BankUnknown.code, f"There is no question bank {bank_id}")
        for index, bank_id in enumerate(named)
        if bank_id not in found
    )
    if problems:
        raise BankUnknown(problems[0].message, problems=problems)
    return tuple(sorted(set(found.values())))


async def _refuse_strange_sections(work: PackageWork, managed: ManagedPackage) -> None:
    """Sections name topics of the package's own banks, and difficulties that there are."""
    if managed.package.blueprint is None:
        return
    sections = managed.package.blueprint.sections
    topics = await work.topics_among(_named(section.topic_id for section in sections), managed.question_bank_ids)
    difficulties = await work.difficulties_among(_named(section.difficulty_id for section in sections))
    problems = tuple(
        problem
        for number, section in enumerate(sections)
        for problem in _strange(f"/blueprint/sections/{number}", section, topics, difficulties)
    )
    if problems:
        raise InvalidInput("The blueprint names what the banks of the package do not hold", problems=problems)


def _strange(
    place: str, section: Section, topics: frozenset[str], difficulties: frozenset[str]
) -> Iterator[FieldProblem]:
    if section.topic_id is not None and section.topic_id not in topics:
        yield FieldProblem(f"{place}/topicId", "topic.unknown", "No bank of the package has this topic")
    if section.difficulty_id is not None and section.difficulty_id not in difficulties:
        yield FieldProblem(f"{place}/difficultyId", "difficulty.unknown", "There is no such difficulty")


def _named(ids: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({each for each in ids if each is not None}))


def _facts(managed: ManagedPackage) -> dict[str, object]:
    package = managed.package
    return {
        "slug": package.slug,
        "title": package.title,
        "description": package.description,
        "visibility": package.visibility,
        "pass_mark": package.pass_mark,
        "duration_seconds": package.duration_seconds,
        "question_bank_ids": list(managed.question_bank_ids),
        "settings": asdict(package.settings),
        "blueprint": None if package.blueprint is None else asdict(package.blueprint),
    }
