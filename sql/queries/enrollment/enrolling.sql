-- Who is enrolled. A row whose `expires_at` has passed has ended then, whatever its status still says.

-- name: hold_person
-- Changes to one student's enrolments take turns here. NO KEY: rows that only refer to the student need not wait.
select role from users where id = %(user_id)s and deleted_at is null for no key update

-- name: find_offer
-- Hidden ones too: the rule needs to know. The tiers come along, so that it is one round trip. No slug is ever null.
select p.id, p.visibility,
       coalesce((select jsonb_agg(to_jsonb(t) order by t.is_default desc, t.id)
                   from exam_package_tiers t where t.exam_package_id = p.id), '[]') as tiers
  from exam_packages p
 where p.id = %(id)s or p.slug = %(slug)s

-- name: hold_last_enrollment
-- An active row has no end and comes first; otherwise the one that ended last. A student has few rows per package.
-- Held against the sweeper, which does not take turns at the student.
select user_id, id, exam_package_id, tier_id, started_at, expires_at, ended_at, end_reason
  from enrollments
 where user_id = %(user_id)s and exam_package_id = %(package_id)s
 order by ended_at desc nulls first, id desc
 limit 1
   for no key update

-- name: has_live_exam
-- After the enrolment is held, which whoever begins an exam holds too. What time has ended is not live, whether or not
-- that was written down; under a policy with grace it may be live beyond that, and is, until the next sweep.
select exists (
    select from live_exams
     where user_id = %(user_id)s and exam_package_id = %(package_id)s
       and (live_until is null or live_until >= %(now)s)
) as live

-- name: begun
-- Rows are never deleted, so the first and the last one tell it. The student is held: no row comes meanwhile.
select tier_id, min(started_at) as since, (array_agg(expires_at order by started_at desc, id desc))[1] as until
  from enrollments
 where user_id = %(user_id)s and exam_package_id = %(package_id)s
 group by tier_id

-- name: add_enrollment
-- The index enrollments_one_active makes a second active row impossible, whoever forgets to hold the student.
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at, expires_at)
values (%(user_id)s, %(id)s, %(exam_package_id)s, %(tier_id)s, 'active', %(started_at)s, %(expires_at)s)

-- name: end_enrollment
-- The only update that a row ever sees, and only once: an ended row does not match.
update enrollments
   set status = 'ended', ended_at = %(ended_at)s, end_reason = %(end_reason)s
 where user_id = %(user_id)s and id = %(id)s and status = 'active'

-- name: end_expired
-- Along the index enrollments_expiring. Whoever holds a row is about to end it, or the next run does.
with lapsed as (
    select user_id, id
      from enrollments
     where status = 'active' and expires_at <= %(now)s
     order by expires_at
     limit %(limit)s
       for no key update skip locked
)
update enrollments e
   set status = 'ended', ended_at = e.expires_at, end_reason = 'expired'
  from lapsed
 where e.user_id = lapsed.user_id and e.id = lapsed.id

-- name: list_enrollments
-- Identifiers grow with time, so the primary key read backwards is the newest first. Hidden packages stay in the list.
select e.id, e.exam_package_id, p.slug as package_slug, p.title as package_title, e.tier_id, t.name as tier_name,
       case when lapsed then 'ended' else e.status end as status, e.started_at, e.expires_at,
       case when lapsed then e.expires_at else e.ended_at end as ended_at,
       case when lapsed then 'expired' else e.end_reason end as end_reason
  from enrollments e
 cross join lateral (
       select e.status = 'active' and e.expires_at <= coalesce(%(now)s::timestamptz, clock_timestamp()) as lapsed) l
  join exam_packages p on p.id = e.exam_package_id
  join exam_package_tiers t on t.id = e.tier_id
 where e.user_id = %(user_id)s and (%(after)s::text is null or e.id < %(after)s::text)
   and (%(exam_package_id)s::text is null or e.exam_package_id = %(exam_package_id)s::text)
   and (%(status)s::text is null or %(status)s::text = case when lapsed then 'ended' else e.status end)
 order by e.id desc
 limit %(limit)s

-- name: find_standing
-- The latest row is found as by hold_last_enrollment. Hours, because a day of the session's time zone may have 25. What
-- counts of practice is what practice itself counts when a session is to be begun, see nth_latest_start there.
with now as materialized (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), latest as materialized (
    select e.*
      from enrollments e
     where e.user_id = %(user_id)s and e.exam_package_id = %(package_id)s
     order by e.ended_at desc nulls first, e.id desc
     limit 1
)
select now.now as at, to_jsonb(e) as enrollment, t.weekly_practice_sessions as weekly_limit,
       p.id, p.slug, p.title, p.description, p.visibility, p.duration_seconds, p.pass_mark, p.settings, p.blueprint,
       p.version,
       coalesce((select sum(b.published_count)
                   from exam_package_banks l
                   join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
                  where l.exam_package_id = p.id), 0)::bigint as question_count,
       offered.all_tiers, offered.tiers,
       (select jsonb_object_agg(spell.tier_id, to_jsonb(spell))
          from (select b.tier_id, min(b.started_at) as since,
                       (array_agg(b.expires_at order by b.started_at desc, b.id desc))[1] as until
                  from enrollments b
                 where b.user_id = e.user_id and b.exam_package_id = e.exam_package_id
                 group by b.tier_id) spell) as begun,
       (select count(*)
          from practice_sessions s
         where s.user_id = e.user_id and s.exam_package_id = e.exam_package_id
           and s.started_at > now.now - interval '168 hours') as sessions_in_week,
       (select s.started_at
          from practice_sessions s
         where s.user_id = e.user_id and s.exam_package_id = e.exam_package_id
         order by s.started_at desc
        offset greatest(t.weekly_practice_sessions, 1) - 1 limit 1) as earliest_counted
  from now
 cross join latest e
  join exam_packages p on p.id = e.exam_package_id
  join exam_package_tiers t on t.id = e.tier_id
 cross join lateral (
       select jsonb_agg(to_jsonb(o) order by o.is_default desc, o.id) as all_tiers,
              coalesce(jsonb_agg(to_jsonb(o) order by o.is_default desc, o.id)
                       filter (where o.active and o.self_service), '[]') as tiers
         from exam_package_tiers o
        where o.exam_package_id = p.id) offered

-- name: list_enrolled
-- Two walks back along enrollments_of_package, each no longer than a page, whatever status is wanted; and the few rows
-- whose time is over since the sweeper last came.
with now as materialized (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), lapsed as materialized (
    select e.*
      from enrollments e
     where e.status = 'active' and e.expires_at <= (select now from now)
       and e.exam_package_id = %(package_id)s and %(status)s::text is distinct from 'active'
), found as (
    (select e.user_id, e.id, e.tier_id, e.status, e.started_at, e.expires_at, e.ended_at, e.end_reason
       from enrollments e
      where e.exam_package_id = %(package_id)s and e.status = 'ended'
        and %(status)s::text is distinct from 'active'
        and (%(after)s::text is null or e.id < %(after)s::text)
      order by e.id desc
      limit %(limit)s)
    union all
    (select e.user_id, e.id, e.tier_id, e.status, e.started_at, e.expires_at, null, null
       from enrollments e
      where e.exam_package_id = %(package_id)s and e.status = 'active'
        and (e.expires_at is null or e.expires_at > (select now from now))
        and %(status)s::text is distinct from 'ended'
        and (%(after)s::text is null or e.id < %(after)s::text)
      order by e.id desc
      limit %(limit)s)
    union all
    select e.user_id, e.id, e.tier_id, 'ended', e.started_at, e.expires_at, e.expires_at, 'expired'
      from lapsed e
     where %(after)s::text is null or e.id < %(after)s::text
)
select f.id, f.user_id, u.email, u.name, f.tier_id, t.name as tier_name, f.status, f.started_at, f.expires_at,
       f.ended_at, f.end_reason
  from found f
  join users u on u.id = f.user_id
  join exam_package_tiers t on t.id = f.tier_id
 order by f.id desc
 limit %(limit)s

-- name: has_person
-- Deleted ones too.
select exists (select from users where id = %(user_id)s) as found

-- name: has_package
-- Hidden ones too.
select exists (select from exam_packages where id = %(package_id)s) as found
