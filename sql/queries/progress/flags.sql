-- Questions that students have flagged. No key is read.

-- name: flag_standing
-- Flags are counted up to the bound only.
select exists (
           select from questions q
             join question_banks b on b.id = q.question_bank_id and b.visibility = 'visible'
             join exam_package_banks l on l.question_bank_id = b.id
             join enrollments e on e.exam_package_id = l.exam_package_id
            where q.id = %(question_id)s and q.published_version is not null
              and e.user_id = %(user_id)s and e.status = 'active'
              and (e.expires_at is null or e.expires_at > %(now)s)
       ) or exists (
           select from practice_slots t where t.user_id = %(user_id)s and t.question_id = %(question_id)s
       ) as visible,
       exists (
           select from flagged_questions f where f.user_id = %(user_id)s and f.question_id = %(question_id)s
       ) as flagged,
       (select count(*) from (
           select from flagged_questions f where f.user_id = %(user_id)s limit %(most)s
       ) flags) as flags;

-- name: add_flag
-- Two requests at once are one flag, and the first one's time stands.
insert into flagged_questions (user_id, question_id, flagged_at)
values (%(user_id)s, %(question_id)s, %(now)s)
    on conflict (user_id, question_id) do nothing;

-- name: remove_flag
delete from flagged_questions where user_id = %(user_id)s and question_id = %(question_id)s;

-- name: list_flagged
-- The index of a student's flags is read from the newest on until the page is full (that is what the `limit 1` of the
-- version is for: a join of all flags would be sorted afterwards). What may not be seen any more is passed over. A
-- package tells which banks it has to nobody who never was enrolled in it.
with banks as materialized (
    select distinct b.id
      from enrollments e
      join exam_package_banks l on l.exam_package_id = e.exam_package_id
      join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where e.user_id = %(user_id)s and e.status = 'active'
       and (e.expires_at is null or e.expires_at > coalesce(%(now)s::timestamptz, clock_timestamp()))
), wanted as materialized (
    select l.question_bank_id as id
      from exam_package_banks l
     where l.exam_package_id = %(exam_package_id)s::text
       and exists (select from enrollments e where e.user_id = %(user_id)s and e.exam_package_id = l.exam_package_id)
)
select f.question_id, f.flagged_at, q.question_bank_id, v.version, v.kind, v.topic_id, v.difficulty_id,
       v.points as max_mark, left(v.stem, %(excerpt)s + 1) as stem, v.stem_format
  from flagged_questions f
  join questions q on q.id = f.question_id
 cross join lateral (
       select case when q.published_version is not null and q.question_bank_id in (select id from banks)
                   then q.published_version
                   else (select max(t.version) from practice_slots t
                          where t.user_id = f.user_id and t.question_id = f.question_id) end as version
  ) seen
 cross join lateral (
       select * from question_versions v where v.question_id = f.question_id and v.version = seen.version limit 1
  ) v
 where f.user_id = %(user_id)s
   and (%(exam_package_id)s::text is null or q.question_bank_id in (select id from wanted))
   and (%(after_at)s::timestamptz is null or (f.flagged_at, f.question_id) < (%(after_at)s, %(after_id)s))
 order by f.flagged_at desc, f.question_id desc
 limit %(limit)s;
