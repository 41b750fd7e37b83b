"""Questions as rows for tests of lists, and what a list of them has to show, worked out one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import psycopg
from psycopg.types.json import Jsonb

from adapters.postgres.statements import load
from application.question_bank.listing import PublishedFilter, QuestionFilter
from domain.auth.people import Actor, Role
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import VersionStatus
from tests.support.postgres import ClonedDatabase

ADMIN = Actor(user_id="usr_admin", role=Role.ADMIN, session_id="ses_admin")
GRACE = Actor(user_id="usr_grace", role=Role.INSTRUCTOR, session_id="ses_grace")
LINUS = Actor(user_id="usr_linus", role=Role.INSTRUCTOR, session_id="ses_linus")
ADA = Actor(user_id="usr_ada", role=Role.STUDENT, session_id="ses_ada")
OPEN = (VersionStatus.DRAFT, VersionStatus.IN_REVIEW, VersionStatus.CHANGES_REQUESTED)
# What tells a key from everything that may be shown.
SECRET = "sentinel-of-the-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class ABank:
    """A bank; `seen_by` are the instructors who see it while it is hidden: its owner, then its co-editors."""

    id: str
    language: str = "english"
    hidden: bool = False
    seen_by: tuple[str, ...] = ()
    package: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AQuestion:
    """A question with one version, or with a published one below the latest."""

    id: str
    bank: ABank
    stem: str = "What is what?"
    stem_format: str = "plain"
    status: VersionStatus = VersionStatus.DRAFT
    published_below: str | None = None
    topic_id: str | None = None
    difficulty_id: str | None = None
    author_id: str | None = None
    kind: QuestionKind = QuestionKind.SINGLE
    tags: tuple[str, ...] = ()
    choices: tuple[str, ...] = ("yes", "no")
    external_id: str = ""

    @property
    def version(self) -> int:
        return 1 if self.published_below is None else 2

    @property
    def published_version(self) -> int | None:
        return 1 if self.published_below is not None or self.status is VersionStatus.PUBLISHED else None


@dataclass(slots=True)
class Shelf:
    """Puts banks and questions into a database."""

    cloned: ClonedDatabase
    indexing: bool = True
    questions: list[AQuestion] = field(default_factory=list)

    def settle(self) -> None:
        """People, topics, and packages in one of which Ada is enrolled."""
        with self.cloned.administration() as connection:
            connection.execute(_PEOPLE)

    def add(self, *questions: AQuestion) -> None:
        self.questions += questions
        with self.cloned.administration() as connection:
            for bank in {question.bank.id: question.bank for question in questions}.values():
                _add_bank(connection, bank)
            connection.execute("set session_replication_role = replica")
            _add_questions(connection, questions)
            if self.indexing:
                ids = [question.id for question in questions]
                connection.execute(load("question_bank/indexing")["index_questions"], {"question_ids": ids})


def found_by_hand(
    questions: Iterable[AQuestion], chosen: QuestionFilter, viewer: Actor, words: Sequence[str] = ()
) -> list[str]:
    """The ids that a list has to show; `words` are those of the text that all have to be in a question."""
    return sorted(
        (
            question.id
            for question in questions
            if _seen(question.bank, viewer) and _fits(question, chosen) and set(words) <= _words(question)
        ),
        reverse=True,
    )


def published_by_hand(questions: Iterable[AQuestion], chosen: PublishedFilter, enrolled: frozenset[str]) -> list[str]:
    """The ids that a student's list has to show, who is enrolled in these packages."""
    kept = QuestionFilter(
        bank_id=chosen.bank_id,
        topic_id=chosen.topic_id,
        difficulty_id=chosen.difficulty_id,
        status=VersionStatus.PUBLISHED,
    )
    packages = enrolled if chosen.package_id is None else enrolled & {chosen.package_id}
    return sorted(
        (
            question.id
            for question in questions
            if not question.bank.hidden and question.bank.package in packages and _fits(question, kept)
        ),
        reverse=True,
    )


def _seen(bank: ABank, viewer: Actor) -> bool:
    return viewer.role is Role.ADMIN or not bank.hidden or viewer.user_id in bank.seen_by


def _fits(question: AQuestion, chosen: QuestionFilter) -> bool:
    wanted = {
        "bank_id": question.bank.id,
        "topic_id": question.topic_id,
        "difficulty_id": question.difficulty_id,
        "author_id": question.author_id,
        "kind": question.kind,
    }
    return (
        all(getattr(chosen, name) in (None, value) for name, value in wanted.items())
        and (chosen.tag is None or chosen.tag in question.tags)
        and (chosen.status is None or _stands(question, chosen.status))
    )


def _stands(question: AQuestion, status: VersionStatus) -> bool:
    if status is VersionStatus.PUBLISHED:
        return question.published_version is not None
    return question.status is status


def _words(question: AQuestion) -> set[str]:
    texts = (question.stem, *question.choices, *question.tags)
    return {word for text in texts for word in text.lower().split()}


def _add_bank(connection: psycopg.Connection, bank: ABank) -> None:
    owner, *editors = bank.seen_by or (None,)
    params = {"id": bank.id, "language": bank.language, "visibility": "hidden" if bank.hidden else "visible"}
    connection.execute(_BANK, params | {"owner": owner, "slug": bank.id.removeprefix("qbk_")})
    for editor in editors:
        connection.execute(_EDITOR, {"id": bank.id, "editor": editor})
    if bank.package is not None:
        connection.execute(_PACKAGE_BANK, {"id": bank.id, "package": bank.package})


def _add_questions(connection: psycopg.Connection, questions: Sequence[AQuestion]) -> None:
    rows = [_row(question) for question in questions]
    below = [
        _row(replace(question, stem=question.published_below, status=VersionStatus.PUBLISHED, published_below=None))
        for question in questions
        if question.published_below is not None
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_QUESTION, rows)
        cursor.executemany(_VERSION, [*rows, *below])


def _row(question: AQuestion) -> dict[str, object]:
    shown = [{"id": chr(65 + n), "text": text, "format": "plain"} for n, text in enumerate(question.choices)]
    return {
        "id": question.id,
        "bank_id": question.bank.id,
        "external_id": question.external_id or question.id,
        "author_id": question.author_id,
        "published_version": question.published_version,
        "version": question.version,
        "status": question.status.value,
        "topic_id": question.topic_id,
        "difficulty_id": question.difficulty_id,
        "kind": question.kind.value,
        "stem": question.stem,
        "stem_format": question.stem_format,
        "choices": Jsonb(shown),
        "key": Jsonb({"correct": [], "explanation": {"text": SECRET, "format": "plain"}}),
        "tags": list(question.tags),
    }


_PEOPLE = """
insert into users (id, email, role, password_hash, created_at, updated_at)
select 'usr_' || name, name || '@example.org', role, 'x', now(), now()
  from (values ('admin', 'admin'), ('grace', 'instructor'), ('linus', 'instructor'), ('ada', 'student')) p (name, role);
insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
select 'pkg_' || name, name, name, 'visible', 70, now(), now() from unnest(array['in', 'ended', 'never']) name;
insert into exam_package_tiers (id, exam_package_id, name, is_default)
select 'tie_' || id, id, 'T', true from exam_packages;
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at, ended_at, end_reason)
values ('usr_ada', 'enr_1', 'pkg_in', 'tie_pkg_in', 'active', now(), null, null),
       ('usr_ada', 'enr_2', 'pkg_ended', 'tie_pkg_ended', 'ended', now(), now(), 'cancelled');
"""
_BANK = """
with bank as (
    insert into question_banks (id, slug, title, language, visibility, owner_id, created_at, updated_at)
    values (%(id)s, %(slug)s, %(slug)s, %(language)s, %(visibility)s, %(owner)s, now(), now())
    on conflict do nothing returning id
)
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
select 'top_' || n || id, id, n, now(), now() from bank, unnest(array['a', 'b']) n
"""
_EDITOR = "insert into question_bank_editors values (%(id)s, %(editor)s) on conflict do nothing"
_PACKAGE_BANK = """
insert into exam_package_banks (exam_package_id, question_bank_id) values (%(package)s, %(id)s) on conflict do nothing
"""
_QUESTION = """
insert into questions (id, question_bank_id, external_id, author_id, published_version, latest_version, latest_status,
                       topic_id, difficulty_id, created_at, updated_at)
values (%(id)s, %(bank_id)s, %(external_id)s, %(author_id)s, %(published_version)s, %(version)s, %(status)s,
        %(topic_id)s, %(difficulty_id)s, now(), now())
"""
_VERSION = """
insert into question_versions (question_id, version, status, rev, kind, stem, stem_format, choices, answer_key,
                               topic_id, difficulty_id, tags, content_hash, created_at, updated_at)
values (%(id)s, %(version)s, %(status)s, 7, %(kind)s, %(stem)s, %(stem_format)s, %(choices)s, %(key)s, %(topic_id)s,
        %(difficulty_id)s, %(tags)s, sha256('x'), now(), now())
"""
