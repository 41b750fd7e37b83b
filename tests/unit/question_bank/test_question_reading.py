"""Looking at questions: what is not there is refused, versions are compared the right way, hints are taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from application.auth.claimants import Claimant
from application.question_bank.ports.reading import QuestionReader
from application.question_bank.reading import (
    MOST_ROUNDS,
    CompareVersions,
    ListReviews,
    ListVersions,
    QuestionVersionNotFound,
    ReadPublishedQuestion,
    ReadQuestion,
    ReadVersion,
)
from application.question_bank.steps import QuestionState
from application.question_bank.views import ReviewView, StudentQuestion, VersionSummary, VersionView
from domain.auth.people import Actor, Role
from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import FormattedText
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import VersionStatus
from domain.question_bank.lifecycle_refusals import QuestionNotFound
from domain.question_bank.questions import Choice, PublicQuestion

NOON = datetime(2030, 1, 15, 12, tzinfo=UTC)
GRACE = Actor(user_id="usr_grace", role=Role.INSTRUCTOR, session_id="ses_1")
ADA = Actor(user_id="usr_ada", role=Role.STUDENT, session_id="ses_2")


def version(number: int) -> VersionView:
    return VersionView(
        question_id="qst_1",
        version=number,
        status=VersionStatus.DRAFT,
        rev=2,
        kind=QuestionKind.SINGLE,
        editors=("usr_grace",),
        created_at=NOON,
        updated_at=NOON,
        decided_at=None,
        content=QuestionContent(kind=QuestionKind.SINGLE, stem=FormattedText(text=f"Version {number}?")),
        note=None,
    )


ORDERING = PublicQuestion(
    question_id="qst_1",
    version=1,
    kind=QuestionKind.ORDERING,
    stem="In order!",
    choices=tuple(Choice(id=id_, text=text) for id_, text in zip("ABCD", ("1st", "2nd", "3rd", "4th"), strict=True)),
)


@dataclass
class Shelf(QuestionReader):
    """One question of three versions, published for Ada; Grace may see it unless it is hidden."""

    hidden: bool = False
    question_shown: PublicQuestion = ORDERING

    async def question(self, actor: Actor, question_id: str) -> QuestionState | None:
        return None

    async def versions_of(self, actor: Actor, question_id: str, numbers: Sequence[int]) -> Sequence[VersionView] | None:
        return None if self.hidden else [version(number) for number in (3, 2, 1) if number in numbers]

    async def versions(
        self, actor: Actor, question_id: str, *, before: int | None, limit: int
    ) -> Sequence[VersionSummary] | None:
        return None if self.hidden else []

    async def reviews(self, actor: Actor, question_id: str, *, limit: int) -> Sequence[ReviewView] | None:
        assert limit == MOST_ROUNDS
        return None if self.hidden else []

    async def published_question(
        self, user_id: str, question_id: str, *, claim: Claimant | None = None
    ) -> StudentQuestion | None:
        if user_id != ADA.user_id:
            return None
        return StudentQuestion(
            question_bank_id="qbk_1", topic_id=None, difficulty_id=None, question=self.question_shown
        )


async def test_what_may_not_be_seen_is_not_there() -> None:
    shelf = Shelf(hidden=True)
    for look in (
        lambda: ReadQuestion(shelf)(GRACE, "qst_1"),
        lambda: ReadVersion(shelf)(GRACE, "qst_1", 1),
        lambda: CompareVersions(shelf)(GRACE, "qst_1", 2),
        lambda: ListVersions(shelf)(GRACE, "qst_1", before=None, limit=20),
        lambda: ListReviews(shelf)(GRACE, "qst_1"),
        lambda: ReadPublishedQuestion(shelf)(GRACE, "qst_1"),
    ):
        with pytest.raises(QuestionNotFound):
            await look()


async def test_a_question_without_further_versions_or_reviews_is_there() -> None:
    assert await ListVersions(Shelf())(GRACE, "qst_1", before=1, limit=20) == []
    assert await ListReviews(Shelf())(GRACE, "qst_1") == []


async def test_a_version_is_compared_with_the_one_before_it_unless_told() -> None:
    compare = CompareVersions(Shelf())
    for against, before in ((None, 2), (1, 1), (3, 3)):
        found = await compare(GRACE, "qst_1", 3, against)
        assert (found.before, found.after) == (before, 3)
        assert [change.before for change in found.changes] == ([f"Version {before}?"] if before != 3 else [])


@pytest.mark.parametrize(("number", "against"), [(1, None), (4, None), (2, 9), (9, 2)])
async def test_a_version_that_there_is_not_cannot_be_compared(number: int, against: int | None) -> None:
    with pytest.raises(QuestionVersionNotFound):
        await CompareVersions(Shelf())(GRACE, "qst_1", number, against)
    with pytest.raises(QuestionVersionNotFound):
        await ReadVersion(Shelf())(GRACE, "qst_1", 4)


async def test_the_tag_of_a_version_tells_its_revision() -> None:
    assert (await ReadVersion(Shelf())(GRACE, "qst_1", 3)).etag == 3_000_002


async def test_ids_and_order_of_an_ordering_question_tell_nothing() -> None:
    """Ids are given out in the order that is shown, and that order follows from nothing but the texts."""
    shown = (await ReadPublishedQuestion(Shelf())(ADA, "qst_1")).question
    assert [choice.id for choice in shown.choices] == ["A", "B", "C", "D"]
    backwards = replace(
        ORDERING,
        choices=tuple(
            replace(c, text=text) for c, text in zip(ORDERING.choices, ("4th", "3rd", "2nd", "1st"), strict=True)
        ),
    )
    again = (await ReadPublishedQuestion(Shelf(question_shown=backwards))(ADA, "qst_1")).question
    assert [choice.text for choice in again.choices] == [choice.text for choice in shown.choices]


async def test_other_questions_keep_their_ids() -> None:
    single = replace(ORDERING, kind=QuestionKind.SINGLE)
    shown = (await ReadPublishedQuestion(Shelf(question_shown=single))(ADA, "qst_1")).question
    assert sorted(shown.choices, key=lambda choice: choice.id) == list(single.choices)
