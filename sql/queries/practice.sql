-- Practice. Only `hold_slot` and `review` read keys: the one to mark an answer, the other once its rule allows it.

-- name: holds_enrollment
select exists (
    select from enrollments where user_id = %(user_id)s and exam_package_id = %(exam_package_id)s and status = 'active'
) as held;

-- name: draw_questions
-- A window of at most 500 questions of each matching part, read from an index alone, from the session's own start on
-- the circle of draw keys; a hash with the session picks from the 500 nearest. Exactly one of the three parts runs, the
-- one whose index fits the filter; a branch behind the start is read only when the circle closes. Every question's
-- chance is the same: exactly where no more than 500 match, otherwise within some percent (standard deviation 4.5).
with banks as materialized (
    select l.question_bank_id as id
      from exam_package_banks l join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where l.exam_package_id = %(exam_package_id)s
), topics as materialized (
    select t.id from question_topics t join banks on banks.id = t.question_bank_id
     where t.id = any(%(topic_ids)s::text[])
), pool as materialized (
    select q.* from banks b cross join lateral (
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.published_version is not null and q.draw_key >= %(start)s::float8
          order by q.draw_key limit 500)
        union all
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.published_version is not null and q.draw_key < %(start)s::float8
          order by q.draw_key limit 500)
        limit 500
    ) q
     where cardinality(%(topic_ids)s::text[]) = 0 and cardinality(%(difficulty_ids)s::text[]) = 0
    union all
    select q.* from banks b cross join (select distinct unnest(%(difficulty_ids)s::text[])) d (id) cross join lateral (
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.difficulty_id = d.id and q.published_version is not null
            and q.draw_key >= %(start)s::float8
          order by q.draw_key limit 500)
        union all
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.difficulty_id = d.id and q.published_version is not null
            and q.draw_key < %(start)s::float8
          order by q.draw_key limit 500)
        limit 500
    ) q
     where cardinality(%(topic_ids)s::text[]) = 0 and cardinality(%(difficulty_ids)s::text[]) > 0
    union all
    select q.* from topics t cross join lateral (
        (select q.id, q.draw_key from questions q
          where q.topic_id = t.id and q.published_version is not null and q.draw_key >= %(start)s::float8
            and (cardinality(%(difficulty_ids)s::text[]) = 0 or q.difficulty_id = any(%(difficulty_ids)s::text[]))
          order by q.draw_key limit 500)
        union all
        (select q.id, q.draw_key from questions q
          where q.topic_id = t.id and q.published_version is not null and q.draw_key < %(start)s::float8
            and (cardinality(%(difficulty_ids)s::text[]) = 0 or q.difficulty_id = any(%(difficulty_ids)s::text[]))
          order by q.draw_key limit 500)
        limit 500
    ) q
     where cardinality(%(topic_ids)s::text[]) > 0
), nearest as (
    select id from pool order by draw_key < %(start)s::float8, draw_key, id limit 500
), picked as materialized (
    select id from nearest order by sha256(convert_to(%(session_id)s::text || id, 'UTF8')) limit %(count)s
)
select v.question_id, v.version, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.points as max_mark, v.shuffle
  from picked
  join questions q on q.id = picked.id
  join question_versions v on v.question_id = q.id and v.version = q.published_version;

-- name: add_session
-- The session and its slots in one message.
with added as (
    insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served, started_at,
                                   deadline, last_event_at)
    values (%(user_id)s, %(id)s, %(exam_package_id)s, %(status)s, %(feedback)s, %(requested)s, %(served)s,
            %(started_at)s, %(deadline)s, %(last_event_at)s)
    returning user_id, id
)
insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order, max_mark)
select added.user_id, added.id, s.slot, s.question_id, s.version, s.choice_order, s.max_mark
  from added,
       jsonb_to_recordset(%(slots)s::jsonb)
           as s (slot integer, question_id text, version integer, choice_order text[], max_mark numeric);

-- name: hold_session
select user_id, id, exam_package_id, status, feedback, requested, served, answered_count, correct_count, started_at,
       deadline, paused_at, finished_at, last_event_at
  from practice_sessions
 where user_id = %(user_id)s and id = %(session_id)s
   for update;

-- name: hold_slot
-- All that an answer depends on in one round trip. The slot is held too, although the session's row alone decides whose
-- turn it is: of a row that is not held, a statement that has waited would still see the old version.
select s.user_id, s.id, s.exam_package_id, s.status, s.feedback, s.requested, s.served, s.answered_count,
       s.correct_count, s.started_at, s.deadline, s.paused_at, s.finished_at, s.last_event_at,
       t.slot, t.question_id, t.version, t.choice_order, t.max_mark, t.response, t.correct, t.mark, t.answered_at,
       t.time_spent_seconds, t.feedback as revelation, v.kind, v.answer_key,
       jsonb_path_query_array(v.prompts, '$[*].id') as prompt_ids,
       exists (select from enrollments e
                where e.user_id = s.user_id and e.exam_package_id = s.exam_package_id and e.status = 'active') as enrolled
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
       last_event_at = %(last_event_at)s
 where user_id = %(user_id)s and id = %(id)s;

-- name: save_answer
-- The slot and its session in one message; both are held.
with answered as (
    update practice_slots
       set response = %(response)s, correct = %(correct)s, mark = %(mark)s, answered_at = %(answered_at)s,
           time_spent_seconds = %(time_spent_seconds)s, feedback = %(feedback)s
     where user_id = %(user_id)s and session_id = %(session_id)s and slot = %(slot)s
)
update practice_sessions
   set status = %(status)s, answered_count = %(answered_count)s, correct_count = %(correct_count)s,
       finished_at = %(finished_at)s, last_event_at = %(last_event_at)s
 where user_id = %(user_id)s and id = %(session_id)s;

-- name: read_session
-- A session with its questions and the student's own responses; no key is read.
select s.user_id, s.id, s.exam_package_id, s.status, s.feedback, s.requested, s.served, s.answered_count,
       s.correct_count, s.started_at, s.deadline, s.paused_at, s.finished_at, s.last_event_at,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now,
       (select jsonb_agg(jsonb_build_object(
                   'slot', t.slot, 'question_id', t.question_id, 'version', t.version, 'kind', v.kind, 'stem', v.stem,
                   'stem_format', v.stem_format, 'choices', v.choices, 'prompts', v.prompts,
                   'choice_order', t.choice_order, 'max_mark', t.max_mark::text, 'response', t.response,
                   'answered_at', t.answered_at
               ) order by t.slot)
          from practice_slots t
          join question_versions v on v.question_id = t.question_id and v.version = t.version
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from practice_sessions s
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: list_sessions
-- Identifiers grow with time, so the primary key read backwards is the newest first.
select user_id, id, exam_package_id, status, feedback, requested, served, answered_count, correct_count, started_at,
       deadline, paused_at, finished_at, last_event_at, coalesce(%(now)s::timestamptz, clock_timestamp()) as now
  from practice_sessions
 where user_id = %(user_id)s and (%(before_id)s::text is null or id < %(before_id)s::text)
 order by id desc
 limit %(limit)s;

-- name: review
-- What was shown at once is read back as it was shown. A key is read only of a session with deferred feedback that is
-- over, so that not even a mistake further up can send one early.
select s.user_id, s.id, s.exam_package_id, s.status, s.feedback, s.requested, s.served, s.answered_count,
       s.correct_count, s.started_at, s.deadline, s.paused_at, s.finished_at, s.last_event_at, clock.now,
       (select jsonb_agg(jsonb_build_object(
                   'slot', t.slot, 'question_id', t.question_id, 'version', t.version, 'kind', v.kind, 'stem', v.stem,
                   'stem_format', v.stem_format, 'choices', v.choices, 'prompts', v.prompts,
                   'choice_order', t.choice_order, 'max_mark', t.max_mark::text, 'response', t.response,
                   'answered_at', t.answered_at,
                   'correct', t.correct, 'mark', t.mark::text, 'time_spent_seconds', t.time_spent_seconds,
                   'feedback', t.feedback,
                   'answer_key', case when s.feedback = 'deferred'
                                       and (s.status in ('finished', 'invalidated') or s.deadline <= clock.now)
                                      then v.answer_key end
               ) order by t.slot)
          from practice_slots t
          join question_versions v on v.question_id = t.question_id and v.version = t.version
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from practice_sessions s, (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: summary
-- What the numbers of a session are counted from.
select s.user_id, s.id, s.exam_package_id, s.status, s.feedback, s.requested, s.served, s.answered_count,
       s.correct_count, s.started_at, s.deadline, s.paused_at, s.finished_at, s.last_event_at,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now,
       (select jsonb_agg(jsonb_build_object(
                   'topic_id', v.topic_id, 'topic_name', o.name, 'max_mark', t.max_mark::text, 'mark', t.mark::text,
                   'correct', t.correct, 'time_spent_seconds', t.time_spent_seconds
               ) order by t.slot)
          from practice_slots t
          join question_versions v on v.question_id = t.question_id and v.version = t.version
          left join question_topics o on o.id = v.topic_id
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from practice_sessions s
 where s.user_id = %(user_id)s and s.id = %(session_id)s;
