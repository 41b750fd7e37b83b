-- What credits a student: days, counters, badges.

-- name: hold_progress
-- Whatever credits the student takes turns here, before it holds anything else.
select user_id, bio, time_zone, day_start_hour, time_zone_changed_at, questions_answered, exams_finished, exams_passed,
       perfect_exams, last_day, credited_from, credited_until, last_activity_at, version
  from student_progress
 where user_id = %(user_id)s
   for no key update

-- name: make_progress
-- The first to credit a student makes the row; of several at once one does, and the others find it.
insert into student_progress (user_id) values (%(user_id)s) on conflict do nothing

-- name: save_progress
-- The row is held.
update student_progress
   set bio = %(bio)s, time_zone = %(time_zone)s, day_start_hour = %(day_start_hour)s,
       time_zone_changed_at = %(time_zone_changed_at)s, questions_answered = %(questions_answered)s,
       exams_finished = %(exams_finished)s, exams_passed = %(exams_passed)s, perfect_exams = %(perfect_exams)s,
       last_day = %(last_day)s, credited_from = %(credited_from)s, credited_until = %(credited_until)s,
       last_activity_at = %(last_activity_at)s, version = %(version)s
 where user_id = %(user_id)s

-- name: add_study_day
-- A day that is credited already keeps what it was credited for.
insert into study_days (user_id, day, credited_at, kind, source_id)
values (%(user_id)s, %(day)s, %(credited_at)s, %(kind)s, %(source_id)s)
on conflict do nothing

-- name: study_days
select coalesce(array_agg(day order by day), '{}') as days from study_days where user_id = %(user_id)s

-- name: badges
select user_id, code, version, metric, value, source_id, awarded_at, revoked_at
  from student_badges
 where user_id = %(user_id)s
 order by code

-- name: save_badge
-- Awarded for the first time, revoked, or awarded again.
insert into student_badges (user_id, code, version, metric, value, source_id, awarded_at, revoked_at)
values (%(user_id)s, %(code)s, %(version)s, %(metric)s, %(value)s, %(source_id)s, %(awarded_at)s, %(revoked_at)s)
on conflict (user_id, code) do update
   set version = excluded.version, metric = excluded.metric, value = excluded.value, source_id = excluded.source_id,
       awarded_at = excluded.awarded_at, revoked_at = excluded.revoked_at
