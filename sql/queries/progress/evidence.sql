-- What students have shown: the evidence of one, how all did on each topic, and what became of predictions.

-- name: evidence
-- All that estimates of a student in a package are made from. Topics and questions are those of the package's visible
-- banks; an answer counts wherever it was given, the newest ones only. How many published questions have no topic is
-- told by what the banks keep, so that only an index is counted. Whoever shows a chance to pass wants to know as well
-- what became of those that were shown before, by chance as `outcomes` tells them. The bank of a question without a topic
-- is asked for as a value: as a join it is looked up among all questions, which are then read as a whole.
with clock as materialized (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), banks as materialized (
    select b.id, b.published_count
      from exam_package_banks l join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where l.exam_package_id = %(exam_package_id)s
), topics as materialized (
    select t.id, t.name, coalesce(f.responses, 0) as responses, coalesce(f.earned, 0) as earned, q.published
      from banks
      join question_topics t on t.question_bank_id = banks.id
      left join topic_facilities f on f.topic_id = t.id
      cross join lateral (select count(*) as published from questions
                           where topic_id = t.id and published_version is not null) q
), answers as materialized (
    select j.question_id, j.topic_id, j.answered_at, (j.mark / nullif(j.max_mark, 0))::float8 as fraction
      from topic_evidence j, clock
     where j.user_id = %(user_id)s and j.judged_at <= clock.now
       and (j.topic_id in (select id from topics)
            or j.topic_id is null and (select q.question_bank_id from questions q where q.id = j.question_id)
                                      in (select id from banks))
     order by j.answered_at desc
     limit %(most)s
)
select clock.now as at, p.visibility = 'visible' as visible, p.pass_mark, p.settings, p.blueprint,
       exists (select from enrollments e
                where e.user_id = %(user_id)s and e.exam_package_id = p.id) as enrolled,
       (select coalesce(jsonb_agg(to_jsonb(topics) order by id), '[]') from topics) as topics,
       (select coalesce(sum(published_count), 0) from banks)::bigint
           - (select coalesce(sum(published), 0) from topics)::bigint as without_topic,
       case when %(with_outcomes)s::boolean then (
           select jsonb_agg(o) from (
               select round(r.p_pass::numeric, 3)::float8 as p_pass, count(*) as count,
                      count(*) filter (where r.passed) as passed
                 from readiness_predictions r
                where r.exam_package_id = p.id and r.passed is not null
                group by 1
           ) o
       ) end as outcomes,
       a.question_ids, a.topic_ids, a.fractions, a.answered_at
  from exam_packages p, clock,
       (select array_agg(question_id) as question_ids, array_agg(topic_id) as topic_ids,
               array_agg(coalesce(fraction, 0)) as fractions, array_agg(answered_at) as answered_at from answers) a
 where p.id = %(exam_package_id)s;

-- name: hold_student
-- Predictions of one student are added in turn. NO KEY: rows that only refer to the student need not wait.
select 1 as held from users where id = %(user_id)s for no key update;

-- name: predictions_after
-- After the student is held, so it sees what was added while this one waited.
select user_id, id, exam_package_id, shown_at, p_pass, expected, lowest, highest, need, questions, coverage
  from readiness_predictions
 where user_id = %(user_id)s and exam_package_id = %(exam_package_id)s and shown_at > %(shown_after)s;

-- name: add_prediction
insert into readiness_predictions (user_id, id, exam_package_id, shown_at, p_pass, expected, lowest, highest, need,
                                   questions, coverage)
values (%(user_id)s, %(id)s, %(exam_package_id)s, %(shown_at)s, %(p_pass)s, %(expected)s, %(lowest)s, %(highest)s,
        %(need)s, %(questions)s, %(coverage)s);

-- name: outcomes
-- Chances are shown to a thousandth, so there are at most 1,001 rows however many predictions there were.
select round(p_pass::numeric, 3)::float8 as p_pass, count(*) as count, count(*) filter (where passed) as passed
  from readiness_predictions
 where passed is not null
   and (%(exam_package_id)s::text is null or exam_package_id = %(exam_package_id)s::text)
 group by 1;

-- name: be_patient
-- Counting everything may take longer than any request may.
set local statement_timeout = '300s';

-- name: count_facilities
-- Everything anew, so that nothing has to be taken back when a session is invalidated. Topics that nobody's answers tell
-- of any more lose their row.
with counted as materialized (
    select topic_id, count(*) as responses,
           sum(coalesce(greatest(0, least(1, mark / nullif(max_mark, 0))), 0))::float8 as earned
      from topic_evidence
     where judged_at <= %(now)s and topic_id is not null
     group by topic_id
), gone as (
    delete from topic_facilities f where not exists (select from counted c where c.topic_id = f.topic_id)
)
insert into topic_facilities (topic_id, responses, earned, counted_at)
select topic_id, responses, earned, %(now)s from counted
on conflict (topic_id) do update
   set responses = excluded.responses, earned = excluded.earned, counted_at = excluded.counted_at;
