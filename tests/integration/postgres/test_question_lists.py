"""The lists of questions: what they show to whom, filters held against a list made by hand, pages, and their plans."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.postgres.database import Database
from adapters.postgres.question_bank import listing
from adapters.postgres.question_bank.listing import (
    PostgresPublishedQuestionReader,
    PostgresQuestionListReader,
    page_of_published,
)
from application.question_bank.listing import PublishedFilter, QuestionFilter, QuestionListItem
from benchmarks import list_content
from benchmarks.list_matrix import every_list
from benchmarks.list_plans import whole_tables_read
from domain.auth.people import Actor
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import VersionStatus
from tests.support.listed_questions import (
    ADA,
    ADMIN,
    GRACE,
    LINUS,
    OPEN,
    SECRET,
    ABank,
    AQuestion,
    Shelf,
    found_by_hand,
    published_by_hand,
)
from tests.support.postgres import ClonedDatabase

NETS = ABank(id="qbk_nets", package="pkg_in")
KEYS = ABank(id="qbk_keys", language="simple", package="pkg_ended")
SECRETS = ABank(id="qbk_secrets", hidden=True, seen_by=("usr_grace", "usr_linus"), package="pkg_in")
OTHERS = ABank(id="qbk_others", hidden=True, seen_by=("usr_grace",), package="pkg_never")
BANKS = (NETS, KEYS, SECRETS, OTHERS)
WORDS = ("router", "cable", "green", "seven")


@pytest.fixture(autouse=True)
def _few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few that a few questions are more, and every way to find them is taken."""
    numbers = {
        "_CANDIDATES": 4,
        "_CANDIDATES_IN_A_ROW": 6,
        "_CANDIDATES_AT_LEAST": 3,
        "_PROBED": 2,
        "_FEW": 2,
        "_FEW_FILTERED": 3,
    }
    numbers |= {"_WALKED_AT_LEAST": 5, "_WALKED_SEARCHING": 8, "_ROW": 5, "_REACH": 6, "_REACH_OF_ALL_BANKS": 8}
    for name, few in numbers.items():
        monkeypatch.setattr(listing, name, few)


@pytest.fixture
def shelf(cloned: ClonedDatabase) -> Shelf:
    shelf = Shelf(cloned)
    shelf.settle()
    return shelf


@pytest.fixture
def reader(database: Database) -> PostgresQuestionListReader:
    return PostgresQuestionListReader(database)


@pytest.fixture
def published(database: Database) -> PostgresPublishedQuestionReader:
    return PostgresPublishedQuestionReader(database)


async def _ids(reader: PostgresQuestionListReader, viewer: Actor = ADMIN, **chosen: Any) -> list[str]:
    return [item.id for item in await reader.page(QuestionFilter(**chosen), viewer, after=None, limit=100)]


@st.composite
def questions(draw: st.DrawFn) -> AQuestion:
    bank = draw(st.sampled_from(BANKS))
    status = draw(st.sampled_from([*OPEN, VersionStatus.PUBLISHED, VersionStatus.ARCHIVED]))
    return AQuestion(
        id="",
        bank=bank,
        status=status,
        published_below=draw(st.sampled_from([None, "cable"])) if status in OPEN else None,
        stem=" ".join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))),
        topic_id=draw(st.sampled_from([None, f"top_a{bank.id}", f"top_b{bank.id}"])),
        difficulty_id=draw(st.sampled_from([None, "dif_easy", "dif_hard"])),
        author_id=draw(st.sampled_from([None, "usr_grace", "usr_linus"])),
        kind=draw(st.sampled_from([QuestionKind.SINGLE, QuestionKind.NUMERIC])),
        tags=tuple(draw(st.lists(st.sampled_from(["o'neill", "a b", "\\"]), unique=True, max_size=2))),
    )


shelves = st.lists(questions(), min_size=20, max_size=30).map(
    lambda drawn: [_named(question, number) for number, question in enumerate(drawn)]
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "bank_id": st.sampled_from([bank.id for bank in BANKS]),
        "topic_id": st.sampled_from([f"top_a{bank.id}" for bank in BANKS]),
        "difficulty_id": st.sampled_from(["dif_easy", "dif_hard"]),
        "status": st.sampled_from(VersionStatus),
        "author_id": st.sampled_from(["usr_grace", "usr_linus"]),
        "kind": st.sampled_from([QuestionKind.SINGLE, QuestionKind.NUMERIC]),
        "tag": st.sampled_from(["o'neill", "a b", "\\", "unheard of"]),
    },
)


def _named(question: AQuestion, number: int) -> AQuestion:
    return replace(question, id=f"qst_{number:03}")


@given(
    stored=shelves,
    chosen=filters,
    words=st.lists(st.sampled_from(WORDS), max_size=2),
    viewer=st.sampled_from([ADMIN, GRACE, LINUS]),
    limit=st.integers(1, 7),
)
async def test_all_pages_together_are_what_a_list_made_by_hand_holds(
    cloned: ClonedDatabase,
    reader: PostgresQuestionListReader,
    stored: list[AQuestion],
    chosen: dict[str, Any],
    words: list[str],
    viewer: Actor,
    limit: int,
) -> None:
    cloned.empty()
    shelf = Shelf(cloned)
    shelf.settle()
    shelf.add(*stored)
    wanted = QuestionFilter(**chosen, text=" ".join(words) or None)
    expected = found_by_hand(stored, wanted, viewer, words)
    seen: list[str] = []
    for start in range(0, len(expected) + 1, limit):
        found = await reader.page(wanted, viewer, after=seen[-1] if seen else None, limit=limit)
        seen += [item.id for item in found]
        assert seen == expected[: start + limit]


@given(
    has_it=st.lists(st.sampled_from([True, False, False]), min_size=12, max_size=30),
    chosen=st.sampled_from([{}, {"bank_id": NETS.id}, {"author_id": "usr_grace"}]),
    limit=st.integers(1, 9),
)
@example(has_it=[True, *[False] * 9, True, True, *[False] * 5, True, False], chosen={}, limit=9)
@example(has_it=[*[False] * 9, True, True, False, False, True], chosen={"bank_id": NETS.id}, limit=2)
async def test_a_word_is_found_wherever_it_stands_among_questions_without_it(
    cloned: ClonedDatabase,
    reader: PostgresQuestionListReader,
    has_it: list[bool],
    chosen: dict[str, Any],
    limit: int,
) -> None:
    """Near the newest, further on and far away, however many of the first that were looked at have it."""
    cloned.empty()
    shelf = Shelf(cloned)
    shelf.settle()
    words = ["router" if has else "cable" for has in has_it]
    stored = [AQuestion(id=f"qst_{n:03}", bank=NETS, author_id="usr_grace", stem=word) for n, word in enumerate(words)]
    shelf.add(*stored)
    expected = [question.id for question in reversed(stored) if question.stem == "router"]
    seen: list[str] = []
    for start in range(0, len(expected) + 1, limit):
        wanted = QuestionFilter(**chosen, text="router")
        found = await reader.page(wanted, ADMIN, after=seen[-1] if seen else None, limit=limit)
        seen += [item.id for item in found]
        assert seen == expected[: start + limit]


@given(
    stored=shelves,
    chosen=st.fixed_dictionaries(
        {},
        optional={
            "package_id": st.sampled_from(["pkg_in", "pkg_ended", "pkg_never"]),
            "bank_id": st.sampled_from([bank.id for bank in BANKS]),
            "topic_id": st.sampled_from([f"top_a{bank.id}" for bank in BANKS]),
            "difficulty_id": st.sampled_from(["dif_easy", "dif_hard"]),
        },
    ),
)
async def test_students_see_published_questions_of_visible_banks_of_packages_they_are_enrolled_in(
    cloned: ClonedDatabase,
    published: PostgresPublishedQuestionReader,
    stored: list[AQuestion],
    chosen: dict[str, Any],
) -> None:
    cloned.empty()
    shelf = Shelf(cloned)
    shelf.settle()
    shelf.add(*stored)
    wanted = PublishedFilter(**chosen)
    expected = published_by_hand(stored, wanted, frozenset({"pkg_in"}))
    seen: list[str] = []
    for start in range(0, len(expected) + 1, 3):
        found = await published.page(wanted, ADA.user_id, after=seen[-1] if seen else None, limit=3)
        seen += [item.id for item in found]
        assert seen == expected[: start + 3]
    assert await published.page(wanted, "usr_nobody", after=None, limit=100) == ()


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("name", [None, "bank_id", "topic_id"])
async def test_a_student_sees_nothing_of_hidden_banks_nor_of_packages_that_were_left(
    shelf: Shelf, published: PostgresPublishedQuestionReader, bank: ABank, name: str | None
) -> None:
    topic_id = f"top_a{bank.id}"
    shelf.add(AQuestion(id="qst_1", bank=bank, status=VersionStatus.PUBLISHED, topic_id=topic_id))
    chosen = {None: PublishedFilter(), "bank_id": PublishedFilter(bank_id=bank.id)}
    found = await published.page(chosen.get(name, PublishedFilter(topic_id=topic_id)), ADA.user_id, after=None, limit=5)
    assert len(found) == (1 if bank is NETS else 0)


async def test_an_item_tells_how_the_latest_version_stands(shelf: Shelf, reader: PostgresQuestionListReader) -> None:
    shelf.add(
        AQuestion(
            id="qst_1",
            bank=NETS,
            external_id="A-1",
            stem=f"<p>Which &lt;b&gt; {'x' * 300}</p>",
            stem_format="html",
            status=VersionStatus.IN_REVIEW,
            published_below="Old",
            topic_id="top_aqbk_nets",
            difficulty_id="dif_easy",
            author_id="usr_grace",
            tags=("net",),
        )
    )
    (item,) = await reader.page(QuestionFilter(), ADMIN, after=None, limit=5)
    assert item == QuestionListItem(
        id="qst_1",
        question_bank_id=NETS.id,
        external_id="A-1",
        kind=QuestionKind.SINGLE,
        stem=f"Which <b> {'x' * 189}…",
        status=VersionStatus.IN_REVIEW,
        version=2,
        rev=7,
        published_version=1,
        topic_id="top_aqbk_nets",
        difficulty_id="dif_easy",
        author_id="usr_grace",
        tags=("net",),
        created_at=item.created_at,
        updated_at=item.updated_at,
    )
    assert len(item.stem) == 200


async def test_a_student_sees_the_published_version_and_nothing_of_its_key(
    shelf: Shelf, published: PostgresPublishedQuestionReader
) -> None:
    shelf.add(AQuestion(id="qst_1", bank=NETS, stem="What comes", published_below="What is there"))
    (item,) = await published.page(PublishedFilter(), ADA.user_id, after=None, limit=5)
    assert (item.id, item.version, item.stem) == ("qst_1", 1, "What is there")
    query, _ = page_of_published(PublishedFilter(), ADA.user_id, None, 5)
    assert "answer_key" not in query.as_string()
    assert SECRET not in repr(item)


async def test_a_student_has_no_list_of_staff(shelf: Shelf, reader: PostgresQuestionListReader) -> None:
    shelf.add(AQuestion(id="qst_1", bank=NETS))
    assert await _ids(reader, ADA) == []


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"bank_id": SECRETS.id},
        {"topic_id": "top_aqbk_secrets"},
        {"author_id": "usr_admin"},
        {"author_id": "usr_admin", "bank_id": SECRETS.id},
        {"text": "router"},
        {"text": "router", "bank_id": SECRETS.id},
    ],
)
@pytest.mark.parametrize("newer", [0, 20])
async def test_a_hidden_bank_is_listed_for_its_owner_its_co_editors_and_admins(
    shelf: Shelf, reader: PostgresQuestionListReader, chosen: dict[str, Any], newer: int
) -> None:
    """Also below many questions of a bank that is not asked for."""
    shelf.add(
        AQuestion(
            id="qst_0", bank=SECRETS, stem="router", topic_id="top_aqbk_secrets", author_id="usr_admin", tags=("x",)
        ),
        *(AQuestion(id=f"qst_1{number:02}", bank=OTHERS, stem="router") for number in range(newer)),
    )
    others = replace(LINUS, user_id="usr_nobody")
    seen = {viewer.user_id: "qst_0" in await _ids(reader, viewer, **chosen) for viewer in (ADMIN, GRACE, LINUS, others)}
    assert seen == {"usr_admin": True, "usr_grace": True, "usr_linus": True, "usr_nobody": False}


@pytest.mark.parametrize("chosen", [{}, {"bank_id": NETS.id}, {"author_id": "usr_grace"}, {"text": "router"}])
async def test_what_is_added_meanwhile_neither_shifts_nor_repeats_a_page(
    shelf: Shelf, reader: PostgresQuestionListReader, chosen: dict[str, Any]
) -> None:
    def question(number: int) -> AQuestion:
        return AQuestion(id=f"qst_{number:03}", bank=NETS, author_id="usr_grace", stem="router")

    shelf.add(*map(question, range(10, 20)))
    first = await reader.page(QuestionFilter(**chosen), GRACE, after=None, limit=4)
    shelf.add(*map(question, range(20, 25)))
    rest = await reader.page(QuestionFilter(**chosen), GRACE, after=first[-1].id, limit=100)
    assert [item.id for item in (*first, *rest)] == [f"qst_{number:03}" for number in reversed(range(10, 20))]


# Plans, on a bank of some thousand questions that the server makes by itself.

_COUNT = 3_000
# Of some four thousand lists; five and the number of families have no common factor, so that every combination is met.
_EVERY = 5


@pytest.fixture(scope="module")
def planner(module_database: ClonedDatabase) -> Iterator[psycopg.Connection]:
    """What the application is answered with, were every table as dear to read as one of a million rows."""
    module_database.empty()
    with module_database.administration() as connection:
        list_content.fill(connection, _COUNT)
        list_content.make_searchable(connection, _COUNT)
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        yield connection


def test_no_list_reads_a_whole_table(planner: psycopg.Connection) -> None:
    for asked in itertools.islice(every_list(_COUNT), 0, None, _EVERY):
        query, params = asked.page
        plan = _explained(planner, query.as_string(planner), params)
        assert not whole_tables_read(plan), f"{asked.name}: {json.dumps(plan, indent=1)}"


def test_the_check_of_plans_sees_a_table_that_is_read_as_a_whole(planner: psycopg.Connection) -> None:
    for table in ("questions", "question_versions", "question_search"):
        plan = _explained(planner, f"select count(*) from {table} t where t::text like '%%x%%'", {})
        assert whole_tables_read(plan)


def _explained(connection: psycopg.Connection, query: str, params: Any) -> Any:
    row = connection.execute(f"explain (format json) {query}".encode(), params).fetchone()
    assert row is not None
    found: Sequence[Any] = row[0]
    return found[0]["Plan"]
