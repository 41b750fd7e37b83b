"""What orders questions: banks, their topics, and the difficulties that all banks share."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Final

from domain.auth.people import Actor, Role
from domain.errors import DomainError, FieldProblem, InvalidInput, Kind
from domain.question_bank.authority import BankAccess
from domain.question_bank.banks import BankVisibility, check_bank_slug
from domain.question_bank.import_checks import MAX_NAME_BYTES
from domain.question_bank.imported import canonical_text, has_too_many_marks
from domain.question_bank.languages import check_language

MAX_TITLE = 200
MAX_DESCRIPTION = 10_000
MAX_EDITORS = 100
DEFAULT_LANGUAGE: Final = "english"
_NO_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})


class BankSlugTaken(DomainError):
    """Files and commands name a bank by its slug, so no two banks share one."""

    code = "question_bank.slug_taken"
    kind = Kind.CONFLICT
    title = "Another question bank has this slug"


class BankInUse(DomainError):
    """A bank that holds questions, or that a package draws from, stays."""

    code = "question_bank.in_use"
    kind = Kind.CONFLICT
    title = "The question bank holds questions, or a package draws from it"


class NotTheOwner(DomainError):
    """The owner of a bank and administrators change the bank itself; co-editors change what lives in it."""

    code = "question_bank.not_the_owner"
    kind = Kind.FORBIDDEN
    title = "Others may change this question bank, but not you"


class TopicNotFound(DomainError):
    """There is no such topic, or its bank is hidden from the caller."""

    code = "question_topic.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such topic"


class TopicNameTaken(DomainError):
    """Files name a topic by its name, so no two topics of a bank share one."""

    code = "question_topic.name_taken"
    kind = Kind.CONFLICT
    title = "Another topic of this bank has this name"


class TopicInUse(DomainError):
    """A topic that any version of any question names stays, so that past papers can be told by topic."""

    code = "question_topic.in_use"
    kind = Kind.CONFLICT
    title = "Questions belong to this topic"


class DifficultyNotFound(DomainError):
    """There is no such difficulty."""

    code = "question_difficulty.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such difficulty"


class DifficultyNameTaken(DomainError):
    """People tell difficulties apart by their names, so no two share one, however it is capitalised."""

    code = "question_difficulty.name_taken"
    kind = Kind.CONFLICT
    title = "Another difficulty has this name"


class TaxonomyChanged(DomainError):
    """`If-Match` names another state than the current one, whose tag the ETag header of the answer tells."""

    code = "question_bank.precondition_failed"
    kind = Kind.PRECONDITION_FAILED
    title = "It is not as If-Match expects it"

    def __init__(self, current_version: int) -> None:
        self.current_version = current_version
        super().__init__()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """A place where questions live. `language` says how its texts are taken apart for search.

    Its owner and co-editors may change every question in it; one without an owner belongs to the school.
    """

    id: str
    slug: str
    title: str
    description: str = ""
    visibility: BankVisibility = BankVisibility.VISIBLE
    language: str = DEFAULT_LANGUAGE
    owner_id: str | None = None
    editor_ids: tuple[str, ...] = ()
    version: int = 1
    created_at: datetime
    updated_at: datetime

    @property
    def access(self) -> BankAccess:
        return BankAccess(
            id=self.id,
            slug=self.slug,
            visible=self.visibility is BankVisibility.VISIBLE,
            owner_id=self.owner_id,
            co_editors=self.editor_ids,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BankChange:
    """What is to change about a bank; nothing that is not named. Refuses to change nothing at all."""

    slug: str | None = None
    title: str | None = None
    description: str | None = None
    visibility: BankVisibility | None = None
    language: str | None = None
    owner_id: str | None = None
    editor_ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if all(getattr(self, each.name) is None for each in fields(self)):
            raise InvalidInput("Nothing is to be changed: name what shall be different")

    def applied_to(self, bank: Bank, now: datetime) -> Bank:
        """The bank after the change, the very same one if nothing differs."""
        changed = replace(
            bank,
            slug=bank.slug if self.slug is None else self.slug,
            title=bank.title if self.title is None else normalise_title(self.title),
            description=bank.description if self.description is None else self.description,
            visibility=self.visibility or bank.visibility,
            language=bank.language if self.language is None else self.language,
            owner_id=self.owner_id or bank.owner_id,
            editor_ids=bank.editor_ids if self.editor_ids is None else tuple(sorted(set(self.editor_ids))),
        )
        if changed == bank:
            return bank
        check_bank(changed)
        return replace(changed, version=bank.version + 1, updated_at=now)

    def newcomers(self, bank: Bank) -> tuple[str, ...]:
        """The people whom the change gives a part that they did not have; whoever has it may have left since."""
        editors = [user_id for user_id in self.editor_ids or () if user_id not in bank.editor_ids]
        return (*editors, *((self.owner_id,) if self.owner_id and self.owner_id != bank.owner_id else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What questions of one bank are about; files call it the domain of a question."""

    id: str
    question_bank_id: str
    name: str
    version: int = 1
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """How hard a question is. Files and content hashes name the `code`, people see the `name`; `rank` orders them."""

    id: str
    code: str
    name: str
    rank: int
    version: int = 1


def normalise_title(text: str) -> str:
    """A title in one line, composed and trimmed; a bank is never without one."""
    return _named(text, "/title", MAX_TITLE)


def normalise_topic(text: str) -> str:
    """The name of a topic as files may state it: one line, composed and trimmed, at most 512 bytes."""
    name = _named(text, "/name", MAX_NAME_BYTES)
    if len(name.encode()) > MAX_NAME_BYTES:
        raise _invalid("/name", "too_long", f"The name has more than {MAX_NAME_BYTES} bytes")
    return name


def check_bank(bank: Bank) -> None:
    """Refuses what no bank can be: a slug that is none, texts that are too long, too many co-editors."""
    check_bank_slug(bank.slug, "/slug")
    check_language(bank.language)
    if len(bank.description) > MAX_DESCRIPTION:
        raise _invalid("/description", "too_long", f"The description has more than {MAX_DESCRIPTION} characters")
    if len(bank.editor_ids) > MAX_EDITORS:
        raise _invalid("/editorIds", "too_many", f"A bank has at most {MAX_EDITORS} co-editors")


def require_owner(actor: Actor, bank: Bank) -> None:
    """The owner and administrators. A bank of the school is changed by administrators alone."""
    if actor.role is not Role.ADMIN and actor.user_id != bank.owner_id:
        raise NotTheOwner


def _named(text: str, pointer: str, longest: int) -> str:
    if len(text) > longest:
        raise _invalid(pointer, "too_long", f"The name has more than {longest} characters")
    name = canonical_text(text)
    if has_too_many_marks(name) or any(unicodedata.category(each) in _NO_TEXT for each in name):
        raise _invalid(pointer, "invalid_name", "A name is one line without control characters")
    if not name:
        raise _invalid(pointer, "missing", "It has a name that can be seen")
    return name


def _invalid(pointer: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=(FieldProblem(pointer, code, message),))
