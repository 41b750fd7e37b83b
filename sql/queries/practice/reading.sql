-- What students see of practice. Only `review` reads keys, once its rule allows it. Slots with their questions come as
-- text, to be read once.

-- name: read_session
-- A session with its questions and the student's own responses; no key is read. None unless the claim stands, where there
-- is one.
select s.user_id, s.id, s.exam_package_id, s.status, s.feedback, s.certainty, s.policy, s.source, s.template_id,
       s.template_version, s.requested, s.served, s.answered_count, s.correct_count, s.started_at, s.deadline,
       s.paused_at, s.finished_at, s.last_event_at, s.invalidation_reason,
       clock.now,
       exists (select from practice_under_exam u
                where u.user_id = s.user_id and u.session_id = s.id
                  and (u.live_until is null or u.live_until >= clock.now)) as under_exam,
       (select json_agg(json_build_object(
                   'slot', t.slot, 'question_id', t.question_id, 'version', t.version, 'kind', v.kind, 'stem', v.stem,
                   'stem_format', v.stem_format, 'choices', v.choices, 'prompts', v.prompts,
                   'choice_order', t.choice_order, 'topic_id', t.topic_id, 'max_mark', t.max_mark::text,
                   'response', t.response,
                   'certainty', t.certainty, 'answered_at', t.answered_at,
                   'flagged', exists (select from flagged_questions f
                                       where f.user_id = t.user_id and f.question_id = t.question_id)
               ) order by t.slot)::text
          from practice_slots t
          join question_versions v on v.question_id = t.question_id and v.version = t.version
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from practice_sessions s, (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock
 where s.user_id = %(user_id)s and s.id = %(session_id)s
   and (%(claim_session_id)s::text is null
        or exists (select from open_sessions o
                    where o.user_id = %(user_id)s and o.id = %(claim_session_id)s and o.audience = %(claim_role)s
                      and clock_timestamp() < least(o.open_until, %(claim_until)s::timestamptz)
                      and clock_timestamp() >= %(claim_from)s::timestamptz));

-- name: list_sessions
-- Identifiers grow with time, so the primary key read backwards is the newest first. A session past its deadline is a
-- finished one, whether or not that has been written down. At most one student's sessions are looked at. Those that an
-- exam under way asks of are found once, for the whole list.
select user_id, id, exam_package_id, status, feedback, certainty, policy, source, template_id, template_version,
       requested, served, answered_count, correct_count, started_at, deadline, paused_at, finished_at, last_event_at,
       invalidation_reason, clock.now,
       id in (select u.session_id from practice_under_exam u
               where u.user_id = %(user_id)s
                 and (u.live_until is null
                      or u.live_until >= coalesce(%(now)s::timestamptz, clock_timestamp()))) as under_exam
  from practice_sessions, (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock
 where user_id = %(user_id)s and (%(before_id)s::text is null or id < %(before_id)s::text)
   and (%(exam_package_id)s::text is null or exam_package_id = %(exam_package_id)s::text)
   and (cardinality(%(statuses)s::text[]) = 0
        or case when status = 'active' and deadline <= clock.now then 'finished' else status end
           = any(%(statuses)s::text[]))
 order by id desc
 limit %(limit)s;

-- name: attempts
-- What an exam under way asks of tells nothing until that is over, so such a session is not among them meanwhile.
-- Those that are over and count, and in which something was answered. One student's are looked at, to count them all;
-- an end that time has brought counts whether or not it was written down.
with clock as (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), ended as materialized (
    select s.*, coalesce(s.finished_at, s.deadline) as ended_at
      from practice_sessions s, clock
     where s.user_id = %(user_id)s
       and (%(exam_package_id)s::text is null or s.exam_package_id = %(exam_package_id)s::text)
       and s.answered_count > 0
       and (s.status = 'finished' or s.status <> 'invalidated' and s.deadline <= clock.now)
       and not exists (select from practice_under_exam u
                        where u.user_id = s.user_id and u.session_id = s.id
                          and (u.live_until is null or u.live_until >= clock.now))
)
select clock.now, (select count(*) from ended) as total,
       (select coalesce(jsonb_agg(to_jsonb(shown) order by shown.ended_at desc, shown.id desc), '[]')
          from (select * from ended order by ended_at desc, id desc offset %(offset)s limit %(limit)s) shown) as sessions
  from clock;

-- name: scores
-- The same attempts, package by package; of each the share of its questions that was answered rightly.
select s.exam_package_id, count(*) as attempts, sum(s.answered_count) as answered,
       sum(100.0 * s.correct_count / s.served) as percents,
       max(100.0 * s.correct_count / s.served) as best_percent
  from practice_sessions s, (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock
 where s.user_id = %(user_id)s and s.answered_count > 0
   and (s.status = 'finished' or s.status <> 'invalidated' and s.deadline <= clock.now)
   and not exists (select from practice_under_exam u
                    where u.user_id = s.user_id and u.session_id = s.id
                      and (u.live_until is null or u.live_until >= clock.now))
 group by s.exam_package_id
 order by s.exam_package_id;

-- name: review
-- What was shown at once is read back as it was shown. A key is read only of a session with deferred feedback that is
-- over, and neither while an exam asks one of its questions, so that not even a mistake further up can send one early.
select s.user_id, s.id, s.exam_package_id, s.status, s.feedback, s.certainty, s.policy, s.source, s.template_id,
       s.template_version, s.requested, s.served, s.answered_count, s.correct_count, s.started_at, s.deadline,
       s.paused_at, s.finished_at, s.last_event_at, s.invalidation_reason, clock.now, told.under_exam,
       (select json_agg(json_build_object(
                   'slot', t.slot, 'question_id', t.question_id, 'version', t.version, 'kind', v.kind, 'stem', v.stem,
                   'stem_format', v.stem_format, 'choices', v.choices, 'prompts', v.prompts,
                   'choice_order', t.choice_order, 'topic_id', t.topic_id, 'max_mark', t.max_mark::text,
                   'response', t.response,
                   'certainty', t.certainty, 'answered_at', t.answered_at,
                   'flagged', exists (select from flagged_questions f
                                       where f.user_id = t.user_id and f.question_id = t.question_id),
                   'correct', t.correct, 'mark', t.mark::text, 'certainty_mark', t.certainty_mark::text,
                   'time_spent_seconds', t.time_spent_seconds,
                   'feedback', case when not told.under_exam then t.feedback end,
                   'answer_key', case when s.feedback = 'deferred' and not told.under_exam
                                       and (s.status = 'finished'
                                            or s.status <> 'invalidated' and s.deadline <= clock.now)
                                      then v.answer_key end
               ) order by t.slot)::text
          from practice_slots t
          join question_versions v on v.question_id = t.question_id and v.version = t.version
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from practice_sessions s, (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock
 cross join lateral (
       select exists (select from practice_under_exam u
                       where u.user_id = s.user_id and u.session_id = s.id
                         and (u.live_until is null or u.live_until >= clock.now)) as under_exam
 ) told
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: summary
-- What the numbers of a session are counted from.
select s.user_id, s.id, s.exam_package_id, s.status, s.feedback, s.certainty, s.policy, s.source, s.template_id,
       s.template_version, s.requested, s.served, s.answered_count, s.correct_count, s.started_at, s.deadline,
       s.paused_at, s.finished_at, s.last_event_at, s.invalidation_reason,
       clock.now,
       exists (select from practice_under_exam u
                where u.user_id = s.user_id and u.session_id = s.id
                  and (u.live_until is null or u.live_until >= clock.now)) as under_exam,
       (select jsonb_agg(jsonb_build_object(
                   'topic_id', t.topic_id, 'topic_name', o.name, 'max_mark', t.max_mark::text, 'mark', t.mark::text,
                   'correct', t.correct, 'certainty', t.certainty, 'certainty_mark', t.certainty_mark::text,
                   'time_spent_seconds', t.time_spent_seconds
               ) order by t.slot)
          from practice_slots t
          left join question_topics o on o.id = t.topic_id
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from practice_sessions s, (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: oversee_session
-- For administrators: how each answer was judged, whether or not its student may know that yet. No key is read.
select s.user_id, s.id, s.exam_package_id, s.status, s.feedback, s.certainty, s.policy, s.source, s.template_id,
       s.template_version, s.requested, s.served, s.answered_count, s.correct_count, s.started_at, s.deadline,
       s.paused_at, s.finished_at, s.last_event_at, s.invalidation_reason,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now,
       (select jsonb_agg(jsonb_build_object(
                   'slot', t.slot, 'question_id', t.question_id, 'version', t.version, 'max_mark', t.max_mark::text,
                   'answered_at', t.answered_at, 'correct', t.correct, 'mark', t.mark::text, 'certainty', t.certainty,
                   'certainty_mark', t.certainty_mark::text, 'time_spent_seconds', t.time_spent_seconds
               ) order by t.slot)
          from practice_slots t
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from practice_sessions s
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: has_person
-- Deleted people too.
select exists (select from users where id = %(user_id)s) as found;
