"""The schema goes forward only, once, whoever starts; and the application's role gets what it needs and no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from adapters.postgres.database import Database
from adapters.postgres.files import sql_folder
from adapters.postgres.health import production_faults, readiness
from adapters.postgres.migration_files import QUEUE_PREFIX, own_migrations, queue_migrations
from adapters.postgres.migrations import DatabaseNewer, MigrationEdited, Migrations, MigrationsPending, ServerTooOld
from adapters.system.embedded_postgres import ConnectionUrls
from domain.errors import StoreUnavailable
from tests.support.postgres import ClonedDatabase
from tests.support.server import RunningServer


@pytest.fixture
def fresh(test_server: RunningServer) -> Iterator[ConnectionUrls]:
    """A database as an installation finds it."""
    name = f"fresh_{uuid4().hex[:12]}"
    yield test_server.create_empty_database(name)
    test_server.drop_database(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations that a test may change."""
    for path in (sql_folder() / "migrations").glob("*.sql"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


def names(url: str) -> list[str]:
    with connected(url) as connection:
        return [name for (name,) in connection.execute("select name from schema_migrations order by applied_at, name")]


def test_up_applies_everything_once_and_check_is_content(fresh: ConnectionUrls) -> None:
    migrations = Migrations(fresh.owner)
    with pytest.raises(MigrationsPending, match="0001_access"):
        migrations.check()
    first, second = migrations.up(), migrations.up()
    assert set(first.applied) == migrations.names
    assert (first.notes, second.applied, second.notes) == ((), (), ())
    migrations.check()
    assert all(state.applied_at is not None for state in migrations.status())


def test_status_tells_what_is_pending_in_order(fresh: ConnectionUrls) -> None:
    status = Migrations(fresh.owner).status()
    assert [state.name for state in status] == [step.name for step in own_migrations() + queue_migrations()]
    assert not any(state.applied_at for state in status)


def test_a_migration_that_fails_leaves_those_before_it_and_nothing_of_itself(
    fresh: ConnectionUrls, folder: Path
) -> None:
    (folder / "9000_broken.sql").write_text("create table half (id int); select 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        Migrations(fresh.owner, folder).up()
    applied = names(fresh.owner)
    assert "0001_access" in applied
    assert "9000_broken" not in applied
    with connected(fresh.owner) as connection:
        assert connection.execute("select to_regclass('half')").fetchone() == (None,)


def test_an_edited_migration_is_refused_before_anything_happens(fresh: ConnectionUrls, folder: Path) -> None:
    Migrations(fresh.owner, folder).up()
    with (folder / "0001_access.sql").open("a") as file:
        file.write("-- a thought\n")
    (folder / "9000_more.sql").write_text("create table more (id int);")
    for attempt in (Migrations(fresh.owner, folder).up, Migrations(fresh.owner, folder).check):
        with pytest.raises(MigrationEdited, match="0001_access"):
            attempt()
    assert "9000_more" not in names(fresh.owner)


def test_ends_of_line_do_not_count_as_an_edit(fresh: ConnectionUrls, folder: Path) -> None:
    Migrations(fresh.owner, folder).up()
    for path in folder.glob("*.sql"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    Migrations(fresh.owner, folder).check()


def test_a_database_of_a_later_version_is_refused(fresh: ConnectionUrls, folder: Path) -> None:
    (folder / "9000_future.sql").write_text("create table future (id int);")
    Migrations(fresh.owner, folder).up()
    for attempt in (Migrations(fresh.owner).up, Migrations(fresh.owner).status):
        with pytest.raises(DatabaseNewer, match="9000_future"):
            attempt()


def test_starters_at_the_same_time_do_not_disturb_each_other(fresh: ConnectionUrls) -> None:
    applied: list[str] = []
    threads = [threading.Thread(target=lambda: applied.extend(Migrations(fresh.owner).up().applied)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == sorted(Migrations(fresh.owner).names)


def test_a_later_step_of_the_job_queue_is_applied_to_an_installed_one(fresh: ConnectionUrls) -> None:
    """As after an upgrade of the package: forget its last step, undo it, and see it applied alone."""
    migrations = Migrations(fresh.owner)
    migrations.up()
    last = queue_migrations()[-1].name
    with connected(fresh.owner) as connection:
        connection.execute("delete from schema_migrations where name = %s", [last])
    assert [state.name for state in migrations.status() if state.applied_at is None] == [last]
    assert migrations.up().applied == (last,)


_QUESTIONS_OF_0006 = """
insert into users (id, email, role, password_hash, created_at, updated_at)
values ('usr_ann', 'ann@example.org', 'admin', 'x', now(), now());
insert into question_banks (id, slug, title, visibility, created_at, updated_at)
values ('qbk_1', 'net', 'Net', 'visible', now(), now());
insert into questions (id, question_bank_id, external_id, author_id, published_version, latest_version, created_at,
                       updated_at)
values ('qst_1', 'qbk_1', 'Q1', 'usr_ann', 1, 2, now(), now()), ('qst_2', 'qbk_1', 'Q2', null, null, 1, now(), now());
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, answer_key, content_hash,
                               created_at)
select id, version, status, 'single', 'Why?', 'plain', '[]', '{}', sha256(''), now()
  from (values ('qst_1', 1, 'published'), ('qst_1', 2, 'in_review'), ('qst_2', 1, 'draft')) as v (id, version, status);
"""


def test_what_was_there_before_authoring_was_written_by_its_author(fresh: ConnectionUrls, folder: Path) -> None:
    """So that nobody approves after the upgrade what they have written before it."""
    later = [path for path in folder.glob("*.sql") if path.name > "0007"]
    for path in later:
        path.unlink()
    Migrations(fresh.owner, folder).up()
    with connected(fresh.owner) as connection:
        connection.execute(_QUESTIONS_OF_0006)
    assert {path.stem for path in later} == set(Migrations(fresh.owner).up().applied)
    with connected(fresh.owner) as connection:
        query = (
            "select question_id, version, rev, editors, updated_at = created_at from question_versions order by 1, 2"
        )
        assert connection.execute(query).fetchall() == [
            ("qst_1", 1, 1, ["usr_ann"], True),
            ("qst_1", 2, 1, ["usr_ann"], True),
            ("qst_2", 1, 1, [], True),
        ]
        query = "select latest_status from questions order by id"
        assert connection.execute(query).fetchall() == [("in_review",), ("draft",)]


def test_imports_of_before_belong_to_the_bank_of_their_name(fresh: ConnectionUrls, folder: Path) -> None:
    """So that whoever sees the bank reads their reports after the upgrade, and nobody else."""
    for path in folder.glob("*.sql"):
        if path.name > "0007":
            path.unlink()
    Migrations(fresh.owner, folder).up()
    with connected(fresh.owner) as connection:
        connection.execute(_QUESTIONS_OF_0006)
        connection.execute(
            "insert into question_imports (id, bank, file, format, mode, status, report, created_at)"
            " select 'imp_' || bank, bank, 'f', 'csv', 'dry_run', 'succeeded', '{}', now()"
            " from unnest('{net,none}'::text[]) bank"
        )
    Migrations(fresh.owner).up()
    with connected(fresh.owner) as connection:
        query = "select id, question_bank_id from question_imports order by id"
        assert connection.execute(query).fetchall() == [("imp_net", "qbk_1"), ("imp_none", None)]


_PRACTICE_OF_0011 = """
insert into users (id, email, role, password_hash, created_at, updated_at)
select u, u || '@example.org', 'student', '!', now(), now() from unnest('{usr_ada,usr_bob}'::text[]) u;
insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
values ('pkg_1', 'net', 'Net', 'visible', 70, now(), now());
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
values ('top_1', 'qbk_1', 'Routing', now(), now());
update question_versions set topic_id = 'top_1' where question_id = 'qst_1' and version = 1;
insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, answered_count,
                               started_at, finished_at, last_event_at)
select user_id, id, 'pkg_1', status, 'immediate', 2, 2, 2, at, case when status <> 'active' then at end, at
  from (values ('usr_ada', 'prs_1', 'active', timestamptz '2026-03-01 22:00Z'),
               ('usr_ada', 'prs_2', 'invalidated', '2026-03-04 22:00Z'),
               ('usr_bob', 'prs_3', 'active', '2026-03-01 22:00Z')) s (user_id, id, status, at);
insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order, max_mark, response, correct,
                            mark, answered_at)
select user_id, id, slot, 'qst_' || slot, 1, '{A,B}', 1, '{}', true, 1, started_at + slot * interval '90 minutes'
  from practice_sessions, generate_series(1, 2) slot where user_id = 'usr_ada';
"""


def test_what_was_answered_before_there_were_days_is_counted(fresh: ConnectionUrls, folder: Path) -> None:
    """Answers by their number and their days in UTC, and the topic of each; a void session gives days only."""
    texts = {path: path.read_text() for path in folder.glob("*.sql")}
    for before, rows in (("0007", _QUESTIONS_OF_0006), ("0012", _PRACTICE_OF_0011)):
        for path, text in texts.items():
            if path.name < before:
                path.write_text(text)
            else:
                path.unlink(missing_ok=True)
        Migrations(fresh.owner, folder).up()
        with connected(fresh.owner) as connection:
            connection.execute(rows)
    Migrations(fresh.owner).up()
    with connected(fresh.owner) as connection:
        query = "select user_id, questions_answered, last_day::text, credited_until from student_progress"
        assert connection.execute(query).fetchall() == [("usr_ada", 2, "2026-03-02", None)]
        query = "select day::text, source_id from study_days order by 1"
        assert connection.execute(query).fetchall() == [
            ("2026-03-01", "prs_1"),
            ("2026-03-02", "prs_1"),
            ("2026-03-04", "prs_2"),
            ("2026-03-05", "prs_2"),
        ]
        query = "select question_id, topic_id from practice_slots where session_id = 'prs_1' order by 1"
        assert connection.execute(query).fetchall() == [("qst_1", "top_1"), ("qst_2", None)]


def test_a_name_without_a_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "more.sql").write_text("select 1;")
    with pytest.raises(ValueError, match="NNNN_name"):
        own_migrations(tmp_path)


def test_a_number_may_be_used_once(tmp_path: Path) -> None:
    for name in ("0001_a.sql", "0001_b.sql"):
        (tmp_path / name).write_text("select 1;")
    with pytest.raises(ValueError, match="same number"):
        own_migrations(tmp_path)


def test_a_database_that_is_not_there_is_unavailability(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        Migrations(f"host={tmp_path} dbname=ace").check()


def test_an_old_server_is_refused_by_its_version(fresh: ConnectionUrls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.postgres.migrations._OLDEST_SERVER", 99)
    with pytest.raises(ServerTooOld, match="99 or later"):
        Migrations(fresh.owner).up()


def test_what_a_superuser_migrates_belongs_to_the_owner(test_server: RunningServer, fresh: ConnectionUrls) -> None:
    Migrations(ClonedDatabase(fresh, b"").superuser).up()
    with connected(fresh.owner) as connection:
        owners = connection.execute("select distinct tableowner from pg_tables where schemaname = 'public'").fetchall()
    assert owners == [("ace_owner",)]
    assert Migrations(fresh.owner).up().applied == ()


class TestApplicationRole:
    """What `ace_app` may do in a migrated database."""

    TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"

    def test_it_reads_and_writes_every_table_but_what_is_on_record(self, module_database: ClonedDatabase) -> None:
        on_record = ("audit_log", "exam_records", "exam_grades", "exam_voids", "exam_flags")
        expected = {table: {"select", "insert"} for table in on_record}
        expected["schema_migrations"] = {"select"}
        with connected(module_database.urls.app) as connection:
            for (table,) in connection.execute(self.TABLES).fetchall():
                rights = {"select", "insert", "update", "delete", "truncate", "references", "trigger"}
                query = "select has_table_privilege(%s, %s)"
                granted = {right for right in rights if connection.execute(query, [table, right]).fetchone() == (True,)}
                assert granted == expected.get(table, {"select", "insert", "update", "delete"}), table

    @pytest.mark.parametrize(
        "statement",
        [
            "update audit_log set action = 'nothing'",
            "delete from audit_log",
            "update exam_records set content = '{}'",
            "delete from exam_grades",
            "truncate audit_log",
            "truncate users cascade",
            "create temporary table t (id int)",
            "create table t (id int)",
            "drop table users",
            "alter table audit_log disable trigger all",
            "insert into schema_migrations (name, checksum) values ('x', 'y')",
            "set role ace_owner",
        ],
    )
    def test_it_may_not(self, module_database: ClonedDatabase, statement: str) -> None:
        with (
            connected(module_database.urls.app) as connection,
            pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidTableDefinition)),
        ):
            connection.execute(statement.encode())

    @pytest.mark.parametrize(
        ("setting", "value"),
        [("statement_timeout", "3s"), ("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "5s")],
    )
    def test_its_limits_come_with_the_role(self, module_database: ClonedDatabase, setting: str, value: str) -> None:
        with connected(module_database.urls.app) as connection:
            assert connection.execute(sql.SQL("show {}").format(sql.Identifier(setting))).fetchone() == (value,)


class TestForeignServer:
    """A server that somebody else runs, where our role may do little."""

    @pytest.fixture
    def tenant(self, test_server: RunningServer, fresh: ConnectionUrls) -> Iterator[str]:
        """The address of a plain role that owns the database and nothing else."""
        role, database = f"tenant_{uuid4().hex[:8]}", ClonedDatabase(fresh, b"")
        with database.administration() as connection:
            connection.execute(f"create role {role} login".encode())
            connection.execute(f"alter database {fresh.database} owner to {role}".encode())
            connection.execute("alter schema public owner to pg_database_owner")
        yield fresh.app.replace("ace_app@", f"{role}@")
        test_server.drop_database(fresh.database)
        with connected(test_server.urls.superuser) as connection:
            connection.execute(f"drop role {role}".encode())

    def test_a_plain_owner_migrates_with_what_exists(self, tenant: str) -> None:
        upgrade = Migrations(tenant).up()
        assert any(name.startswith(QUEUE_PREFIX) for name in upgrade.applied)
        Migrations(tenant).check()

    def test_missing_roles_are_asked_for_in_words_that_an_administrator_can_use(
        self, tenant: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.postgres.roles.APP", "app_not_there")
        (note,) = Migrations(tenant).up().notes
        assert "create role app_not_there" in note
        Migrations(tenant).check()

    async def test_it_is_no_place_for_production(self, tenant: str) -> None:
        Migrations(tenant).up()
        database = Database(tenant, pool_min=1, pool_max=1)
        await database.open()
        faults = " ".join(await production_faults(database))
        await database.close()
        assert "statement_timeout" in faults
        assert "audit log" in faults


async def test_production_faults_name_each_thing_that_is_wrong(cloned: ClonedDatabase) -> None:
    """The test server is forgetful on purpose, and here the superuser connects, who overrides the rest."""
    database = Database(cloned.superuser, pool_min=1, pool_max=1)
    with cloned.administration() as connection:
        connection.execute(f'alter database "{cloned.urls.database}" set synchronous_commit = off'.encode())
        connection.execute("delete from schema_migrations where name = '0004_practice'")
    await database.open()
    faults = " ".join(await production_faults(database))
    ready = await readiness(database)
    with cloned.administration() as connection:
        connection.execute("insert into schema_migrations (name, checksum) values ('9000_future', 'x')")
    later = await production_faults(database)
    with cloned.administration() as connection:
        connection.execute("delete from schema_migrations where name = '9000_future'")
    await database.close()
    with cloned.administration() as connection:
        connection.execute(f'alter database "{cloned.urls.database}" reset synchronous_commit'.encode())
        connection.execute(
            "insert into schema_migrations (name, checksum) values ('0004_practice', %s)",
            [next(step.checksum for step in own_migrations() if step.name == "0004_practice")],
        )
    for word in (
        "superuser",
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "audit log",
        "1 migrations are pending",
    ):
        assert word in faults
    assert any("a later version" in fault for fault in later)
    assert (ready.ready, ready.pending_migrations) == (False, ("0004_practice",))


async def test_a_migrated_database_is_ready(database: Database) -> None:
    ready = await readiness(database)
    assert ready.ready
    assert ready.pool["pool_max"] == 4


async def test_a_database_before_its_first_migration_answers_but_is_not_ready(fresh: ConnectionUrls) -> None:
    database = Database(fresh.app, pool_min=1, pool_max=1)
    await database.open()
    ready = await readiness(database)
    await database.close()
    assert (ready.answers, ready.ready) == (True, False)
    assert "0001_access" in ready.pending_migrations
