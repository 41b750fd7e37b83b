-- Answering in one round trip. `read_paper` reads keys, to mark with; they go to no student before their rule allows it.

-- name: read_paper
-- All that is frozen of a session, in one row; its slots are text, to be read once.
select s.feedback, s.certainty, s.policy,
       (select json_agg(json_build_object(
                   'slot', t.slot, 'question_id', t.question_id, 'version', t.version, 'topic_id', t.topic_id,
                   'choice_order', t.choice_order, 'max_mark', t.max_mark::text, 'kind', v.kind,
                   'answer_key', v.answer_key, 'prompt_ids', jsonb_path_query_array(v.prompts, '$[*].id')
               ) order by t.slot)::text
          from practice_slots t
          join question_versions v on v.question_id = t.question_id and v.version = t.version
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from practice_sessions s
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: keep_answer
-- Nothing happens unless the claim stands, where there is one. The rows are taken hold of in the order in which units of
-- work take them: student, session, slot. Each condition is looked at again by PostgreSQL when a row had to be waited for,
-- so two answers at once are counted one after the other. A row comes back only if all of it was done; the first condition
-- that fails leaves everything as it was.
with clock as materialized (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
     where %(claim_session_id)s::text is null
        or exists (select from open_sessions o
                    where o.user_id = %(user_id)s and o.id = %(claim_session_id)s and o.audience = %(claim_role)s
                      and clock_timestamp() < least(o.open_until, %(claim_until)s::timestamptz)
                      and clock_timestamp() >= %(claim_from)s::timestamptz)
), student as materialized (
    select p.user_id, clock.now
      from clock, student_progress p
     where p.user_id = %(user_id)s and p.credited_from <= clock.now and clock.now < p.credited_until
       and p.questions_answered + 1 <> all (%(thresholds)s::integer[])
       for no key update of p
), session as materialized (
    select s.user_id, s.id, s.last_event_at, student.now
      from student, practice_sessions s
     where s.user_id = student.user_id and s.id = %(session_id)s and s.status = 'active'
       and (s.deadline is null or student.now < s.deadline) and s.answered_count + 1 < s.served
       and exists (select from enrollments e
                    where e.user_id = s.user_id and e.exam_package_id = s.exam_package_id and e.status = 'active'
                      and (e.expires_at is null or e.expires_at > student.now))
       and not exists (select from practice_under_exam u
                        where u.user_id = %(user_id)s and u.session_id = s.id
                          and (u.live_until is null or u.live_until >= student.now))
       for no key update of s
), answered as (
    update practice_slots t
       set response = %(response)s, correct = %(correct)s, mark = %(mark)s, certainty = %(certainty)s,
           certainty_mark = %(certainty_mark)s, feedback = %(feedback)s, answered_at = session.now,
           time_spent_seconds
               = least(%(longest)s, greatest(0, trunc(extract(epoch from session.now - session.last_event_at))::integer))
      from session
     where t.user_id = session.user_id and t.session_id = session.id and t.slot = %(slot)s and t.answered_at is null
    returning t.user_id, t.session_id, session.now
), counted as (
    update practice_sessions s
       set answered_count = s.answered_count + 1, correct_count = s.correct_count + %(correct)s::boolean::integer,
           last_event_at = answered.now
      from answered
     where s.user_id = answered.user_id and s.id = answered.session_id
    returning s.user_id, s.answered_count, s.correct_count, answered.now
), credited as (
    update student_progress p
       set questions_answered = p.questions_answered + 1,
           last_activity_at = greatest(p.last_activity_at, counted.now)
      from counted
     where p.user_id = counted.user_id
)
select answered_count, correct_count from counted;
