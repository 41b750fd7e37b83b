-- Exam packages with their tiers.

-- name: add_package
-- No row when the slug is in use, by a package that may have been added a moment ago by someone else.
with added as (
    insert into exam_packages (id, slug, title, description, visibility, pass_mark, duration_seconds, settings,
                               blueprint, version, created_at, updated_at)
    values (%(id)s, %(slug)s, %(title)s, %(description)s, %(visibility)s, %(pass_mark)s, %(duration_seconds)s,
            %(settings)s, %(blueprint)s, %(version)s, %(now)s, %(now)s)
    on conflict (slug) do nothing
    returning id
), tiers as (
    insert into exam_package_tiers (id, exam_package_id, name, is_default, self_service, active,
                                    weekly_practice_sessions, weekly_exam_sessions, access_days, rank)
    select t.id, added.id, t.name, t.is_default, t.self_service, t.active,
           t.weekly_practice_sessions, t.weekly_exam_sessions, t.access_days, t.rank
      from added,
           jsonb_to_recordset(%(tiers)s::jsonb)
               as t (id text, name text, is_default boolean, self_service boolean, active boolean,
                     weekly_practice_sessions integer, weekly_exam_sessions integer, access_days integer, rank integer)
)
select id from added

-- name: hold_package
-- NO KEY: whoever only refers to the package need not wait. An id has an underscore and a slug has none, so no name
-- means two packages.
select id from exam_packages where id = %(name)s or slug = %(name)s for no key update

-- name: hold_package_alone
-- Whoever refers to the row shares it until they have committed, and comes after us from now on.
select id from exam_packages where id = %(name)s or slug = %(name)s for update

-- name: read_package
-- Apart from the statement that waits for the row: that one would find the package as it has become, but the tiers as
-- they were when the wait began.
select p.id, p.slug, p.title, p.description, p.visibility, p.pass_mark, p.duration_seconds, p.settings, p.blueprint,
       p.version,
       coalesce((select jsonb_agg(to_jsonb(t) order by t.is_default desc, t.id)
                   from exam_package_tiers t where t.exam_package_id = p.id), '[]') as tiers
  from exam_packages p
 where p.id = %(id)s

-- name: save_package
-- Only while it is held.
update exam_packages
   set slug = %(slug)s, title = %(title)s, description = %(description)s, visibility = %(visibility)s,
       pass_mark = %(pass_mark)s, duration_seconds = %(duration_seconds)s, settings = %(settings)s,
       blueprint = %(blueprint)s, version = %(version)s, updated_at = greatest(updated_at, %(now)s)
 where id = %(id)s

-- name: is_package_used
-- Asked while it is held alone, in a statement of its own that sees what those have committed who were waited for.
-- Whoever practised or sat an exam was enrolled, and enrolments are never deleted.
select exists (select from enrollments where exam_package_id = %(package_id)s)
    or exists (select from exam_sessions where exam_package_id = %(package_id)s)
    or exists (select from exam_voids where exam_package_id = %(package_id)s)
    or exists (select from practice_templates where exam_package_id = %(package_id)s) as used

-- name: drop_banks_of
-- The banks stay, only that the package draws from them goes.
delete from exam_package_banks where exam_package_id = %(package_id)s

-- name: drop_tiers_of
-- Tiers belong to nothing but their package.
delete from exam_package_tiers where exam_package_id = %(package_id)s

-- name: drop_package
-- Last: foreign keys of what belongs to it are not deferred.
delete from exam_packages where id = %(package_id)s

-- name: clear_default_tier
-- Before another tier becomes the default: the index that allows one is asked row by row.
update exam_package_tiers
   set is_default = false
 where exam_package_id = %(exam_package_id)s and is_default and id <> %(id)s

-- name: save_tier
-- Whether it is new or not: its package is held.
insert into exam_package_tiers (id, exam_package_id, name, is_default, self_service, active,
                                weekly_practice_sessions, weekly_exam_sessions, access_days, rank)
values (%(id)s, %(exam_package_id)s, %(name)s, %(is_default)s, %(self_service)s, %(active)s,
        %(weekly_practice_sessions)s, %(weekly_exam_sessions)s, %(access_days)s, %(rank)s)
on conflict (id) do update
   set name = excluded.name, is_default = excluded.is_default, self_service = excluded.self_service,
       active = excluded.active, weekly_practice_sessions = excluded.weekly_practice_sessions,
       weekly_exam_sessions = excluded.weekly_exam_sessions, access_days = excluded.access_days, rank = excluded.rank

-- name: hold_tier_alone
-- Whoever enrols in the tier refers to it: those who came first are waited for, those who come later wait.
select 1 as held from exam_package_tiers where id = %(tier_id)s for update

-- name: is_tier_used
-- After the wait, see is_package_used.
select exists (select from enrollments where tier_id = %(tier_id)s)
    or exists (select from exam_sessions where tier_id = %(tier_id)s) as used

-- name: drop_tier
-- Only while it is held alone.
delete from exam_package_tiers where id = %(tier_id)s

-- name: find_banks
-- An id has an underscore and a slug has none, so no name means two banks.
select id, slug from question_banks where id = any(%(names)s::text[]) or slug = any(%(names)s::text[])

-- name: banks_of
-- By the primary key.
select question_bank_id as id from exam_package_banks where exam_package_id = %(package_id)s order by question_bank_id

-- name: topics_among
-- By the primary key of topics, a blueprint has few.
select id from question_topics where id = any(%(topic_ids)s::text[]) and question_bank_id = any(%(bank_ids)s::text[])

-- name: difficulties_among
-- There are a handful.
select id from question_difficulties where id = any(%(difficulty_ids)s::text[])

-- name: unlink_banks
-- What was drawn from them before stays with the sessions that it was drawn for.
delete from exam_package_banks
 where exam_package_id = %(package_id)s and question_bank_id = any(%(bank_ids)s::text[])

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
    select p.id, p.slug, p.title, p.description, p.duration_seconds, p.pass_mark, p.settings, p.blueprint, p.version
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
       coalesce((select jsonb_agg(to_jsonb(t) order by t.is_default desc, t.id)
                   from exam_package_tiers t
                  where t.exam_package_id = page.id and t.active and t.self_service), '[]') as tiers
  from page
 order by page.id

-- name: find_visible_package
-- As in the list, by the indexes of id and slug.
select p.id, p.slug, p.title, p.description, p.duration_seconds, p.pass_mark, p.settings, p.blueprint, p.version,
       coalesce((select sum(b.published_count)
                   from exam_package_banks l
                   join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
                  where l.exam_package_id = p.id), 0)::bigint as question_count,
       coalesce((select jsonb_agg(to_jsonb(t) order by t.is_default desc, t.id)
                   from exam_package_tiers t
                  where t.exam_package_id = p.id and t.active and t.self_service), '[]') as tiers
  from exam_packages p
 where (p.id = %(name)s or p.slug = %(name)s) and p.visibility = 'visible'

-- name: list_topics
-- Counted from the index by which a topic's questions are drawn.
select t.id, t.name,
       (select count(*) from questions q where q.topic_id = t.id and q.published_version is not null) as question_count
  from exam_package_banks l
  join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
  join question_topics t on t.question_bank_id = b.id
 where l.exam_package_id = %(package_id)s
 order by t.name, t.id

-- name: list_packages_of_staff
-- Hidden ones too, with all tiers. What is counted is what a student would be dealt: hidden banks are not.
with page as materialized (
    select p.*
      from exam_packages p
     where (%(visibility)s::text is null or p.visibility = %(visibility)s::text)
       and (%(after)s::text is null or p.id > %(after)s::text)
       and (%(text)s::text is null
            or strpos(lower(p.title), lower(%(text)s::text)) > 0
            or strpos(p.slug, lower(%(text)s::text)) > 0
            or strpos(lower(p.description), lower(%(text)s::text)) > 0)
     order by p.id
     limit %(limit)s
)
select page.*,
       array(select l.question_bank_id from exam_package_banks l where l.exam_package_id = page.id
              order by l.question_bank_id) as question_bank_ids,
       coalesce((select sum(b.published_count)
                   from exam_package_banks l
                   join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
                  where l.exam_package_id = page.id), 0)::bigint as question_count,
       coalesce((select jsonb_agg(to_jsonb(t) order by t.is_default desc, t.id)
                   from exam_package_tiers t where t.exam_package_id = page.id), '[]') as tiers
  from page
 order by page.id

-- name: find_package_of_staff
-- As in the list, by the indexes of id and slug.
select p.*,
       array(select l.question_bank_id from exam_package_banks l where l.exam_package_id = p.id
              order by l.question_bank_id) as question_bank_ids,
       coalesce((select sum(b.published_count)
                   from exam_package_banks l
                   join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
                  where l.exam_package_id = p.id), 0)::bigint as question_count,
       coalesce((select jsonb_agg(to_jsonb(t) order by t.is_default desc, t.id)
                   from exam_package_tiers t where t.exam_package_id = p.id), '[]') as tiers
  from exam_packages p
 where p.id = %(name)s or p.slug = %(name)s
