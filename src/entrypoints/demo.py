"""What there is to try the platform with: two packages of questions to practise by, and one account per portal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from application.auth.registering import NewUser
from application.enrollment.defining import PackageOutline
from application.question_bank.imports import ImportOrder
from domain.auth.people import Role
from domain.errors import DomainError, Kind
from domain.practice.templates import TemplateContent, TemplateSettings
from entrypoints.container import Container

PASSWORD = "practise-every-day"  # noqa: S105 - known to everyone, which is why production refuses it


class DemoInProduction(DomainError):
    """The passwords of demo accounts are public."""

    code = "demo.not_in_production"
    kind = Kind.FORBIDDEN
    title = "Demo content is for development only"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPackage:
    """A package of the demo; its file of questions has the name of its bank."""

    bank: str
    outline: PackageOutline


ACCOUNTS = {role: f"{role}@ace.example" for role in Role}
PACKAGES = tuple(
    DemoPackage(
        bank=slug,
        outline=PackageOutline(
            slug=slug,
            title=title,
            description=description,
            pass_mark=Decimal(70),
            duration_seconds=90 * 60,
            banks=(slug,),
        ),
    )
    for slug, title, description in (
        (
            "network-fundamentals",
            "Network Fundamentals Associate",
            "Addressing, switching, routing, services, wireless and troubleshooting, for a first certificate.",
        ),
        (
            "secure-operations",
            "Secure Operations Associate",
            "Access control, cryptography, threats, network defence, incident response and governance.",
        ),
    )
)

TEMPLATE = TemplateContent(
    title="Ten questions",
    description="Ten questions from every topic, each explained as soon as it is answered.",
    settings=TemplateSettings(count=10),
)


async def load_demo(container: Container) -> None:
    """Loads what is missing; what was loaded before stays as people made it."""
    for package in PACKAGES:
        if not await container.import_reader().was_imported(package.bank):
            file = container.demo_file(package.bank)
            await container.import_questions()(None, ImportOrder(file=file, bank=package.bank, publish=True))
        defined = await container.define_package()(None, package.outline)
        await container.provide_template()(defined.package.id, TEMPLATE)
    for role, email in ACCOUNTS.items():
        new = NewUser(role=role, email=email, password=PASSWORD, name=f"Demo {role}", email_verified=True, demo=True)
        await container.ensure_user()(new)


async def demo_accounts_in(container: Container) -> list[str]:
    """The addresses of demo accounts that this database has or had; their passwords are public."""
    people = container.auth_reader()
    return [email for email in ACCOUNTS.values() if await people.was_ever_registered(email)]
