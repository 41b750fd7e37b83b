-- What students see of their exams while they sit them, and which exams time has ended. No key is read.

-- name: read_exam
-- One session with its last snapshot, as text, for it is only handed on.
select user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation, status, adjust_seconds,
       started_at, paused_at, paused_by_staff, paused_microseconds, sealed_at, seal_reason, sealed_by, seal_note, late,
       status_before_invalidation, invalidated_at, invalidated_by, invalidation_reason, grade_revision, mark, max_mark,
       certainty_mark, passed, graded_at, drift_told_at, furthest_slot, record_count, record_hash, last_seq,
       last_heartbeat_at, snapshot::text as snapshot, coalesce(%(now)s::timestamptz, clock_timestamp()) as now
  from exam_sessions
 where user_id = %(user_id)s and id = %(session_id)s;

-- name: list_exams
-- By the time they were made, because a client may have chosen the id. At most one student's sessions are looked at.
select user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation, status, adjust_seconds,
       started_at, paused_at, paused_by_staff, paused_microseconds, sealed_at, seal_reason, sealed_by, seal_note, late,
       status_before_invalidation, invalidated_at, invalidated_by, invalidation_reason, grade_revision, mark, max_mark,
       certainty_mark, passed, graded_at, drift_told_at, furthest_slot, record_count, record_hash, last_seq,
       last_heartbeat_at, coalesce(%(now)s::timestamptz, clock_timestamp()) as now
  from exam_sessions
 where user_id = %(user_id)s
   and (%(before_at)s::timestamptz is null
        or (created_at, id) < (%(before_at)s::timestamptz, %(before_id)s::text))
   and (%(exam_package_id)s::text is null or exam_package_id = %(exam_package_id)s::text)
   and (cardinality(%(statuses)s::text[]) = 0 or status = any(%(statuses)s::text[]))
 order by created_at desc, id desc
 limit %(limit)s;

-- name: read_paper
-- A session with its questions as they were frozen and the student's own answers; neither keys nor marks.
select s.user_id, s.id, s.exam_package_id, s.tier_id, s.attempt_no, s.created_at, s.rules, s.accommodation, s.status,
       s.adjust_seconds, s.started_at, s.paused_at, s.paused_by_staff, s.paused_microseconds, s.sealed_at,
       s.seal_reason, s.sealed_by, s.seal_note, s.late, s.status_before_invalidation, s.invalidated_at,
       s.invalidated_by, s.invalidation_reason, s.grade_revision, s.mark, s.max_mark, s.certainty_mark, s.passed,
       s.graded_at, s.drift_told_at, s.furthest_slot, s.record_count, s.record_hash, s.last_seq, s.last_heartbeat_at,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now,
       (select json_agg(json_build_object(
                   'user_id', t.user_id, 'session_id', t.session_id, 'slot', t.slot, 'section', t.section,
                   'question_id', t.question_id, 'version', t.version, 'kind', v.kind, 'stem', v.stem,
                   'stem_format', v.stem_format, 'choices', v.choices, 'prompts', v.prompts,
                   'choice_order', t.choice_order, 'max_mark', t.max_mark::text, 'response', t.response,
                   'revision', t.revision, 'certainty', t.certainty, 'answered_at', t.answered_at,
                   'flagged', t.flagged
               ) order by t.slot)
          from exam_slots t
          join question_versions v on v.question_id = t.question_id and v.version = t.version
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from exam_sessions s
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: due_exams
-- The index of what is live and can be due, read from its beginning. The time is asked for once, so that it can bound
-- the scan; what is ended leaves the index.
select due_at, user_id, id
  from exam_sessions
 where status in ('created', 'active', 'paused', 'overdue') and due_at is not null
   and due_at < (select coalesce(%(now)s::timestamptz, clock_timestamp()))
   and (due_at, user_id, id) > (%(due_at)s::timestamptz, %(user_id)s::text, %(id)s::text)
 order by due_at, user_id, id
 limit %(limit)s;

-- name: due_exams_of
-- Of one student, who has at most one live session in each package.
select due_at, user_id, id
  from exam_sessions
 where user_id = %(user_id)s and status in ('created', 'active', 'paused', 'overdue')
   and due_at < (select coalesce(%(now)s::timestamptz, clock_timestamp()))
 order by due_at, id;
