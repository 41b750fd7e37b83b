"""Searching questions by words: what is looked into, in which language, and texts that mean to do harm."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.postgres.database import Database
from adapters.postgres.question_bank.listing import PostgresQuestionListReader
from application.question_bank.listing import QuestionFilter
from domain.question_bank.languages import LANGUAGES
from domain.question_bank.lifecycle import VersionStatus
from tests.support.listed_questions import ADMIN, GRACE, LINUS, SECRET, ABank, AQuestion, Shelf
from tests.support.postgres import ClonedDatabase

ENGLISH = ABank(id="qbk_english")
GERMAN = ABank(id="qbk_german", language="german")
SIMPLE = ABank(id="qbk_simple", language="simple")
HIDDEN = ABank(id="qbk_hidden", hidden=True, seen_by=("usr_grace",))


@pytest.fixture
def shelf(cloned: ClonedDatabase) -> Shelf:
    shelf = Shelf(cloned)
    shelf.settle()
    return shelf


@pytest.fixture
def reader(database: Database) -> PostgresQuestionListReader:
    return PostgresQuestionListReader(database)


async def _found(reader: PostgresQuestionListReader, text: str | None, **chosen: str) -> Sequence[str]:
    wanted = QuestionFilter(text=text, **chosen)  # type: ignore[arg-type]
    return [item.id for item in await reader.page(wanted, ADMIN, after=None, limit=50)]


def _english(number: int, stem: str, **more: object) -> AQuestion:
    return AQuestion(id=f"qst_{number}", bank=ENGLISH, stem=stem, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("router", ["qst_3", "qst_1"]),
        ("ROUTERS", ["qst_3", "qst_1"]),
        ("router cable", ["qst_1"]),
        ("router or switch", ["qst_3", "qst_2", "qst_1"]),
        ("router -cable", ["qst_3"]),
        ('"longest prefix"', ["qst_3"]),
        ('"prefix longest"', []),
        ("A1101-0042", ["qst_2"]),
        ("wireless", ["qst_2"]),
        ("spanning", ["qst_2"]),
        ("élodie", ["qst_4"]),
        ("heute", []),
        (SECRET, []),
        ("single", []),
        ("draft", []),
        ("qbk_english", []),
        ("' kind single'", []),
        ("", ["qst_4", "qst_3", "qst_2", "qst_1"]),
        (None, ["qst_4", "qst_3", "qst_2", "qst_1"]),
        ("the of is", ["qst_4", "qst_3", "qst_2", "qst_1"]),
        (" .,;!?& ", ["qst_4", "qst_3", "qst_2", "qst_1"]),
    ],
)
async def test_stem_external_id_tags_and_choices_are_looked_into(
    shelf: Shelf, reader: PostgresQuestionListReader, text: str | None, ids: list[str]
) -> None:
    """Not the key, nor the words by which an index knows the filters. A text without a word that counts is none."""
    shelf.add(
        _english(1, "Which cable does a router take?"),
        _english(2, "Which switch?", external_id="A1101-0042", tags=("wireless",), choices=("Spanning tree", "None")),
        _english(3, "How do routers find the longest prefix?"),
        _english(4, "<p>What did <b>Élodie</b> say?</p>", stem_format="html"),
    )
    assert await _found(reader, text) == ids


async def test_only_the_latest_version_is_looked_into(shelf: Shelf, reader: PostgresQuestionListReader) -> None:
    shelf.add(_english(1, "Which hub?", published_below="Which router?"))
    assert await _found(reader, "router") == []
    assert await _found(reader, "hub", status=VersionStatus.PUBLISHED) == ["qst_1"]


async def test_words_are_taken_apart_in_the_language_of_their_bank(
    shelf: Shelf, reader: PostgresQuestionListReader
) -> None:
    shelf.add(
        AQuestion(id="qst_1", bank=GERMAN, stem="Welche Häuser sind das?"),
        AQuestion(id="qst_2", bank=SIMPLE, stem="houses"),
        AQuestion(id="qst_3", bank=ENGLISH, stem="houses"),
    )
    assert await _found(reader, "Haus") == ["qst_1"]
    assert await _found(reader, "house") == ["qst_3"]
    assert await _found(reader, "house", bank_id=SIMPLE.id) == []
    assert await _found(reader, "houses") == ["qst_3", "qst_2"]


async def test_a_word_that_counts_in_no_language_of_the_banks_restricts_nothing(
    shelf: Shelf, reader: PostgresQuestionListReader
) -> None:
    shelf.add(AQuestion(id="qst_1", bank=ENGLISH, stem="red"), AQuestion(id="qst_2", bank=SIMPLE, stem="the red"))
    assert await _found(reader, "the", bank_id=ENGLISH.id) == ["qst_1"]
    assert await _found(reader, "the") == ["qst_2"]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
async def test_every_language_of_the_list_is_known_to_the_server(
    shelf: Shelf, reader: PostgresQuestionListReader, language: str
) -> None:
    shelf.add(AQuestion(id="qst_1", bank=ABank(id=f"qbk_{language}", language=language), stem="router"))
    assert await _found(reader, "router") == ["qst_1"]


async def test_hidden_banks_are_searched_by_those_who_see_them(
    shelf: Shelf, reader: PostgresQuestionListReader
) -> None:
    shelf.add(AQuestion(id="qst_1", bank=HIDDEN, stem="router"))
    found = {
        viewer.user_id: len(await reader.page(QuestionFilter(text="router"), viewer, after=None, limit=5))
        for viewer in (ADMIN, GRACE, LINUS)
    }
    assert found == {ADMIN.user_id: 1, GRACE.user_id: 1, LINUS.user_id: 0}


HOSTILE = (
    "'",
    '"',
    '"unclosed phrase',
    "\\",
    "a & b | !c <-> (d) :* *",
    "router:*",
    "'; drop table questions; --",
    "%(after)s %s %%",
    "-" * 1000,
    "or " * 333,
    "a or " * 200,
    "-a " * 333,
    '-"a" ' * 200,
    "- _" * 333,
    "router " * 142,
    "x" * 1000,
    '"' * 999,
    "- - -router",
    "🜁 𝔘𝔫𝔦 \u202e \ufeff",
    " kind single",
    "' question'",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_hostile_text_is_only_a_text(shelf: Shelf, reader: PostgresQuestionListReader, text: str) -> None:
    shelf.add(_english(1, "Which router?"))
    assert set(await _found(reader, text)) <= {"qst_1"}
    assert set(await _found(reader, text, tag=text, topic_id=text, author_id=text)) == set()


@given(
    text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=1000)
    | st.text("-\"' or_|&()<>:*\\zé.", max_size=1000)
)
async def test_no_text_breaks_a_search(cloned: ClonedDatabase, reader: PostgresQuestionListReader, text: str) -> None:
    assert await _found(reader, text, tag=text or "none") == []


@given(
    text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300),
    tag=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=100),
)
@example(text="'", tag="o'neill")
@example(text="\\", tag="\\")
async def test_any_text_can_be_indexed_and_any_tag_found(
    cloned: ClonedDatabase, reader: PostgresQuestionListReader, text: str, tag: str
) -> None:
    cloned.empty()
    shelf = Shelf(cloned)
    shelf.settle()
    shelf.add(_english(1, text, tags=(tag,), choices=(text, text)))
    assert await _found(reader, None, tag=tag) == ["qst_1"]
    assert await _found(reader, None, tag=tag + "?") == []


async def test_the_longest_texts_that_a_question_may_have_can_be_indexed(
    shelf: Shelf, reader: PostgresQuestionListReader
) -> None:
    """More than one document holds: the last choices are cut."""
    long = [" ".join(f"w{number}x{choice}é" for number in range(3_500))[:32_768] for choice in range(27)]
    shelf.add(_english(1, long[0], choices=tuple(long[1:])))
    assert await _found(reader, "w17x0é") == ["qst_1"]
    assert await _found(reader, "w17x1é") == ["qst_1"]
    assert await _found(reader, "w17x26é") == []
