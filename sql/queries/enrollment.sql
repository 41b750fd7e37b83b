-- name: hold_student
-- Changes to one student's enrolments take turns here. NO KEY: rows that only refer to the student need not wait.
select 1 as held from users where id = %(user_id)s for no key update

-- name: find_package
-- Hidden ones too: the rule needs to know. The tiers come along, so that it is one round trip.
select p.id, p.slug, p.title, p.description, p.visibility, p.pass_mark, p.duration_seconds, p.version,
       coalesce((select jsonb_agg(to_jsonb(t) order by t.is_default desc, t.id)
                   from exam_package_tiers t where t.exam_package_id = p.id), '[]') as tiers
  from exam_packages p
 where p.id = %(package_id)s

-- name: find_last_enrollment
-- An active row has no end and comes first; otherwise the one that ended last. A student has few rows per package.
select user_id, id, exam_package_id, tier_id, started_at, ended_at, end_reason
  from enrollments
 where user_id = %(user_id)s and exam_package_id = %(package_id)s
 order by ended_at desc nulls first, id desc
 limit 1

-- name: add_enrollment
-- The index enrollments_one_active makes a second active row impossible, whoever forgets to hold the student.
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)
values (%(user_id)s, %(id)s, %(exam_package_id)s, %(tier_id)s, 'active', %(started_at)s)

-- name: end_enrollment
-- The only update that a row ever sees, and only once: an ended row does not match.
update enrollments
   set status = 'ended', ended_at = %(ended_at)s, end_reason = %(end_reason)s
 where user_id = %(user_id)s and id = %(id)s and status = 'active'

-- name: add_package
-- No row when the slug is in use, by a package that may have been added a moment ago by someone else.
with added as (
    insert into exam_packages (id, slug, title, description, visibility, pass_mark, duration_seconds, version,
                               created_at, updated_at)
    values (%(id)s, %(slug)s, %(title)s, %(description)s, %(visibility)s, %(pass_mark)s, %(duration_seconds)s,
            %(version)s, %(now)s, %(now)s)
    on conflict (slug) do nothing
    returning id
), tiers as (
    insert into exam_package_tiers (id, exam_package_id, name, is_default, self_service, active)
    select t.id, added.id, t.name, t.is_default, t.self_service, t.active
      from added,
           jsonb_to_recordset(%(tiers)s::jsonb)
               as t (id text, name text, is_default boolean, self_service boolean, active boolean)
)
select id from added

-- name: hold_package
-- After add_package, so it sees a package that was added while that one waited.
select p.id, p.slug, p.title, p.description, p.visibility, p.pass_mark, p.duration_seconds, p.version,
       coalesce((select jsonb_agg(to_jsonb(t) order by t.is_default desc, t.id)
                   from exam_package_tiers t where t.exam_package_id = p.id), '[]') as tiers
  from exam_packages p
 where p.slug = %(slug)s
   for no key update of p

-- name: find_banks
-- An id has an underscore and a slug has none, so no name means two banks.
select id, slug from question_banks where id = any(%(names)s::text[]) or slug = any(%(names)s::text[])

-- name: link_banks
-- Returns the new links only; linking again changes nothing.
insert into exam_package_banks (exam_package_id, question_bank_id)
select %(package_id)s, bank_id from unnest(%(bank_ids)s::text[]) as bank_id
on conflict do nothing
returning question_bank_id

-- name: list_packages
-- Each bank keeps how many of its questions are published, so a page costs the same however many there are. Letters are
-- compared without case by the database.
with page as materialized (
    select p.id, p.slug, p.title, p.description, p.duration_seconds, p.pass_mark, p.version
      from exam_packages p
     where p.visibility = 'visible'
       and (%(after)s::text is null or p.id > %(after)s::text)
       and (%(text)s::text is null
            or strpos(lower(p.title), lower(%(text)s::text)) > 0
            or strpos(p.slug, lower(%(text)s::text)) > 0
            or strpos(lower(p.description), lower(%(text)s::text)) > 0)
     order by p.id
     limit %(limit)s
)
select page.*,
       coalesce((select sum(b.published_count)
                   from exam_package_banks l
                   join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
                  where l.exam_package_id = page.id), 0)::bigint as question_count,
       coalesce((select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'is_default', t.is_default)
                                  order by t.is_default desc, t.id)
                   from exam_package_tiers t
                  where t.exam_package_id = page.id and t.active and t.self_service), '[]') as tiers
  from page
 order by page.id

-- name: list_enrollments
-- Identifiers grow with time, so the primary key read backwards is the newest first. Hidden packages stay in the list.
select e.id, e.exam_package_id, p.slug as package_slug, p.title as package_title, e.tier_id, t.name as tier_name,
       e.status, e.started_at, e.ended_at, e.end_reason
  from enrollments e
  join exam_packages p on p.id = e.exam_package_id
  join exam_package_tiers t on t.id = e.tier_id
 where e.user_id = %(user_id)s and (%(after)s::text is null or e.id < %(after)s::text)
 order by e.id desc
 limit %(limit)s
