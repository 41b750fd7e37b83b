"""What a student's flags look like in a list."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from adapters.postgres.database import Database
from adapters.postgres.progress.flags import PostgresFlaggedQuestionReader
from application.progress.flagging import FlagQuestion
from application.progress.ports.flags import FlaggedQuestion
from tests.support.postgres import SettableClock
from tests.support.practice_builders import PACKAGE, START, STRANGER, STUDENT, offers
from tests.support.progress_worlds import Given, OnPostgres, Sitting, on_postgres

OTHER = "pkg_other"


@pytest.fixture
def world(request: pytest.FixtureRequest, clock: SettableClock) -> OnPostgres:
    """Ada is enrolled in two packages with three questions each."""
    found = on_postgres(request, clock)
    found.practice.offer(offers(3, topic_id="top_risk"))
    found.practice.offer(offers(3, prefix="other", topic_id="top_other"), OTHER)
    found.practice.enroll(STUDENT.user_id)
    found.practice.enroll(STUDENT.user_id, OTHER)
    return found


@pytest.fixture
def flagged(database: Database, clock: SettableClock) -> PostgresFlaggedQuestionReader:
    return PostgresFlaggedQuestionReader(database, clock)


async def flag_all(world: OnPostgres, clock: SettableClock, *question_ids: str) -> None:
    for question_id in question_ids:
        await FlagQuestion(world.flags)(STUDENT, question_id)
        clock.advance(minutes=1)


async def ids(reader: PostgresFlaggedQuestionReader, package: str | None = None) -> list[str]:
    found = await reader.page(STUDENT.user_id, exam_package_id=package, after=None, limit=100)
    return [each.question_id for each in found]


async def test_flagged_questions_are_listed_without_their_choices_and_keys(
    world: OnPostgres, flagged: PostgresFlaggedQuestionReader, clock: SettableClock
) -> None:
    await flag_all(world, clock, "qst_000")
    assert await flagged.page(STUDENT.user_id, exam_package_id=None, after=None, limit=10) == (
        FlaggedQuestion(
            question_id="qst_000",
            question_bank_id="qbk_security",
            version=1,
            kind=offers(1)[0].kind,
            stem="Stem of qst_000",
            topic_id="top_risk",
            difficulty_id="dif_easy",
            max_mark=Decimal(1),
            flagged_at=START,
        ),
    )
    assert await flagged.page(STRANGER.user_id, exam_package_id=None, after=None, limit=10) == ()
    world.practice.enroll(STRANGER.user_id)
    await FlagQuestion(world.flags)(STRANGER, "qst_001")
    assert await ids(flagged) == ["qst_000"]


async def test_the_last_flagged_comes_first_and_pages_follow_each_other(
    world: OnPostgres, flagged: PostgresFlaggedQuestionReader, clock: SettableClock
) -> None:
    await flag_all(world, clock, "qst_001", "qst_000")
    clock.set(START)  # As old as the first: the id decides.
    await flag_all(world, clock, "qst_002")
    found: list[str] = []
    after: tuple[datetime, str] | None = None
    while page := await flagged.page(STUDENT.user_id, exam_package_id=None, after=after, limit=1):
        found += [each.question_id for each in page]
        after = page[-1].flagged_at, page[-1].question_id
    assert found == ["qst_000", "qst_002", "qst_001"] == await ids(flagged)


async def test_what_may_not_be_seen_any_more_is_passed_over_unless_it_was_asked(
    world: OnPostgres, flagged: PostgresFlaggedQuestionReader, clock: SettableClock
) -> None:
    await flag_all(world, clock, "qst_000", "qst_001", "other_000")
    world.keep(Sitting(id="prs_1", answers=(Given(question_id="qst_001"),)))
    world.keep(Sitting(id="prs_2", user_id=STRANGER.user_id, answers=(Given(question_id="other_000"),)))
    world.practice.end_enrollment(STUDENT.user_id)
    assert await ids(flagged) == ["other_000", "qst_001"]
    world.let_enrollment_expire(STUDENT.user_id, clock.now())
    assert await ids(flagged) == ["qst_001"]


async def test_an_unpublished_question_is_told_by_the_version_that_was_asked(
    world: OnPostgres, flagged: PostgresFlaggedQuestionReader, clock: SettableClock
) -> None:
    await flag_all(world, clock, "qst_000")
    world.cloned.keeper.execute("update question_versions set status = 'superseded' where question_id = 'qst_000'")
    world.cloned.keeper.execute(
        "insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, prompts,"
        " answer_key, points, shuffle, content_hash, created_at, updated_at)"
        " select question_id, 2, 'published', kind, 'A second stem', stem_format, choices, prompts, answer_key, points,"
        " shuffle, sha256('y'), now(), now() from question_versions where question_id = 'qst_000'"
    )
    world.cloned.keeper.execute("update questions set published_version = 2, latest_version = 2 where id = 'qst_000'")
    world.keep(Sitting(id="prs_1", answers=(Given(question_id="qst_000"),)))
    (item,) = await flagged.page(STUDENT.user_id, exam_package_id=None, after=None, limit=10)
    assert (item.version, item.stem) == (2, "A second stem")
    world.cloned.keeper.execute("update questions set published_version = null where id = 'qst_000'")
    (item,) = await flagged.page(STUDENT.user_id, exam_package_id=None, after=None, limit=10)
    assert (item.version, item.stem) == (1, "Stem of qst_000")


async def test_the_flags_of_one_package_by_themselves(
    world: OnPostgres, flagged: PostgresFlaggedQuestionReader, clock: SettableClock
) -> None:
    await flag_all(world, clock, "qst_000", "other_001", "qst_001")
    assert await ids(flagged) == ["qst_001", "other_001", "qst_000"]
    found = [await ids(flagged, package) for package in (PACKAGE, OTHER, "pkg_none")]
    assert found == [["qst_001", "qst_000"], ["other_001"], []]
    (first,) = await flagged.page(STUDENT.user_id, exam_package_id=PACKAGE, after=None, limit=1)
    after = first.flagged_at, first.question_id
    (second,) = await flagged.page(STUDENT.user_id, exam_package_id=PACKAGE, after=after, limit=10)
    assert [first.question_id, second.question_id] == ["qst_001", "qst_000"]


async def test_a_package_that_was_left_tells_the_flags_of_what_it_asked(
    world: OnPostgres, flagged: PostgresFlaggedQuestionReader, clock: SettableClock
) -> None:
    """One in which the student never was tells nothing, though its bank is one of theirs too."""
    await flag_all(world, clock, "other_000", "other_001")
    world.keep(Sitting(id="prs_1", package_id=OTHER, answers=(Given(question_id="other_000"),)))
    world.practice.end_enrollment(STUDENT.user_id)
    assert await ids(flagged, OTHER) == ["other_001", "other_000"]
    world.let_enrollment_expire(STUDENT.user_id, clock.now())
    assert await ids(flagged, OTHER) == ["other_000"]
    world.cloned.keeper.execute(
        "insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)"
        " values ('pkg_secret', 'secret', 'Secret', 'hidden', 70, now(), now())"
    )
    world.cloned.keeper.execute(
        "insert into exam_package_banks (exam_package_id, question_bank_id)"
        " select 'pkg_secret', question_bank_id from exam_package_banks where exam_package_id = 'pkg_other'"
    )
    assert await ids(flagged, "pkg_secret") == []
