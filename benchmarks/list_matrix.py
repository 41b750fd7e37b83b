"""Every list there is: all combinations of filters, first and deep pages, for staff and for students."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from adapters.postgres.question_bank.listing import Page, page_of_published, page_of_questions
from application.question_bank.listing import PublishedFilter, QuestionFilter
from benchmarks.list_content import LARGE_BANK, STUDENT, question_id, word
from domain.auth.people import Actor, Role
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import VersionStatus

# One more than a page of the usual size shows, as a list asks for.
LIMIT: Final = 21
ADMIN: Final = Actor(user_id="usr_000", role=Role.ADMIN, session_id="ses_admin")
INSTRUCTOR: Final = Actor(user_id="usr_002", role=Role.INSTRUCTOR, session_id="ses_instructor")

_BANKS = (None, LARGE_BANK, "qbk_02")
_TOPICS = (None, "top_00_00", "top_00_59")
_DIFFICULTIES = (None, "dif_hard")
_STATUSES = (None, VersionStatus.PUBLISHED, VersionStatus.DRAFT, VersionStatus.CHANGES_REQUESTED)
_AUTHORS = (None, "usr_002", "usr_150")
# From what nearly every question has to what none has, and a word of one topic that others are searched for.
_TEXTS = {
    "in nearly all": word(1),
    "in one of five": word(10),
    "in one of a hundred": word(300),
    "in one of a thousand": word(3_000),
    "in a few": word(19_000),
    "two words": f"{word(30)} {word(300)}",
    "a phrase": f'"{word(1)} {word(2)}"',
    "one without another": f"{word(10)} -{word(300)}",
    "in one topic": "topicalaa",
    "in none": "unheardof",
}
_MATRIX = tuple(itertools.product(_BANKS, _TOPICS, _DIFFICULTIES, _STATUSES, _AUTHORS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A page of a list; those of a family differ in their filters only."""

    family: str
    name: str
    page: Page


def every_list(count: int) -> Iterator[Asked]:
    """The lists of a database with `count` questions. A topic is asked for with its own bank or with none."""
    for viewer, after in itertools.product((ADMIN, INSTRUCTOR), (None, question_id(count // 2))):
        for bank, topic, difficulty, status, author in _MATRIX:
            if topic is None or bank in (None, LARGE_BANK):
                chosen = QuestionFilter(
                    bank_id=bank, topic_id=topic, difficulty_id=difficulty, status=status, author_id=author
                )
                yield from _of_staff(chosen, viewer, after)
    for after in (None, question_id(count // 2)):
        for bank, topic, difficulty in itertools.product(_BANKS, _TOPICS, _DIFFICULTIES):
            published = PublishedFilter(bank_id=bank, topic_id=topic, difficulty_id=difficulty)
            page = page_of_published(published, STUDENT, after, LIMIT)
            yield Asked(family="students: published", name=f"{published} after {after}", page=page)


def _of_staff(chosen: QuestionFilter, viewer: Actor, after: str | None) -> Iterator[Asked]:
    searched = {"staff: filters": chosen}
    if chosen.difficulty_id is None and chosen.author_id != "usr_150":
        searched |= {f"search: {name}": replace(chosen, text=text) for name, text in _TEXTS.items()}
        searched |= {
            "kind: most": replace(chosen, kind=QuestionKind.SINGLE),
            "kind: hardly any": replace(chosen, kind=QuestionKind.ORDERING),
            "tag": replace(chosen, tag="revised"),
        }
    for family, each in searched.items():
        page = page_of_questions(each, viewer, after, LIMIT)
        yield Asked(family=family, name=f"{each} for {viewer.role} after {after}", page=page)
