-- Moving a practice session. Only `hold_slot` reads a key, to mark an answer.

-- name: hold_admission
-- Held, so that the sessions of a student in a package begin one after the other and are counted exactly.
select t.weekly_practice_sessions as weekly_sessions, coalesce(p.settings -> 'scoring', '{}') as policy
  from enrollments e
  join exam_package_tiers t on t.id = e.tier_id
  join exam_packages p on p.id = e.exam_package_id
 where e.user_id = %(user_id)s and e.exam_package_id = %(exam_package_id)s
   and e.status = 'active' and (e.expires_at is null or e.expires_at > %(now)s)
   for no key update of e;

-- name: holds_enrollment
select exists (
    select from enrollments e
     where e.user_id = %(user_id)s and e.exam_package_id = %(exam_package_id)s
       and e.status = 'active' and (e.expires_at is null or e.expires_at > %(now)s)
) as held;

-- name: is_under_exam
-- One entry of an index where no exam of the student is under way.
select exists (
    select from practice_under_exam
     where user_id = %(user_id)s and session_id = %(session_id)s and (live_until is null or live_until >= %(now)s)
) as under_exam;

-- name: nth_latest_start
-- As many index entries as a tier allows sessions.
select started_at
  from practice_sessions
 where user_id = %(user_id)s and exam_package_id = %(exam_package_id)s
 order by started_at desc
offset %(nth)s - 1 limit 1;

-- name: find_untouched
-- At most one student's sessions in one package are looked at.
select id
  from practice_sessions
 where user_id = %(user_id)s and exam_package_id = %(exam_package_id)s and status = 'active' and answered_count = 0
   and feedback = %(feedback)s and certainty = %(certainty)s and source = %(source)s
   and filter = %(filter)s::jsonb and requested = %(count)s and deadline is null and template_id is null
 order by id desc
 limit 1;

-- name: find_round
-- At most one student's sessions that are under way are looked at.
select s.id
  from practice_sessions s
 where s.user_id = %(user_id)s and s.status = 'active' and (s.deadline is null or s.deadline > %(now)s)
   and s.feedback = %(feedback)s and s.certainty = %(certainty)s
   and (cardinality(%(kinds)s::text[]) = 0
        or not exists (select from practice_slots t
                         join question_versions v on v.question_id = t.question_id and v.version = t.version
                        where t.user_id = s.user_id and t.session_id = s.id
                          and not v.kind = any(%(kinds)s::text[])))
 order by s.id desc
 limit 1;

-- name: add_session
-- The session and its slots in one message.
with added as (
    insert into practice_sessions (user_id, id, exam_package_id, status, feedback, certainty, policy, source,
                                   filter, template_id, template_version, requested, served, started_at, deadline,
                                   last_event_at)
    values (%(user_id)s, %(id)s, %(exam_package_id)s, %(status)s, %(feedback)s, %(certainty)s, %(policy)s, %(source)s,
            %(filter)s, %(template_id)s, %(template_version)s, %(requested)s, %(served)s, %(started_at)s, %(deadline)s,
            %(last_event_at)s)
    returning user_id, id
)
insert into practice_slots (user_id, session_id, slot, question_id, version, topic_id, choice_order, max_mark)
select added.user_id, added.id, s.slot, s.question_id, s.version, s.topic_id, s.choice_order, s.max_mark
  from added,
       jsonb_to_recordset(%(slots)s::jsonb)
           as s (slot integer, question_id text, version integer, topic_id text, choice_order text[], max_mark numeric);

-- name: find_session
select user_id, id, exam_package_id, status, feedback, certainty, policy, source, filter, template_id,
       template_version, requested, served, answered_count, correct_count, started_at, deadline, paused_at, finished_at, last_event_at,
       invalidation_reason
  from practice_sessions
 where user_id = %(user_id)s and id = %(session_id)s;

-- name: hold_session
select user_id, id, exam_package_id, status, feedback, certainty, policy, source, filter, template_id,
       template_version, requested, served, answered_count, correct_count, started_at, deadline, paused_at, finished_at, last_event_at,
       invalidation_reason
  from practice_sessions
 where user_id = %(user_id)s and id = %(session_id)s
   for update;

-- name: hold_slot
-- All that an answer depends on in one round trip. The slot is held too, although the session's row alone decides whose
-- turn it is: of a row that is not held, a statement that has waited would still see the old version.
select s.user_id, s.id, s.exam_package_id, s.status, s.feedback, s.certainty, s.policy, s.source, s.filter,
       s.template_id, s.template_version, s.requested, s.served, s.answered_count, s.correct_count, s.started_at, s.deadline,
       s.paused_at, s.finished_at, s.last_event_at, s.invalidation_reason,
       t.slot, t.question_id, t.version, t.topic_id, t.choice_order, t.max_mark, t.response,
       t.certainty as said_certainty, t.correct, t.mark, t.certainty_mark, t.answered_at, t.time_spent_seconds,
       t.feedback as revelation, v.kind, v.answer_key,
       jsonb_path_query_array(v.prompts, '$[*].id') as prompt_ids,
       exists (select from enrollments e
                where e.user_id = s.user_id and e.exam_package_id = s.exam_package_id
                  and e.status = 'active' and (e.expires_at is null or e.expires_at > %(now)s)) as enrolled
  from practice_sessions s
  join practice_slots t on t.user_id = s.user_id and t.session_id = s.id
  join question_versions v on v.question_id = t.question_id and v.version = t.version
 where s.user_id = %(user_id)s and s.id = %(session_id)s
   and (%(slot)s::integer is null or t.slot = %(slot)s::integer)
   and (%(question_id)s::text is null or t.question_id = %(question_id)s::text)
   for update of s, t;

-- name: save_session
update practice_sessions
   set status = %(status)s, paused_at = %(paused_at)s, finished_at = %(finished_at)s,
       last_event_at = %(last_event_at)s, invalidation_reason = %(invalidation_reason)s
 where user_id = %(user_id)s and id = %(id)s;

-- name: save_answer
-- The slot and its session in one message; both are held.
with answered as (
    update practice_slots
       set response = %(response)s, certainty = %(certainty)s, correct = %(correct)s, mark = %(mark)s,
           certainty_mark = %(certainty_mark)s, answered_at = %(answered_at)s,
           time_spent_seconds = %(time_spent_seconds)s, feedback = %(feedback)s
     where user_id = %(user_id)s and session_id = %(session_id)s and slot = %(slot)s
)
update practice_sessions
   set status = %(status)s, answered_count = %(answered_count)s, correct_count = %(correct_count)s,
       finished_at = %(finished_at)s, last_event_at = %(last_event_at)s
 where user_id = %(user_id)s and id = %(session_id)s;

