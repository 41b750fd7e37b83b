"""The rows that practice stands on, as statements for tests."""

from __future__ import annotations

PACKAGE = """
with package as (
    insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
    values (%(package_id)s, %(slug)s, %(slug)s, 'visible', 75, now(), now()) on conflict do nothing
), tier as (
    insert into exam_package_tiers (id, exam_package_id, name, is_default)
    values ('tie_' || %(slug)s::text, %(package_id)s, 'Standard', true) on conflict do nothing
), bank as (
    insert into question_banks (id, slug, title, created_at, updated_at)
    values (%(bank_id)s, %(slug)s, %(slug)s, now(), now()) on conflict do nothing
)
insert into exam_package_banks (exam_package_id, question_bank_id) values (%(package_id)s, %(bank_id)s)
on conflict do nothing
"""
TOPIC = """
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
values (%(id)s, %(bank_id)s, %(id)s, now(), now()) on conflict do nothing
"""
QUESTION = """
insert into questions (id, question_bank_id, external_id, published_version, latest_version, latest_status,
                       topic_id, difficulty_id, created_at, updated_at)
values (%(id)s, %(bank_id)s, %(id)s, 1, 1, 'published', %(topic_id)s, %(difficulty_id)s, now(), now())
"""
VERSION = """
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, prompts, answer_key,
                               topic_id, difficulty_id, points, shuffle, content_hash, created_at, updated_at)
values (%(id)s, 1, 'published', %(kind)s, %(stem)s, 'plain', %(choices)s, %(prompts)s, %(answer_key)s,
        %(topic_id)s, %(difficulty_id)s, %(points)s, %(shuffle)s, sha256('x'), now(), now())
"""
USER = """
insert into users (id, email, role, password_hash, created_at, updated_at)
values (%(user_id)s, %(user_id)s || '@example.org', 'student', 'x', now(), now()) on conflict do nothing
"""
ENROLLMENT = """
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at, expires_at)
values (%(user_id)s, %(id)s, %(package_id)s, 'tie_' || %(slug)s::text, 'active', %(at)s, %(expires_at)s)
"""
END = """
update enrollments set status = 'ended', ended_at = started_at, end_reason = 'cancelled'
 where user_id = %(user_id)s and exam_package_id = %(package_id)s and status = 'active'
"""
WEEK = """
update exam_package_tiers set weekly_practice_sessions = %(weekly)s where exam_package_id = %(package_id)s
"""
SETTINGS = """
update exam_packages set settings = %(settings)s::jsonb where id = %(package_id)s
"""
FLAG = """
insert into flagged_questions (user_id, question_id, flagged_at) values (%(user_id)s, %(question_id)s, %(at)s)
"""
WITHDRAW = """
update questions set published_version = null where id = %(question_id)s
"""
TEMPLATE = """
with template as (
    insert into practice_templates (id, exam_package_id, title, settings, latest_version, published_version,
                                    created_at, updated_at)
    values (%(template_id)s, %(exam_package_id)s, %(title)s, %(settings)s::jsonb, %(version)s, %(version)s,
            %(published_at)s, %(published_at)s)
    on conflict (id) do update set latest_version = %(version)s, published_version = %(version)s
    returning id
)
insert into practice_template_versions (template_id, version, title, description, settings, published_at)
select template.id, %(version)s, %(title)s, %(description)s, %(settings)s::jsonb, %(published_at)s from template
"""
