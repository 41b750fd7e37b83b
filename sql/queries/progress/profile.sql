-- What students are shown of themselves.

-- name: read_profile
-- A student who has done nothing yet has no row of progress. The days come along: a streak is told from all of them.
select u.username, u.name, u.image, u.updated_at, to_jsonb(p) as student,
       coalesce((select array_agg(d.day order by d.day) from study_days d where d.user_id = u.id), '{}') as days,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now
  from users u
  left join student_progress p on p.user_id = u.id
 where u.id = %(user_id)s

-- name: read_study_days
-- All of them, one for each day at most: which ones are asked for depends on the student's own today. Who has no row yet
-- lives by UTC.
select coalesce((select array_agg(d.day order by d.day) from study_days d where d.user_id = %(user_id)s), '{}') as days,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now, coalesce(p.time_zone, 'UTC') as time_zone,
       coalesce(p.day_start_hour, 0) as day_start_hour
  from (select) here left join student_progress p on p.user_id = %(user_id)s

-- name: read_badges
-- What was awarded, and what the others are measured by.
select (select to_jsonb(p) from student_progress p where p.user_id = %(user_id)s) as student,
       coalesce((select array_agg(d.day) from study_days d where d.user_id = %(user_id)s), '{}') as days,
       coalesce((select jsonb_agg(b) from student_badges b where b.user_id = %(user_id)s), '[]') as badges
