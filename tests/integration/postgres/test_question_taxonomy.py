"""Banks, topics and difficulties: who may change them and what stays, in memory and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.question_bank.taxonomy import PostgresTaxonomyReader
from adapters.postgres.statements import load
from application.question_bank.taxonomy import (
    ChangeBank,
    CreateBank,
    CreateTopic,
    DeleteBank,
    DeleteTopic,
    NewBank,
    ReadBank,
    RenameDifficulty,
    RenameTopic,
)
from domain.auth.people import Actor
from domain.auth.sessions import Forbidden
from domain.errors import InvalidInput
from domain.question_bank.banks import BankVisibility
from domain.question_bank.lifecycle_refusals import BankNotFound
from domain.question_bank.taxonomy import (
    Bank,
    BankChange,
    BankInUse,
    BankSlugTaken,
    DifficultyNameTaken,
    DifficultyNotFound,
    NotTheOwner,
    TaxonomyChanged,
    Topic,
    TopicInUse,
    TopicNameTaken,
    TopicNotFound,
)
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.taxonomy_builders import (
    ADMIN,
    EDITOR,
    NEW,
    OTHER,
    OWNER,
    STUDENT,
    Library,
    MemoryLibrary,
    PostgresLibrary,
    on_postgres,
)

HIDE = BankChange(visibility=BankVisibility.HIDDEN)


@pytest.fixture(params=["memory", "postgres"])
def library(request: pytest.FixtureRequest, clock: SettableClock) -> Library:
    if request.param == "memory":
        return MemoryLibrary(clock)
    return on_postgres(request.getfixturevalue("cloned"), request.getfixturevalue("database"), clock)


@pytest.fixture
def shelves(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> PostgresLibrary:
    return on_postgres(cloned, database, clock)


@pytest.fixture
def reader(database: Database) -> PostgresTaxonomyReader:
    return PostgresTaxonomyReader(database)


async def make(library: Library, new: NewBank = NEW, by: Actor = OWNER) -> Bank:
    return await CreateBank(transact=library.transact, ids=library.ids)(by, new)


async def change(
    library: Library, bank: Bank, wish: BankChange, by: Actor = OWNER, expected: int | None = None
) -> Bank:
    return await ChangeBank(transact=library.transact)(by, bank.id, wish, expected)


async def topic(library: Library, bank: Bank, name: str = "Routing", by: Actor = OWNER) -> Topic:
    return await CreateTopic(transact=library.transact, ids=library.ids)(by, bank.id, name)


async def rename(library: Library, about: Topic, name: str, by: Actor = OWNER, expected: int | None = None) -> Topic:
    return await RenameTopic(transact=library.transact)(by, about.id, name, expected)


async def test_a_bank_belongs_to_whoever_makes_it_and_is_named_by_its_title(library: Library) -> None:
    bank = await make(library)
    assert await library.bank(bank.id) == bank
    assert (bank.slug, bank.owner_id, bank.editor_ids) == ("network-fundamentals", OWNER.user_id, (EDITOR.user_id,))
    assert library.audited() == ["question_bank.created"]


async def test_two_banks_share_no_slug(library: Library) -> None:
    first, second = await make(library), await make(library, NewBank(title="Security"))
    with pytest.raises(BankSlugTaken):
        await make(library, NewBank(title="Another", slug=first.slug))
    with pytest.raises(BankSlugTaken):
        await change(library, second, BankChange(slug=first.slug))
    assert await library.bank(second.id) == second


@pytest.mark.parametrize(
    ("new", "pointer"),
    [
        (NewBank(title=" \u200a"), "/title"),
        (NewBank(title="x" * 201), "/title"),
        (NewBank(title="two\nlines"), "/title"),
        (NewBank(title="a" + "\u0301" * 31), "/title"),
        (NewBank(title="x", slug="Not a slug"), "/slug"),
        (NewBank(title="x", language="klingon"), "/language"),
        (NewBank(title="x", description="x" * 10_001), "/description"),
        (NewBank(title="x", editor_ids=tuple(f"usr_{number}" for number in range(101))), "/editorIds"),
        (NewBank(title="x", editor_ids=(STUDENT.user_id,)), "/editorIds"),
        (NewBank(title="x", editor_ids=("usr_nobody",)), "/editorIds"),
    ],
)
async def test_what_no_bank_can_be_is_refused(library: Library, new: NewBank, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await make(library, new)
    assert refused.value.problems[0].pointer == pointer
    assert not library.audited()


async def test_students_make_and_change_nothing(library: Library) -> None:
    bank = await make(library)
    with pytest.raises(Forbidden):
        await make(library, NewBank(title="Mine"), STUDENT)
    with pytest.raises(Forbidden):
        await topic(library, bank, by=STUDENT)
    with pytest.raises(Forbidden):
        await RenameDifficulty(transact=library.transact)(STUDENT, "dif_easy", "Trivial")
    with pytest.raises(BankNotFound):
        await change(library, bank, HIDE, STUDENT)


@pytest.mark.parametrize("actor", [EDITOR, OTHER])
async def test_the_bank_itself_is_changed_by_its_owner_and_admins_only(library: Library, actor: Actor) -> None:
    bank = await make(library)
    with pytest.raises(NotTheOwner):
        await change(library, bank, HIDE, actor)
    with pytest.raises(NotTheOwner):
        await DeleteBank(transact=library.transact)(actor, bank.id)
    hidden = await change(library, bank, HIDE, ADMIN)
    assert (hidden.visibility, hidden.version) == (BankVisibility.HIDDEN, 2)
    assert await library.bank(bank.id) == hidden


async def test_a_hidden_bank_is_there_for_its_editors_and_admins_only(library: Library) -> None:
    bank = await change(library, await make(library), HIDE)
    with pytest.raises(BankNotFound):
        await change(library, bank, BankChange(title="Found"), OTHER)
    with pytest.raises(BankNotFound):
        await topic(library, bank, by=OTHER)
    with pytest.raises(BankNotFound):
        await DeleteBank(transact=library.transact)(OTHER, bank.id)
    about = await topic(library, bank, by=EDITOR)
    with pytest.raises(TopicNotFound):
        await rename(library, about, "Found", OTHER)
    assert (await rename(library, about, "Switching", EDITOR)).name == "Switching"


async def test_a_change_tells_what_differs_and_repeating_it_tells_nothing(library: Library) -> None:
    bank = await make(library)
    wish = BankChange(title="Networks", editor_ids=(OTHER.user_id, EDITOR.user_id, OTHER.user_id), owner_id="usr_admin")
    changed = await change(library, bank, wish)
    assert (changed.title, changed.editor_ids, changed.owner_id) == (
        "Networks",
        ("usr_editor", "usr_other"),
        "usr_admin",
    )
    assert await library.bank(bank.id) == changed
    assert await change(library, bank, wish, ADMIN) == changed
    assert library.audited() == ["question_bank.created", "question_bank.changed"]
    assert not library.jobs()


async def test_a_bank_of_the_school_is_changed_by_admins(library: Library) -> None:
    """What the command line imports has no owner; nobody can take it for their own."""
    bank = replace(await make(library, by=ADMIN), id="qbk_school", slug="school", owner_id=None, editor_ids=())
    await library.transact(lambda work: work.add_bank(bank))
    with pytest.raises(NotTheOwner):
        await change(library, bank, BankChange(owner_id=OTHER.user_id), OTHER)
    assert (await change(library, bank, BankChange(owner_id=OTHER.user_id), ADMIN)).owner_id == OTHER.user_id


async def test_another_language_has_the_questions_indexed_anew(library: Library) -> None:
    await change(library, await make(library), BankChange(language="german"))
    assert library.jobs() == ["index_questions"]


async def test_the_editors_that_were_read_may_be_sent_back_after_one_of_them_has_left(library: Library) -> None:
    """Only whoever is named anew has to be of the staff; a part that somebody had is no reason for another one."""
    bank = await make(library)
    library.dismiss(EDITOR)
    both = (EDITOR.user_id, OTHER.user_id)
    changed = await change(library, bank, BankChange(title="Anew", editor_ids=both, owner_id=OWNER.user_id))
    assert changed.editor_ids == both
    with pytest.raises(InvalidInput):
        await change(library, bank, BankChange(owner_id=EDITOR.user_id))
    alone = await change(library, bank, BankChange(editor_ids=()))
    with pytest.raises(InvalidInput):
        await change(library, alone, BankChange(editor_ids=(EDITOR.user_id,)))


async def test_a_change_of_what_was_not_seen_is_refused_with_the_current_version(library: Library) -> None:
    bank = await make(library)
    changed = await change(library, bank, HIDE, expected=1)
    with pytest.raises(TaxonomyChanged) as refused:
        await change(library, bank, BankChange(title="Late"), expected=1)
    assert refused.value.current_version == changed.version == 2


async def test_a_bank_in_use_stays(library: Library) -> None:
    used, empty = await make(library), await make(library, NewBank(title="Empty"))
    about = await topic(library, empty)
    library.use_bank(used.id)
    with pytest.raises(BankInUse):
        await DeleteBank(transact=library.transact)(OWNER, used.id)
    await DeleteBank(transact=library.transact)(OWNER, empty.id)
    assert await library.bank(empty.id) is None
    assert await library.topic(about.id) is None
    assert library.audited()[-1] == "question_bank.deleted"
    with pytest.raises(BankNotFound):
        await DeleteBank(transact=library.transact)(OWNER, empty.id)


async def test_topics_of_a_bank_share_no_name(library: Library) -> None:
    bank, elsewhere = await make(library), await make(library, NewBank(title="Elsewhere"))
    about = await topic(library, bank, "  Cafe\u0301 ", OTHER)
    assert about.name == "Café"
    await topic(library, elsewhere, "Café")
    with pytest.raises(TopicNameTaken):
        await topic(library, bank, "Café")
    second = await topic(library, bank, "Routing")
    with pytest.raises(TopicNameTaken):
        await rename(library, second, "Café")


async def test_a_topic_is_renamed_by_editors_of_its_bank_and_hashes_follow(library: Library) -> None:
    bank = await make(library)
    about = await topic(library, bank)
    with pytest.raises(NotTheOwner):
        await rename(library, about, "Switching", OTHER)
    renamed = await rename(library, about, "Switching", EDITOR, expected=1)
    assert await library.topic(about.id) == renamed
    assert library.jobs() == ["rehash_questions"]
    assert await rename(library, about, "Switching") == renamed
    with pytest.raises(TaxonomyChanged):
        await rename(library, about, "Again", expected=1)
    assert library.audited()[2:] == ["question_topic.renamed"]


@pytest.mark.parametrize("name", ["", " ", "x" * 513, "é" * 300, "two\nlines", "nul\0"])
async def test_what_no_topic_can_be_called_is_refused(library: Library, name: str) -> None:
    with pytest.raises(InvalidInput):
        await topic(library, await make(library), name)


async def test_a_topic_that_any_version_names_stays(library: Library) -> None:
    """Also one that only an old version names, which the question's own row does not speak for."""
    bank = await make(library)
    used, free = await topic(library, bank, "Used"), await topic(library, bank, "Free")
    library.use_topic(used)
    with pytest.raises(TopicInUse):
        await DeleteTopic(transact=library.transact)(OWNER, used.id)
    with pytest.raises(NotTheOwner):
        await DeleteTopic(transact=library.transact)(OTHER, free.id)
    await DeleteTopic(transact=library.transact)(EDITOR, free.id)
    assert await library.topic(free.id) is None
    with pytest.raises(TopicNotFound):
        await DeleteTopic(transact=library.transact)(EDITOR, free.id)
    assert library.audited()[-1] == "question_topic.deleted"


async def test_a_difficulty_is_renamed_and_keeps_its_code(library: Library) -> None:
    renamed = await RenameDifficulty(transact=library.transact)(OTHER, "dif_easy", "Warm-up", 1)
    assert (renamed.code, renamed.name, renamed.version) == ("easy", "Warm-up", 2)
    assert await library.difficulty("dif_easy") == renamed
    assert await RenameDifficulty(transact=library.transact)(OTHER, "dif_easy", "Warm-up") == renamed
    with pytest.raises(TaxonomyChanged):
        await RenameDifficulty(transact=library.transact)(OTHER, "dif_easy", "x", 1)
    with pytest.raises(DifficultyNotFound):
        await RenameDifficulty(transact=library.transact)(OTHER, "dif_unknown", "x")
    assert library.audited() == ["question_difficulty.renamed"]
    await RenameDifficulty(transact=library.transact)(ADMIN, "dif_easy", "Easy")


@pytest.mark.parametrize("name", ["Medium", "mEDIUM"])
async def test_no_two_difficulties_are_called_the_same(library: Library, name: str) -> None:
    with pytest.raises(DifficultyNameTaken):
        await RenameDifficulty(transact=library.transact)(OTHER, "dif_easy", name)
    assert not library.audited()
    assert (await RenameDifficulty(transact=library.transact)(OTHER, "dif_easy", "EASY")).name == "EASY"
    await RenameDifficulty(transact=library.transact)(OTHER, "dif_easy", "Easy")


async def test_deleting_a_topic_reads_no_whole_table(cloned: ClonedDatabase) -> None:
    """However many questions the bank has."""
    with psycopg.connect(cloned.urls.app, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        statement = load("question_bank/taxonomy")["is_topic_used"].replace("%(topic_id)s", "$1")
        plan = "\n".join(line for (line,) in connection.execute(f"explain (generic_plan) {statement}".encode()))
    assert "Seq Scan" not in plan
    assert plan.count("Index Cond: (topic_id = $1)") == 2, plan


async def test_staff_list_what_they_may_see(shelves: PostgresLibrary, reader: PostgresTaxonomyReader) -> None:
    seen = await make(shelves)
    hidden = await change(
        shelves, await make(shelves, NewBank(title="Hidden 100%", editor_ids=(EDITOR.user_id,))), HIDE
    )
    for bank in (seen, hidden):
        await topic(shelves, bank, f"About {bank.slug}")
    for actor, banks in ((OWNER, [seen, hidden]), (EDITOR, [seen, hidden]), (OTHER, [seen]), (ADMIN, [seen, hidden])):
        found = await reader.banks(actor, text=None, after=None, limit=10)
        assert [view.bank for view in found] == banks
        topics = await reader.topics(actor, bank_id=None, text=None, after=None, limit=10)
        assert [each.question_bank_id for each in topics] == [bank.id for bank in banks]
        assert [view.bank for view in await reader.banks(actor, text="100%", after=None, limit=10)] == banks[1:]
        assert not await reader.banks(actor, text="1_0", after=None, limit=10)
    assert [view.bank for view in await reader.banks(ADMIN, text=None, after=seen.id, limit=10)] == [hidden]
    assert len(await reader.banks(ADMIN, text=None, after=None, limit=1)) == 1
    (only,) = await reader.topics(ADMIN, bank_id=hidden.id, text="about", after=None, limit=10)
    assert only.question_bank_id == hidden.id
    assert (await ReadBank(taxonomy_reader=reader)(OWNER, hidden.id)).bank == hidden
    with pytest.raises(BankNotFound):
        await ReadBank(taxonomy_reader=reader)(OTHER, hidden.id)
    assert [each.code for each in await reader.difficulties()] == ["easy", "medium", "hard"]


async def test_a_student_lists_the_visible_banks_of_what_they_are_enrolled_in(
    shelves: PostgresLibrary, reader: PostgresTaxonomyReader
) -> None:
    mine, hidden, foreign = [await make(shelves, NewBank(title=title)) for title in ("Mine", "Hidden", "Foreign")]
    await change(shelves, hidden, HIDE)
    for bank in (mine, hidden, foreign):
        await topic(shelves, bank)
    with shelves.cloned.administration() as connection:
        for package, banks, ended in (
            ("pkg_1", (mine, hidden), None),
            ("pkg_2", (foreign,), "now()"),
            ("pkg_3", (mine,), None),
            ("pkg_4", (), None),
        ):
            connection.execute(
                "insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)"
                " values (%(id)s, replace(%(id)s, '_', '-'), 'x', 'hidden', 50, now(), now())",
                {"id": package},
            )
            connection.execute(
                "insert into exam_package_tiers (id, exam_package_id, name, is_default)"
                " values ('tie_' || %(id)s, %(id)s, 'Standard', true)",
                {"id": package},
            )
            for bank in banks:
                connection.execute("insert into exam_package_banks values (%s, %s)", (package, bank.id))
            status = ("ended", "cancelled") if ended else ("active", None)
            connection.execute(
                "insert into enrollments (user_id, id, exam_package_id, tier_id, status, end_reason, started_at,"
                " ended_at) values (%s, %s, %s, %s, %s, %s, now(), case when %s then now() end)",
                (STUDENT.user_id, f"enr_{package}", package, f"tie_{package}", *status, ended is not None),
            )
    found = await reader.banks_of_student(STUDENT.user_id, after=None, limit=10)
    assert [view.id for view in found] == [mine.id]
    topics = await reader.topics_of_student(STUDENT.user_id, bank_id=None, after=None, limit=10)
    assert [each.question_bank_id for each in topics] == [mine.id]
    assert not await reader.topics_of_student(STUDENT.user_id, bank_id=hidden.id, after=None, limit=10)
    for package, seen in (("pkg_1", topics), ("pkg_2", ()), ("pkg_3", topics), ("pkg_4", ()), ("pkg_none", ())):
        found_there = await reader.topics_of_student(STUDENT.user_id, package_id=package, after=None, limit=10)
        assert (package, found_there) == (package, seen)
    both = {"bank_id": mine.id, "package_id": "pkg_1"}
    assert await reader.topics_of_student(STUDENT.user_id, **both, after=None, limit=10) == topics
    for other in ({"bank_id": hidden.id, "package_id": "pkg_1"}, {"bank_id": mine.id, "package_id": "pkg_4"}):
        assert not await reader.topics_of_student(STUDENT.user_id, **other, after=None, limit=10)
    assert not await reader.banks_of_student(STUDENT.user_id, after=mine.id, limit=10)
    assert not await reader.banks_of_student(OWNER.user_id, after=None, limit=10)


async def test_of_two_who_take_a_slug_at_once_one_gets_it(shelves: PostgresLibrary) -> None:
    outcomes = await asyncio.gather(*(make(shelves) for _ in range(8)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Bank"] + ["BankSlugTaken"] * 7
