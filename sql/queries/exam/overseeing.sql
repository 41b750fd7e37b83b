-- Overseeing exams. No text of a question and no key is read here.

-- name: show_sessions
-- What lists show of the sessions that one of the next three statements finds.
select s.user_id, s.id, s.exam_package_id, s.tier_id, s.attempt_no, s.created_at, s.rules, s.accommodation, s.status,
       s.adjust_seconds, s.started_at, s.paused_at, s.paused_by_staff, s.paused_microseconds, s.sealed_at,
       s.seal_reason, s.sealed_by, s.seal_note, s.late, s.status_before_invalidation, s.invalidated_at,
       s.invalidated_by, s.invalidation_reason, s.grade_revision, s.mark, s.max_mark, s.certainty_mark, s.passed,
       s.graded_at, s.drift_told_at, s.furthest_slot, s.record_count, s.record_hash, s.last_seq, s.last_heartbeat_at,
       u.name as user_name, u.email as user_email,
       (select count(*) from exam_flags f
         where f.user_id = s.user_id and f.session_id = s.id and f.resolves is null
           and not exists (select from exam_flags r
                            where r.user_id = f.user_id and r.session_id = f.session_id and r.resolves = f.id)
       ) as open_flags, clock.now
  from exam_sessions s
  join users u on u.id = s.user_id
 cross join (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock;

-- name: newest_sessions
-- A page of each status that is wanted, and of these the newest: as many index entries as a page has, however many
-- sessions there are. Planned with its values, so that conditions without one fall away.
select e.user_id, e.id
  from unnest(%(statuses)s::text[]) wanted (status)
 cross join lateral (
       select e.user_id, e.id, e.created_at from exam_sessions e
        where e.status = wanted.status
          and (%(exam_package_id)s::text is null or e.exam_package_id = %(exam_package_id)s)
          and (%(since)s::timestamptz is null or e.created_at >= %(since)s)
          and (%(until)s::timestamptz is null or e.created_at < %(until)s)
          and (%(after_at)s::timestamptz is null
               or (e.created_at, e.user_id, e.id) < (%(after_at)s, %(after_user)s, %(after_id)s))
          and (%(silent_beyond)s::interval is null
               or coalesce(%(now)s::timestamptz, clock_timestamp()) - greatest(e.started_at, e.last_heartbeat_at)
                  > %(silent_beyond)s)
          and (%(silent_within)s::interval is null
               or coalesce(%(now)s::timestamptz, clock_timestamp()) - greatest(e.started_at, e.last_heartbeat_at)
                  <= %(silent_within)s)
          and (%(flagged)s::boolean is null
               or not exists (select from exam_flags f
                               where f.user_id = e.user_id and f.session_id = e.id and f.resolves is null
                                 and not exists (select from exam_flags r
                                                  where r.user_id = f.user_id and r.session_id = f.session_id
                                                    and r.resolves = f.id)))
        order by e.created_at desc, e.user_id desc, e.id desc
        limit %(limit)s
  ) e
 order by e.created_at desc, e.user_id desc, e.id desc
 limit %(limit)s;

-- name: sessions_of_student
-- Those are few, and looked up before they are put in order.
select e.user_id, e.id
  from exam_sessions e
 where e.user_id = %(user_id)s and e.status = any(%(statuses)s::text[])
   and (%(exam_package_id)s::text is null or e.exam_package_id = %(exam_package_id)s)
   and (%(since)s::timestamptz is null or e.created_at >= %(since)s)
   and (%(until)s::timestamptz is null or e.created_at < %(until)s)
   and (%(after_at)s::timestamptz is null
        or (e.created_at, e.user_id, e.id) < (%(after_at)s, %(after_user)s, %(after_id)s))
   and (%(silent_beyond)s::interval is null
        or coalesce(%(now)s::timestamptz, clock_timestamp()) - greatest(e.started_at, e.last_heartbeat_at)
           > %(silent_beyond)s)
   and (%(silent_within)s::interval is null
        or coalesce(%(now)s::timestamptz, clock_timestamp()) - greatest(e.started_at, e.last_heartbeat_at)
           <= %(silent_within)s)
   and (%(flagged)s::boolean is null
        or %(flagged)s = exists (select from exam_flags f
                                  where f.user_id = e.user_id and f.session_id = e.id and f.resolves is null
                                    and not exists (select from exam_flags r
                                                     where r.user_id = f.user_id and r.session_id = f.session_id
                                                       and r.resolves = f.id)))
 order by e.created_at desc, e.user_id desc, e.id desc
 limit %(limit)s;

-- name: flagged_sessions
-- Beginning with the flags that are open, which are fewer than sessions.
select e.user_id, e.id
  from (select distinct f.user_id, f.session_id
          from exam_flags f
         where f.resolves is null
           and not exists (select from exam_flags r
                            where r.user_id = f.user_id and r.session_id = f.session_id and r.resolves = f.id)) f
  join exam_sessions e on e.user_id = f.user_id and e.id = f.session_id
 where e.status = any(%(statuses)s::text[])
   and (%(exam_package_id)s::text is null or e.exam_package_id = %(exam_package_id)s)
   and (%(since)s::timestamptz is null or e.created_at >= %(since)s)
   and (%(until)s::timestamptz is null or e.created_at < %(until)s)
   and (%(after_at)s::timestamptz is null
        or (e.created_at, e.user_id, e.id) < (%(after_at)s, %(after_user)s, %(after_id)s))
   and (%(silent_beyond)s::interval is null
        or coalesce(%(now)s::timestamptz, clock_timestamp()) - greatest(e.started_at, e.last_heartbeat_at)
           > %(silent_beyond)s)
   and (%(silent_within)s::interval is null
        or coalesce(%(now)s::timestamptz, clock_timestamp()) - greatest(e.started_at, e.last_heartbeat_at)
           <= %(silent_within)s)
 order by e.created_at desc, e.user_id desc, e.id desc
 limit %(limit)s;

-- name: oversee_session
-- A session with all that is kept of it but the texts, in one round trip. Its record is read for nothing but a count.
select s.user_id, s.id, s.exam_package_id, s.tier_id, s.attempt_no, s.created_at, s.rules, s.accommodation, s.status,
       s.adjust_seconds, s.started_at, s.paused_at, s.paused_by_staff, s.paused_microseconds, s.sealed_at,
       s.seal_reason, s.sealed_by, s.seal_note, s.late, s.status_before_invalidation, s.invalidated_at,
       s.invalidated_by, s.invalidation_reason, s.grade_revision, s.mark, s.max_mark, s.certainty_mark, s.passed,
       s.graded_at, s.drift_told_at, s.furthest_slot, s.record_count, s.record_hash, s.last_seq, s.last_heartbeat_at,
       s.snapshot::text as snapshot, u.name as user_name, u.email as user_email, clock.now,
       (select jsonb_agg(jsonb_build_object(
                   'slot', t.slot, 'section', t.section, 'question_id', t.question_id, 'version', t.version,
                   'topic_id', t.topic_id, 'max_mark', t.max_mark::text, 'response', t.response,
                   'revision', t.revision, 'certainty', t.certainty, 'answered_at', t.answered_at,
                   'flagged', t.flagged, 'correct', t.correct, 'mark', t.mark::text,
                   'certainty_mark', t.certainty_mark::text
               ) order by t.slot)
          from exam_slots t
         where t.user_id = s.user_id and t.session_id = s.id) as slots,
       (select jsonb_agg(jsonb_build_object(
                   'revision', g.revision, 'mark', g.mark::text, 'max_mark', g.max_mark::text,
                   'certainty_mark', g.certainty_mark::text, 'passed', g.passed, 'mode', g.mode, 'voids', g.voids,
                   'reason', g.reason, 'graded_at', g.graded_at, 'graded_by', g.graded_by
               ) order by g.revision)
          from exam_grades g
         where g.user_id = s.user_id and g.session_id = s.id) as grades,
       (select jsonb_agg(jsonb_build_object(
                   'user_id', f.user_id, 'session_id', f.session_id, 'id', f.id, 'type', f.type, 'note', f.note,
                   'resolves', f.resolves, 'created_at', f.created_at, 'created_by', f.created_by
               ) order by f.created_at, f.id)
          from exam_flags f
         where f.user_id = s.user_id and f.session_id = s.id) as flags,
       (select jsonb_object_agg(c.type, c.events)
          from (select r.type, count(*) as events
                  from exam_records r
                 where r.user_id = s.user_id and r.session_id = s.id and r.kind = 'event'
                 group by r.type) c) as events
  from exam_sessions s
  join users u on u.id = s.user_id
 cross join (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: has_session
select exists (select from exam_sessions where user_id = %(user_id)s and id = %(session_id)s) as found;

-- name: list_events
-- The record of one session read backwards, which is its primary key.
select position, id, type, source, actor_id, at, effective_at, client_event_id, client_at, content
  from exam_records
 where user_id = %(user_id)s and session_id = %(session_id)s and kind = 'event'
   and (%(before)s::integer is null or position < %(before)s)
   and (%(type)s::text is null or type = %(type)s)
 order by position desc
 limit %(limit)s;

-- name: list_answers
-- The record of one session from its beginning.
select position, slot, revision, autosave, at, effective_at, content
  from exam_records
 where user_id = %(user_id)s and session_id = %(session_id)s and kind = 'answer'
   and position > %(after)s and (%(slot)s::integer is null or slot = %(slot)s)
 order by position
 limit %(limit)s;

-- name: noted_sessions
-- Each by the unique index of the names that clients give their events.
select s.user_id, s.id, s.exam_package_id, s.tier_id, s.attempt_no, s.created_at, s.rules, s.accommodation, s.status,
       s.adjust_seconds, s.started_at, s.paused_at, s.paused_by_staff, s.paused_microseconds, s.sealed_at,
       s.seal_reason, s.sealed_by, s.seal_note, s.late, s.status_before_invalidation, s.invalidated_at,
       s.invalidated_by, s.invalidation_reason, s.grade_revision, s.mark, s.max_mark, s.certainty_mark, s.passed,
       s.graded_at, s.drift_told_at, s.furthest_slot, s.record_count, s.record_hash, s.last_seq, s.last_heartbeat_at,
       r.content, coalesce(%(now)s::timestamptz, clock_timestamp()) as now
  from unnest(%(user_ids)s::text[], %(session_ids)s::text[]) wanted (user_id, id)
  join exam_records r on r.user_id = wanted.user_id and r.session_id = wanted.id
                     and r.client_event_id = %(client_event_id)s
  join exam_sessions s on s.user_id = wanted.user_id and s.id = wanted.id;

-- name: live_without
-- Whoever repeats an adjustment goes on with those that do not have it yet. Some cannot have it: the place of the last
-- one leads behind them.
select e.user_id, e.id, e.exam_package_id, e.tier_id, e.attempt_no, e.created_at, e.rules, e.accommodation, e.status,
       e.adjust_seconds, e.started_at, e.paused_at, e.paused_by_staff, e.paused_microseconds, e.sealed_at,
       e.seal_reason, e.sealed_by, e.seal_note, e.late, e.status_before_invalidation, e.invalidated_at,
       e.invalidated_by, e.invalidation_reason, e.grade_revision, e.mark, e.max_mark, e.certainty_mark, e.passed,
       e.graded_at, e.drift_told_at, e.furthest_slot, e.record_count, e.record_hash, e.last_seq, e.last_heartbeat_at,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now
  from exam_sessions e
 where e.exam_package_id = %(exam_package_id)s and e.status in ('created', 'active', 'paused', 'overdue')
   and (%(after_user_id)s::text is null or (e.user_id, e.id) > (%(after_user_id)s, %(after_id)s))
   and not exists (select from exam_records r
                    where r.user_id = e.user_id and r.session_id = e.id and r.client_event_id = %(client_event_id)s)
 order by e.user_id, e.id
 limit %(limit)s;

-- name: is_package
-- Hidden ones too.
select exists (select from exam_packages where id = %(exam_package_id)s) as found;

-- name: has_live_session
-- By the index that lets no two of them be.
select exists (
    select from exam_sessions
     where user_id = %(user_id)s and exam_package_id = %(exam_package_id)s
       and status in ('created', 'active', 'paused', 'overdue')
) as found;

-- name: hold_live_sessions
-- In one order, like everything that is held; the time is read after the wait for each.
with held as materialized (
    select user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, accommodation, status, adjust_seconds,
           started_at, paused_at, paused_by_staff, paused_microseconds, sealed_at, seal_reason, sealed_by, seal_note, late,
           status_before_invalidation, invalidated_at, invalidated_by, invalidation_reason, grade_revision, mark, max_mark,
           certainty_mark, passed, graded_at, drift_told_at, furthest_slot, record_count, record_hash, last_seq,
           last_heartbeat_at
      from exam_sessions
     where user_id = %(user_id)s and status in ('created', 'active', 'paused', 'overdue')
     order by id
       for no key update
)
select held.*, clock_timestamp() as now from held;

-- name: add_flag
insert into exam_flags (user_id, session_id, id, type, note, resolves, created_at, created_by)
values (%(user_id)s, %(session_id)s, %(id)s, %(type)s, %(note)s, %(resolves)s, %(created_at)s, %(created_by)s);

-- name: flags
select user_id, session_id, id, type, note, resolves, created_at, created_by
  from exam_flags
 where user_id = %(user_id)s and session_id = %(session_id)s
 order by created_at, id;

-- name: is_student
select exists (select from users where id = %(user_id)s and role = 'student' and deleted_at is null) as found;

-- name: granted
select user_id, multiplier, extra_seconds, reason, updated_at, updated_by
  from exam_accommodations
 where user_id = %(user_id)s;

-- name: grant
insert into exam_accommodations (user_id, multiplier, extra_seconds, reason, updated_at, updated_by)
values (%(user_id)s, %(multiplier)s, %(extra_seconds)s, %(reason)s, %(updated_at)s, %(updated_by)s)
    on conflict (user_id) do update
   set multiplier = excluded.multiplier, extra_seconds = excluded.extra_seconds, reason = excluded.reason,
       updated_at = excluded.updated_at, updated_by = excluded.updated_by;
