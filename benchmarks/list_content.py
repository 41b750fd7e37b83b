"""Questions by the million for lists, made by the server itself: uneven banks, topics, authors and words.

One bank has most of them. Words are as frequent as in a language (Zipf's law). The word `legacy` stands in each of the
older half and nowhere else, `topical` with a letter in each question of one topic of the large bank and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from adapters.postgres.statements import load

INDEXING = load("question_bank/indexing")
TOPICS: Final = 60
BANKS: Final = 40
AUTHORS: Final = 200
LARGE_BANK: Final = "qbk_00"
STUDENT: Final = "usr_001"
_WORDS: Final = 20_000
_LETTERS: Final = "abdegklmnr"
_INDEXED_AT_ONCE: Final = 20_000

_PEOPLE = """
insert into users (id, email, role, status, email_verified_at, password_hash, created_at, updated_at)
select 'usr_' || lpad(n::text, 3, '0'), 'author' || n || '@lists.example',
       case n when 0 then 'admin' when 1 then 'student' else 'instructor' end, 'active', now(), 'x', now(), now()
  from generate_series(0, %(authors)s - 1) n
"""
# One in eight is hidden: the second belongs to an author, the others to the school.
_BANKS = """
insert into question_banks (id, slug, title, language, visibility, owner_id, created_at, updated_at)
select 'qbk_' || lpad(n::text, 2, '0'), 'bank-' || n, 'Bank ' || n,
       case n %% 10 when 8 then 'german' when 9 then 'french' else 'english' end,
       case n %% 8 when 1 then 'hidden' else 'visible' end, case n when 1 then 'usr_003' end, now(), now()
  from generate_series(0, %(banks)s - 1) n
"""
_TOPICS = """
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
select 'top_' || right(b.id, 2) || '_' || lpad(n::text, 2, '0'), b.id, 'Topic ' || n, now(), now()
  from question_banks b, generate_series(0, case when b.id = %(large)s then %(topics)s else 5 end - 1) n
"""
_PACKAGE = """
with package as (
    insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
    values ('pkg_lists', 'lists', 'Lists', 'visible', 70, now(), now()) returning id
), tier as (
    insert into exam_package_tiers (id, exam_package_id, name, is_default)
    select 'tie_lists', id, 'Standard', true from package returning id
), enrolled as (
    insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)
    select 'usr_001', 'enr_lists', package.id, tier.id, 'active', now() from package, tier
)
insert into exam_package_banks (exam_package_id, question_bank_id)
select package.id, b.id from package, question_banks b where b.id < 'qbk_06'
"""
# `r` draws a bank, `s` how the question stands, `d` how hard it is; the newest percent stays in the last bank.
_QUESTIONS = """
insert into questions (id, question_bank_id, external_id, author_id, published_version, latest_version, latest_status,
                       topic_id, difficulty_id, created_at, updated_at)
select 'qst_' || lpad(to_hex(n), 26, '0'), bank, 'ext-' || n,
       case when random() < 0.9
            then 'usr_' || lpad((2 + floor((%(authors)s - 2) * power(random(), 3)))::text, 3, '0') end,
       case when s < 0.915 then 1 end, case when s between 0.9 and 0.915 then 2 else 1 end,
       case when s < 0.9 then 'published' when s < 0.965 then 'draft' when s < 0.995 then 'archived'
            when s < 0.999 then 'in_review' else 'changes_requested' end,
       'top_' || right(bank, 2) || '_' || lpad(floor(case when bank = %(large)s then %(topics)s else 5 end
                                                     * power(random(), 2))::text, 2, '0'),
       case when d < 0.5 then 'dif_medium' when d < 0.85 then 'dif_easy' when d < 0.98 then 'dif_hard' end,
       now(), now()
  from (select n, random() as s, random() as d,
               'qbk_' || case when n > %(count)s * 0.99 then lpad((%(banks)s - 1)::text, 2, '0')
                              when random() < 0.85 then '00'
                              else lpad((1 + floor((%(banks)s - 1) * power(random(), 2)))::text, 2, '0') end as bank
          from generate_series(1, %(count)s) n) drawn
"""
# A word is its rank in letters.
_VERSIONS = """
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, answer_key, topic_id,
                               difficulty_id, tags, content_hash, created_at, updated_at)
select q.id, v, case when v = q.published_version then 'published' else q.latest_status end,
       case when k < 0.9 then 'single' when k < 0.98 then 'multiple' when k < 0.9999 then 'true_false'
            else 'ordering' end,
       t.words || case when q.topic_id like 'top_00_%%' then ' topical' || translate(right(q.topic_id, 2), %(digits)s)
                       else '' end || case when n * 2 < %(count)s then ' legacy' else '' end,
       'plain',
       jsonb_build_array(jsonb_build_object('id', 'A', 'text', c.words, 'format', 'plain'),
                         jsonb_build_object('id', 'B', 'text', reverse(c.words), 'format', 'plain')),
       '{"correct": ["A"], "weights": null, "explanations": {}, "explanation": null}', q.topic_id, q.difficulty_id,
       case when n %% 10 = 0 then array['revised'] else '{}' end, sha256(convert_to(q.id, 'UTF8')), now(), now()
  from (select *, substring(external_id, 5)::int as n, random() as k from questions) q
 cross join lateral generate_series(1, q.latest_version) v
 cross join lateral (
       select string_agg('qu' || translate(floor(exp(random() * ln(%(words)s)))::text, %(digits)s), ' ') as words
         from generate_series(1, 14 + n %% 8)) t
 cross join lateral (
       select string_agg('qu' || translate(floor(exp(random() * ln(%(words)s)))::text, %(digits)s), ' ') as words
         from generate_series(1, 16 + n %% 8)) c
"""
_COUNTS = """
update question_banks b set published_count =
    (select count(*) from questions q where q.question_bank_id = b.id and q.published_version is not null)
"""
_INDEXES = """
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
  from pg_index where indrelid = %(table)s::regclass and not indisprimary
"""


def word(rank: int) -> str:
    """The word that is the `rank`-th in frequency, from 1."""
    return "qu" + str(rank).translate(str.maketrans("0123456789", _LETTERS))


def fill(connection: psycopg.Connection, count: int) -> None:
    """`count` questions and all they need, not yet searchable. For a superuser: foreign keys are not checked."""
    params = {
        "count": count,
        "authors": AUTHORS,
        "banks": BANKS,
        "topics": TOPICS,
        "large": LARGE_BANK,
        "words": _WORDS,
    }
    connection.execute("set session_replication_role = replica; set synchronous_commit = off; set work_mem = '64MB'")
    for statement in (_PEOPLE, _BANKS, _TOPICS, _PACKAGE):
        connection.execute(_spelled(statement), params)
    with _without_indexes(connection, "questions"):
        connection.execute(_spelled(_QUESTIONS), params)
    with _without_indexes(connection, "question_versions"):
        connection.execute(_spelled(_VERSIONS), params)
    connection.execute(_COUNTS)


def _spelled(statement: LiteralString) -> LiteralString:
    """`translate` takes the digits and what they become."""
    return statement.replace("%(digits)s", f"'0123456789', '{_LETTERS}'")


def make_searchable(connection: psycopg.Connection, count: int) -> None:
    """With the product's own statement; the index of words is made afterwards, which is faster."""
    with _without_indexes(connection, "question_search"):
        for start in range(1, count + 1, _INDEXED_AT_ONCE):
            numbers = range(start, min(start + _INDEXED_AT_ONCE, count + 1))
            connection.execute(INDEXING["index_questions"], {"question_ids": [question_id(n) for n in numbers]})


def question_id(number: int) -> str:
    """The identifier of the question made as `number`, from 1."""
    return f"qst_{number:026x}"


@contextmanager
def _without_indexes(connection: psycopg.Connection, table: LiteralString) -> Iterator[None]:
    """Indexes are made in one go where that is faster than row by row."""
    found = connection.execute(_INDEXES, {"table": table}).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier(name)))
    yield
    connection.execute("set maintenance_work_mem = '512MB'")
    for _, definition in found:
        connection.execute(definition.encode())
    connection.execute(sql.SQL("vacuum analyze {}").format(sql.Identifier(table)))
