"""A bank of questions with identifiers that can be counted, and the package that everybody is enrolled in."""

from __future__ import annotations

import psycopg

_PACKAGE = """
with bank as (
    insert into question_banks (id, slug, title, created_at, updated_at)
    values ('qbk_bench', 'bench', 'Bank', now(), now()) returning id
), topics as (
    insert into question_topics (id, question_bank_id, name, created_at, updated_at)
    select 'top_bench_' || n, bank.id, 'Topic ' || n, now(), now() from bank, generate_series(0, 11) n
), package as (
    insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
    values ('pkg_bench', 'bench', 'Practice', 'visible', 70, now(), now()) returning id
), tier as (
    insert into exam_package_tiers (id, exam_package_id, name, is_default)
    select 'tie_bench', id, 'Standard', true from package
)
insert into exam_package_banks (exam_package_id, question_bank_id) select package.id, bank.id from package, bank
"""
_QUESTIONS = """
insert into questions (id, question_bank_id, external_id, published_version, latest_version, latest_status, topic_id,
                       difficulty_id, created_at, updated_at)
select 'qst_bench_' || n, 'qbk_bench', 'bench-' || n, 1, 1, 'published', 'top_bench_' || n %% 12,
       (array['dif_easy', 'dif_medium', 'dif_hard'])[1 + n %% 3], now(), now()
  from generate_series(%(first)s::integer, %(last)s) n
"""
# About as long as those of certificates.
_VERSIONS = """
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, answer_key, topic_id,
                               difficulty_id, content_hash, created_at, updated_at)
select q.id, 1, 'published', 'single',
       'Question ' || n || ': a department gets its own network, and its hosts must reach the printer of their'
       || ' neighbours but not their files. Which of these does an administrator change first?', 'plain',
       (select jsonb_agg(jsonb_build_object(
                   'id', letter, 'format', 'plain',
                   'text', 'What device ' || n || letter || ' says to the others about its part of the network'))
          from unnest(array['A', 'B', 'C', 'D']) letter),
       jsonb_build_object(
           'correct', jsonb_build_array('A'), 'weights', null,
           'explanations', jsonb_build_object('A', jsonb_build_object(
               'text', 'Right: of all that is there only device ' || n || 'A knows of it.', 'format', 'plain')),
           'explanation', null),
       q.topic_id, q.difficulty_id, sha256(convert_to(q.id, 'UTF8')), now(), now()
  from generate_series(%(first)s::integer, %(last)s) n
  join questions q on q.id = 'qst_bench_' || n
"""
_COUNT = """
update question_banks set published_count = (select count(*) from questions where question_bank_id = 'qbk_bench')
 where id = 'qbk_bench'
"""


def add_package(connection: psycopg.Connection) -> None:
    """The package that everybody is enrolled in, with one bank that has no questions yet."""
    connection.execute(_PACKAGE)


def add_questions(connection: psycopg.Connection, first: int, last: int) -> None:
    """Published questions `qst_bench_<n>`."""
    for statement in (_QUESTIONS, _VERSIONS):
        connection.execute(statement, {"first": first, "last": last})
    connection.execute(_COUNT)
    connection.execute("vacuum analyze questions, question_versions")
