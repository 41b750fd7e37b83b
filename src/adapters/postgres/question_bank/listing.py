"""Lists of questions on PostgreSQL: each page is one statement, planned with the values that it is asked with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString, TypeAlias

from psycopg import sql
from psycopg.rows import DictRow

from adapters.postgres.connections import Connection
from adapters.postgres.database import Database, Lease, Params
from adapters.postgres.rows import entities
from adapters.postgres.statements import load
from application.question_bank.listing import PublishedFilter, PublishedListItem, QuestionFilter, QuestionListItem
from application.question_bank.ports.listing import PublishedQuestionReader, QuestionListReader
from domain.auth.people import Actor, Role
from domain.question_bank.imported import TextFormat
from domain.question_bank.lifecycle import VersionStatus
from domain.question_bank.listing import EXCERPT_SOURCE, excerpt

SQL = load("question_bank/listing")

Page: TypeAlias = tuple[sql.Composed, Params]

# So many of the newest questions that fit the other filters are looked through for words before their index is asked:
# fewer where they have to be merged from all that is wanted, more where they stand in a row.
_CANDIDATES: Final = 500
_CANDIDATES_IN_A_ROW: Final = 2_000
_MERGED: Final = (SQL["questions_of_topic"], SQL["questions_of_bank"])
# Where those of all banks, or of an author, are fewer, each bank is asked for its own.
_CANDIDATES_AT_LEAST: Final = 300
# This part of them is looked at first. Unless it holds this part of a page, the others would not fill it.
_PROBED: Final = 4
# Where no more documents have the words, all of them are read; with other filters it pays longer, since the index is
# slower to find what has words and filters.
_FEW: Final = 3_000
_FEW_FILTERED: Final = 12_000
# So many of the next documents are read one after the other for a word that some candidates have.
_ROW: Final = 8_000
# So many of the next documents, of a bank or of all of them, are asked for a rare word before the rest is.
_REACH: Final = 10_000
_REACH_OF_ALL_BANKS: Final = 20_000
# So many of the newest questions are looked through, for each that is wanted, before every bank is asked by itself.
_WALKED: Final = 2
_WALKED_AT_LEAST: Final = 1_000
_WALKED_SEARCHING: Final = 10_000

_OPEN: Final = (VersionStatus.DRAFT, VersionStatus.IN_REVIEW, VersionStatus.CHANGES_REQUESTED)
_PUBLISHED: Final = ("published", *(f"published+{status}" for status in _OPEN))
# How a question may stand, as the column `listed_as` says it, by the status that is asked for.
_STATES: Final[Mapping[VersionStatus | None, Sequence[str]]] = {
    None: (*_PUBLISHED, *_OPEN, VersionStatus.ARCHIVED),
    VersionStatus.PUBLISHED: _PUBLISHED,
    VersionStatus.ARCHIVED: (VersionStatus.ARCHIVED,),
    VersionStatus.SUPERSEDED: (),
    **{status: (status, f"published+{status}") for status in _OPEN},
}

# Each takes the next one back; PostgreSQL gives up where they are many.
_REPEATED_MINUS: Final = re.compile(r"-(?:[\W_]*-)+")


class PostgresQuestionListReader(QuestionListReader):
    """The questions of the banks that a member of staff may see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, chosen: QuestionFilter, viewer: Actor, *, after: str | None, limit: int
    ) -> Sequence[QuestionListItem]:
        if not viewer.role.is_staff:
            return ()
        rows = await _planned_anew(self._database, page_of_questions(chosen, viewer, after, limit))
        return entities(map(_with_excerpt, rows), QuestionListItem)


class PostgresPublishedQuestionReader(PublishedQuestionReader):
    """The published questions of the packages that a student is enrolled in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, chosen: PublishedFilter, student_id: str, *, after: str | None, limit: int
    ) -> Sequence[PublishedListItem]:
        rows = await _planned_anew(self._database, page_of_published(chosen, student_id, after, limit))
        return entities(map(_with_excerpt, rows), PublishedListItem)


def page_of_questions(chosen: QuestionFilter, viewer: Actor, after: str | None, limit: int) -> Page:
    """The statement and its values."""
    searches = _searches(chosen)
    found = _most_candidates(chosen) if searches else limit
    params = {
        "viewer_id": viewer.user_id,
        "sees_all": viewer.role is Role.ADMIN,
        "bank_id": chosen.bank_id,
        "topic_id": chosen.topic_id,
        "difficulty_id": chosen.difficulty_id,
        "author_id": chosen.author_id,
        "text": _REPEATED_MINUS.sub(" ", chosen.text or ""),
        "states": [str(state) for state in _STATES[chosen.status]],
        "facets": _facets(chosen),
        "after": after,
        "page": limit,
        "limit": found,
        "probe": max(found // _PROBED, 1),
        "promising": max(limit // _PROBED, 1),
        "few": _FEW if _is_unfiltered(chosen) else _FEW_FILTERED,
        "least": min(_CANDIDATES_AT_LEAST, found) if searches else limit,
        "walk": _walked(chosen) if searches else max(_WALKED * limit, _WALKED_AT_LEAST),
        "reach": _REACH if chosen.bank_id or chosen.topic_id else _REACH_OF_ALL_BANKS,
        "row": _ROW,
        "unfiltered": _is_unfiltered(chosen),
        "excerpt": EXCERPT_SOURCE,
    }
    return _shown(SQL["show_questions"], _searching(_candidates(chosen)) if searches else _source(chosen)), params


def page_of_published(chosen: PublishedFilter, student_id: str, after: str | None, limit: int) -> Page:
    """The statement and its values."""
    params = {
        "student_id": student_id,
        "package_id": chosen.package_id,
        "bank_id": chosen.bank_id,
        "topic_id": chosen.topic_id,
        "difficulty_id": chosen.difficulty_id,
        "states": list(_PUBLISHED),
        "after": after,
        "limit": limit,
        "excerpt": EXCERPT_SOURCE,
    }
    found = SQL["published_questions"] if chosen.topic_id is None else SQL["published_questions_of_topic"]
    return _shown(SQL["show_published"], found), params


def _source(chosen: QuestionFilter) -> LiteralString:
    """The statement that reads least: the narrowest of the filters leads."""
    if chosen.topic_id is not None:
        return SQL["questions_of_topic"]
    if chosen.bank_id is None or chosen.author_id is not None:
        return SQL["newest_questions"]
    return SQL["questions_of_bank"]


def _searches(chosen: QuestionFilter) -> bool:
    """Whether documents are asked. The questions of an author in a topic stand in no order that could be read."""
    return bool(chosen.text or chosen.kind or chosen.tag or (chosen.topic_id and chosen.author_id))


def _candidates(chosen: QuestionFilter) -> LiteralString:
    """Where to look for words first."""
    return SQL["documents_of_bank"] if chosen.bank_id and _is_unfiltered(chosen) else _source(chosen)


def _most_candidates(chosen: QuestionFilter) -> int:
    is_merged = _candidates(chosen) in _MERGED
    # Those of a topic are of any author.
    return _CANDIDATES if is_merged and not (chosen.author_id and chosen.text) else _CANDIDATES_IN_A_ROW


def _walked(chosen: QuestionFilter) -> int:
    """Nearly all are candidates where nothing else is asked for."""
    return _WALKED * _CANDIDATES_IN_A_ROW if _is_unfiltered(chosen) else _WALKED_SEARCHING


def _is_unfiltered(chosen: QuestionFilter) -> bool:
    """Whether any question of the bank, or of all banks, may be meant."""
    return not any((chosen.topic_id, chosen.author_id, chosen.status, chosen.difficulty_id))


def _searching(candidates: LiteralString) -> LiteralString:
    """The search among what a statement finds, and beyond it."""
    return SQL["search_questions"].replace("%(candidates)s::text[]", "array(" + candidates + ")")


def _shown(shown: LiteralString, found: LiteralString) -> sql.Composed:
    """As an array, so that the rows of the page are looked up by their ids, whatever the planner expects to find."""
    return sql.SQL("{} where q.id = any(array({})) order by q.id desc").format(sql.SQL(shown), sql.SQL(found))


def _facets(chosen: QuestionFilter) -> str:
    """The filters as a query for the words that stand for them in a document; at least one that every document has."""
    words = {
        "bank": chosen.bank_id,
        "topic": chosen.topic_id,
        "difficulty": chosen.difficulty_id,
        "author": chosen.author_id,
        "kind": chosen.kind,
        "tag": chosen.tag,
    }
    facets = [_word(f" {name} {value}") for name, value in words.items() if value is not None]
    if chosen.status is not None:
        states = [_word(f" state {state}") for state in _STATES[chosen.status]]
        facets.append(f"({' | '.join(states or [_word(' state none')])})")
    return " & ".join(facets or [_word(" question")])


def _word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


async def _planned_anew(database: Database, page: Page) -> list[DictRow]:
    """Not prepared: a plan that is to fit any filters would read whole banks."""
    query, params = page

    async def read(connection: Connection, lease: Lease) -> list[DictRow]:
        lease.committing = True
        return await (await connection.execute(query, params, prepare=False)).fetchall()

    return await database.run(read)


def _with_excerpt(row: DictRow) -> dict[str, Any]:
    return row | {"stem": excerpt(row["stem"], TextFormat(row["stem_format"]))}
