-- Moving an exam session. Only `graded_slots` reads keys, to grade with.

-- name: find_session
-- By the primary key.
select user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation, status, adjust_seconds,
       started_at, paused_at, paused_by_staff, paused_microseconds, sealed_at, seal_reason, sealed_by, seal_note, late,
       status_before_invalidation, invalidated_at, invalidated_by, invalidation_reason, grade_revision, mark, max_mark,
       certainty_mark, passed, graded_at, drift_told_at, furthest_slot, record_count, record_hash, last_seq,
       last_heartbeat_at
  from exam_sessions
 where user_id = %(user_id)s and id = %(session_id)s;

-- name: hold_session
-- The row that decides whose turn it is, and the time at which the turn came: read after the wait for the row, so that
-- nothing happens before what was waited for.
with held as materialized (
    select user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation, status, adjust_seconds,
           started_at, paused_at, paused_by_staff, paused_microseconds, sealed_at, seal_reason, sealed_by, seal_note, late,
           status_before_invalidation, invalidated_at, invalidated_by, invalidation_reason, grade_revision, mark, max_mark,
           certainty_mark, passed, graded_at, drift_told_at, furthest_slot, record_count, record_hash, last_seq,
           last_heartbeat_at
      from exam_sessions
     where user_id = %(user_id)s and id = %(session_id)s
       for no key update
)
select held.*, clock_timestamp() as now from held;

-- name: save_session
-- `deadline` and `due_at` are what the domain says of the session as it stands. A snapshot that is not given stays.
update exam_sessions
   set accommodation = %(accommodation)s, status = %(status)s, adjust_seconds = %(adjust_seconds)s,
       started_at = %(started_at)s, paused_at = %(paused_at)s, paused_by_staff = %(paused_by_staff)s,
       paused_microseconds = %(paused_microseconds)s, deadline = %(deadline)s, due_at = %(due_at)s,
       sealed_at = %(sealed_at)s, seal_reason = %(seal_reason)s, sealed_by = %(sealed_by)s, seal_note = %(seal_note)s,
       late = %(late)s, status_before_invalidation = %(status_before_invalidation)s,
       invalidated_at = %(invalidated_at)s, invalidated_by = %(invalidated_by)s,
       invalidation_reason = %(invalidation_reason)s, grade_revision = %(grade_revision)s, mark = %(mark)s,
       max_mark = %(max_mark)s, certainty_mark = %(certainty_mark)s, passed = %(passed)s, graded_at = %(graded_at)s,
       drift_told_at = %(drift_told_at)s, furthest_slot = %(furthest_slot)s, record_count = %(record_count)s,
       record_hash = %(record_hash)s, last_seq = %(last_seq)s, last_heartbeat_at = %(last_heartbeat_at)s,
       snapshot = coalesce(%(snapshot)s::jsonb, snapshot)
 where user_id = %(user_id)s and id = %(id)s;

-- name: hold_slots
-- One slot of a session that is held, or all. It is held too: of a row that is not, a statement that has waited for the
-- session would still see the old version. The keys of the questions are not read.
select t.user_id, t.session_id, t.slot, t.section, t.question_id, t.version, t.topic_id, t.choice_order, t.max_mark,
       t.response, t.revision, t.certainty, t.answered_at, t.flagged, t.mark, t.certainty_mark, t.correct, v.kind,
       jsonb_path_query_array(v.prompts, '$[*].id') as prompt_ids
  from exam_slots t
  join question_versions v on v.question_id = t.question_id and v.version = t.version
 where t.user_id = %(user_id)s and t.session_id = %(session_id)s
   and (%(slot)s::integer is null or t.slot = %(slot)s::integer)
 order by t.slot
   for no key update of t;

-- name: save_slots
-- What was answered, of as many slots of a session as there are, in one message.
update exam_slots t
   set response = a.response, revision = a.revision, certainty = a.certainty, answered_at = a.answered_at,
       flagged = a.flagged
  from jsonb_to_recordset(%(slots)s::jsonb)
       as a (slot integer, response jsonb, revision integer, certainty text, answered_at timestamptz, flagged boolean)
 where t.user_id = %(user_id)s and t.session_id = %(session_id)s and t.slot = a.slot;

-- name: add_entries
-- In one message, however many answers are handed in at once.
insert into exam_records (user_id, session_id, position, at, effective_at, hash, kind, source, actor_id, id, type,
                          client_event_id, client_at, slot, revision, autosave, content)
select * from unnest(%(user_id)s::text[], %(session_id)s::text[], %(position)s::integer[], %(at)s::timestamptz[],
                     %(effective_at)s::timestamptz[], %(hash)s::bytea[], %(kind)s::text[], %(source)s::text[],
                     %(actor_id)s::text[], %(id)s::text[], %(type)s::text[], %(client_event_id)s::text[],
                     %(client_at)s::timestamptz[], %(slot)s::integer[], %(revision)s::integer[],
                     %(autosave)s::boolean[], %(content)s::text[]);

-- name: find_event
-- By the unique index of the names that clients give their events.
select user_id, session_id, position, at, effective_at, hash, kind, source, actor_id, id, type, client_event_id,
       client_at, slot, revision, autosave, content
  from exam_records
 where user_id = %(user_id)s and session_id = %(session_id)s and client_event_id = %(client_event_id)s;

-- name: count_events
-- Those that the student's browser sent, by an index that holds no others (a move of the student names who moved); 60
-- are as many as anybody asks for.
select count(*) as count
  from (select from exam_records
         where user_id = %(user_id)s and session_id = %(session_id)s and kind = 'event' and source = 'student'
           and actor_id is null and at > %(since)s
         limit 60) recent;

-- name: graded_slots
-- All that a grade is made of, keys included.
select t.user_id, t.session_id, t.slot, t.section, t.question_id, t.version, t.topic_id, t.choice_order, t.max_mark,
       t.response, t.revision, t.certainty, t.answered_at, t.flagged, t.mark, t.certainty_mark, t.correct, v.kind,
       v.answer_key, jsonb_path_query_array(v.prompts, '$[*].id') as prompt_ids
  from exam_slots t
  join question_versions v on v.question_id = t.question_id and v.version = t.version
 where t.user_id = %(user_id)s and t.session_id = %(session_id)s
 order by t.slot;

-- name: voids
-- The oldest first: of two about the same question the later one decides.
select id, exam_package_id, question_id, version, mode, accepted, reason, created_at, created_by
  from exam_voids
 where exam_package_id = %(exam_package_id)s
 order by created_at, id;

-- name: add_grade
-- The revision stays as it is for good; the slots show the marks of the latest.
with marked as (
    update exam_slots t
       set mark = g.mark, certainty_mark = g.certainty_mark, correct = g.correct
      from jsonb_to_recordset(%(marks)s::jsonb)
           as g (slot integer, mark numeric, certainty_mark numeric, correct boolean)
     where t.user_id = %(user_id)s and t.session_id = %(session_id)s and t.slot = g.slot
)
insert into exam_grades (user_id, session_id, revision, mark, max_mark, certainty_mark, passed, marks, voids, mode,
                         reason, graded_at, graded_by)
values (%(user_id)s, %(session_id)s, %(revision)s, %(mark)s, %(max_mark)s, %(certainty_mark)s, %(passed)s,
        %(marks)s::jsonb, %(voids)s, %(mode)s, %(reason)s, %(graded_at)s, %(graded_by)s);

-- name: find_grade
-- By the primary key.
select user_id, session_id, revision, mark, max_mark, certainty_mark, passed, marks, voids, mode, reason, graded_at,
       graded_by
  from exam_grades
 where user_id = %(user_id)s and session_id = %(session_id)s and revision = %(revision)s;

-- name: mark_sitting
-- Read by the limits of sessions, which spare whoever sits an exam. What is right already is not written again.
update auth_sessions
   set sits_exam_until = %(until)s
 where user_id = %(user_id)s and id = %(auth_session_id)s and sits_exam_until is distinct from %(until)s;

-- name: move_sitting
-- The browsers in which the exam is sat, or every one that is signed in. Where another exam of the student is live, the
-- one that may last longer counts.
update auth_sessions a
   set sits_exam_until = case when exists (select from exam_sessions s
                                            where s.user_id = %(user_id)s and s.id <> %(session_id)s
                                              and s.status in ('created', 'active', 'paused', 'overdue'))
                              then greatest(a.sits_exam_until, %(until)s) else %(until)s end
 where a.user_id = %(user_id)s and a.revoked_at is null and (%(everywhere)s or a.sits_exam_until is not null);

-- name: unmark_sitting
-- Not while another exam of this student is live.
update auth_sessions
   set sits_exam_until = null
 where user_id = %(user_id)s and sits_exam_until is not null
   and not exists (select from exam_sessions s
                    where s.user_id = %(user_id)s and s.status in ('created', 'active', 'paused', 'overdue'));

-- name: judge_predictions
-- What was foretold before the session began comes to its result, or back to none when it does not count any more.
update readiness_predictions
   set exam_session_id = case when %(passed)s::boolean is null then null else %(session_id)s end,
       passed = %(passed)s::boolean
 where user_id = %(user_id)s and exam_package_id = %(exam_package_id)s and shown_at < %(began_at)s
   and (exam_session_id = %(session_id)s or (exam_session_id is null and %(passed)s::boolean is not null));
