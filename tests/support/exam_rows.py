"""The rows that exams stand on, as statements for tests."""

from __future__ import annotations

USER = """
insert into users (id, email, role, password_hash, created_at, updated_at)
values (%(user_id)s, %(user_id)s || '@example.org', %(role)s, 'x', now(), now()) on conflict do nothing
"""
SIGN_IN = """
insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at, idle_expires_at,
                           absolute_expires_at)
values (%(user_id)s, %(id)s, 'portal', %(role)s, %(at)s, %(at)s, %(at)s, %(until)s, %(until)s)
"""
PACKAGE = """
update exam_packages
   set settings = %(settings)s::jsonb, duration_seconds = %(duration_seconds)s, pass_mark = %(pass_mark)s,
       blueprint = %(blueprint)s::jsonb
 where id = %(package_id)s
"""
TIER = "update exam_package_tiers set weekly_exam_sessions = %(weekly)s where exam_package_id = %(package_id)s"
ACCOMMODATION = """
insert into exam_accommodations (user_id, multiplier, extra_seconds, reason, updated_at, updated_by)
values (%(user_id)s, %(multiplier)s, %(extra_seconds)s, 'a reason', now(), %(user_id)s)
"""
VOID = """
insert into exam_voids (id, exam_package_id, question_id, version, mode, accepted, reason, created_at, created_by)
values (%(id)s, %(exam_package_id)s, %(question_id)s, %(version)s, %(mode)s, %(accepted)s, %(reason)s, %(created_at)s,
        %(created_by)s)
"""
PREDICTION = """
insert into readiness_predictions (user_id, id, exam_package_id, shown_at, p_pass, expected, lowest, highest, need,
                                   questions, coverage)
values (%(user_id)s, %(id)s, %(exam_package_id)s, %(shown_at)s, %(p_pass)s, %(expected)s, %(lowest)s, %(highest)s,
        %(need)s, %(questions)s, %(coverage)s)
"""
