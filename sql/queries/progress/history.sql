-- What a student did.

-- name: student_clock
-- Who has no row yet lives by UTC.
select coalesce(%(now)s::timestamptz, clock_timestamp()) as now, coalesce(p.time_zone, 'UTC') as time_zone,
       coalesce(p.day_start_hour, 0) as day_start_hour
  from (select) here left join student_progress p on p.user_id = %(user_id)s;

-- name: read_history
-- All answers of a student are read once, and counted between the instants at which weeks begin: before the first of
-- them in week 0. What is correct is counted of judged answers only. No total of a session is below zero, as in its
-- summary. A session that asks what stands on the paper of an exam under way tells no result until that is over.
with banks as materialized (
    select distinct b.id
      from enrollments e
      join exam_package_banks l on l.exam_package_id = e.exam_package_id
      join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where e.user_id = %(user_id)s and e.status = 'active' and (e.expires_at is null or e.expires_at > %(now)s)
       and (%(exam_package_id)s::text is null or e.exam_package_id = %(exam_package_id)s)
), cells as materialized (
    select width_bucket(a.answered_at, %(weeks)s::timestamptz[]) as week, a.topic_id, count(*) as answered,
           count(*) filter (where a.judged_at <= %(now)s) as judged,
           count(*) filter (where a.judged_at <= %(now)s and a.correct) as correct,
           sum(a.time_spent_seconds) as time_spent_seconds
      from judged_answers a
     where a.user_id = %(user_id)s
       and (%(exam_package_id)s::text is null or a.exam_package_id = %(exam_package_id)s)
     group by 1, 2
), sessions as materialized (
    select s.id, s.exam_package_id, s.feedback, s.served, s.answered_count, s.correct_count, s.started_at,
           case when lapsed then 'finished' else s.status end as status,
           case when lapsed then s.deadline else s.finished_at end as finished_at,
           s.status <> 'invalidated' and (s.feedback = 'immediate' or s.status = 'finished' or lapsed)
           and not exists (select from practice_under_exam u
                            where u.user_id = s.user_id and u.session_id = s.id
                              and (u.live_until is null or u.live_until >= %(now)s)) as judged
      from practice_sessions s
     cross join lateral (
           select s.status in ('active', 'paused') and coalesce(s.deadline <= %(now)s, false) as lapsed
      ) told
     where s.user_id = %(user_id)s
       and (%(exam_package_id)s::text is null or s.exam_package_id = %(exam_package_id)s)
     order by s.id desc
     limit %(latest)s
), exams as materialized (
    select s.id, s.exam_package_id, s.started_at, s.sealed_at, s.status, s.mark, s.max_mark, s.passed
      from exam_sessions s
     where s.user_id = %(user_id)s and s.started_at is not null
       and (%(exam_package_id)s::text is null or s.exam_package_id = %(exam_package_id)s)
     order by s.started_at desc, s.id desc
     limit %(latest)s
)
select (select jsonb_agg(jsonb_build_object(
                   'week', c.week, 'topic_id', c.topic_id,
                   'effort', jsonb_build_object('answered', c.answered, 'judged', c.judged, 'correct', c.correct,
                                                'time_spent_seconds', c.time_spent_seconds)
               )) from cells c) as cells,
       (select jsonb_object_agg(o.id, o.name) from question_topics o
         where o.id in (select c.topic_id from cells c)) as topic_names,
       (select jsonb_agg(jsonb_build_object(
                   'id', s.id, 'exam_package_id', s.exam_package_id, 'status', s.status, 'feedback', s.feedback,
                   'served', s.served, 'answered_count', s.answered_count,
                   'correct_count', case when s.judged then s.correct_count end,
                   'mark', marks.mark::text, 'max_mark', marks.max_mark::text,
                   'started_at', s.started_at, 'finished_at', s.finished_at
               ) order by s.id desc)
          from sessions s
          left join lateral (
               select greatest(coalesce(sum(t.mark), 0), 0) as mark, coalesce(sum(t.max_mark), 0) as max_mark
                 from practice_slots t
                where t.user_id = %(user_id)s and t.session_id = s.id and t.answered_at is not null
          ) marks on s.judged) as sessions,
       (select jsonb_agg(jsonb_build_object(
                   'id', x.id, 'exam_package_id', x.exam_package_id,
                   'mark', case when x.status = 'finished' then greatest(x.mark, 0)::text end,
                   'max_mark', case when x.status = 'finished' then x.max_mark::text end,
                   'passed', case when x.status = 'finished' then x.passed end,
                   'started_at', x.started_at, 'finished_at', x.sealed_at
               ) order by x.started_at desc, x.id desc)
          from exams x) as exams,
       (select count(*) from review_cards c join questions q on q.id = c.question_id
         where c.user_id = %(user_id)s and c.due <= %(now)s
           and q.published_version is not null and q.question_bank_id in (select id from banks)) as due,
       (select count(*) from flagged_questions f join questions q on q.id = f.question_id
         where f.user_id = %(user_id)s
           and q.published_version is not null and q.question_bank_id in (select id from banks)) as flagged;
