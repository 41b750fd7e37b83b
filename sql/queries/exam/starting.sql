-- Beginning an exam. No key is read.

-- name: live_session
-- There is one at most, by a unique index. The time is read after the wait for it, and where there is none after the
-- wait for the student's own row: an attempt begins after the end of the one before.
with held as materialized (
    select user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation, status, adjust_seconds,
           started_at, paused_at, paused_by_staff, paused_microseconds, sealed_at, seal_reason, sealed_by, seal_note, late,
           status_before_invalidation, invalidated_at, invalidated_by, invalidation_reason, grade_revision, mark, max_mark,
           certainty_mark, passed, graded_at, drift_told_at, furthest_slot, record_count, record_hash, last_seq,
           last_heartbeat_at
      from exam_sessions
     where user_id = %(user_id)s and exam_package_id = %(exam_package_id)s
       and status in ('created', 'active', 'paused', 'overdue')
       for no key update
)
select held.*, clock_timestamp() as now from (values (1)) as once left join held on true;

-- name: hold_entitlement
-- The enrolment is held, so that it does not end while an exam begins by it.
select t.id as tier_id, t.weekly_exam_sessions as weekly_sessions, p.duration_seconds, p.pass_mark, p.settings,
       p.blueprint
  from enrollments e
  join exam_package_tiers t on t.id = e.tier_id
  join exam_packages p on p.id = e.exam_package_id
 where e.user_id = %(user_id)s and e.exam_package_id = %(exam_package_id)s
   and e.status = 'active' and (e.expires_at is null or e.expires_at > %(now)s)
   for no key update of e;

-- name: enrolled_packages
-- A student has few enrolments.
select exam_package_id
  from enrollments
 where user_id = %(user_id)s and status = 'active' and (expires_at is null or expires_at > %(now)s)
 order by exam_package_id;

-- name: attempts
-- By the index of attempts; the snapshots are not read.
select user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation, status, adjust_seconds,
       started_at, paused_at, paused_by_staff, paused_microseconds, sealed_at, seal_reason, sealed_by, seal_note, late,
       status_before_invalidation, invalidated_at, invalidated_by, invalidation_reason, grade_revision, mark, max_mark,
       certainty_mark, passed, graded_at, drift_told_at, furthest_slot, record_count, record_hash, last_seq,
       last_heartbeat_at
  from exam_sessions
 where user_id = %(user_id)s and exam_package_id = %(exam_package_id)s
 order by attempt_no;

-- name: nth_latest_start
-- As many index entries as a tier allows sessions.
select started_at
  from exam_sessions
 where user_id = %(user_id)s and exam_package_id = %(exam_package_id)s and started_at is not null
 order by started_at desc
offset %(nth)s - 1 limit 1;

-- name: accommodation_of
-- By the primary key.
select multiplier, extra_seconds from exam_accommodations where user_id = %(user_id)s;

-- name: questions
-- What a student may see of the paper, in its order.
select v.question_id, v.version, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.points as max_mark, v.shuffle
  from exam_slots t
  join question_versions v on v.question_id = t.question_id and v.version = t.version
 where t.user_id = %(user_id)s and t.session_id = %(session_id)s
 order by t.slot;

-- name: add_session
-- The session and its slots in one message.
with added as (
    insert into exam_sessions (user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation,
                               status, adjust_seconds, started_at, paused_at, paused_by_staff, paused_microseconds,
                               deadline, due_at, sealed_at, seal_reason, sealed_by, seal_note, late,
                               status_before_invalidation, invalidated_at, invalidated_by, invalidation_reason,
                               grade_revision, mark, max_mark, certainty_mark, passed, graded_at, drift_told_at,
                               furthest_slot, record_count, record_hash, last_seq, last_heartbeat_at)
    values (%(user_id)s, %(id)s, %(exam_package_id)s, %(tier_id)s, %(attempt_no)s, %(created_at)s, %(rules)s,
            %(accommodation)s, %(status)s, %(adjust_seconds)s, %(started_at)s, %(paused_at)s, %(paused_by_staff)s,
            %(paused_microseconds)s, %(deadline)s, %(due_at)s, %(sealed_at)s, %(seal_reason)s, %(sealed_by)s,
            %(seal_note)s, %(late)s, %(status_before_invalidation)s, %(invalidated_at)s, %(invalidated_by)s,
            %(invalidation_reason)s, %(grade_revision)s, %(mark)s, %(max_mark)s, %(certainty_mark)s, %(passed)s,
            %(graded_at)s, %(drift_told_at)s, %(furthest_slot)s, %(record_count)s, %(record_hash)s, %(last_seq)s,
            %(last_heartbeat_at)s)
    returning user_id, id
)
insert into exam_slots (user_id, session_id, slot, section, question_id, version, topic_id, choice_order, max_mark)
select added.user_id, added.id, s.slot, s.section, s.question_id, s.version, s.topic_id, s.choice_order, s.max_mark
  from added,
       jsonb_to_recordset(%(slots)s::jsonb)
           as s (slot integer, section integer, question_id text, version integer, topic_id text, choice_order text[],
                 max_mark numeric);
