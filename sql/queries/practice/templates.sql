-- Templates of practice. A package is held before a template, and a template before its versions.

-- name: published_template
-- The foreign key of a session would take the same share of the version; taken here, nothing deletes it meanwhile. The
-- template itself is not held: however many begin to practise, its author need not wait.
select v.template_id, v.version, t.exam_package_id, v.title, v.description, v.settings, v.published_at, v.published_by
  from practice_templates t
  join practice_template_versions v on v.template_id = t.id and v.version = t.published_version
 where t.id = %(template_id)s
   for key share of v;

-- name: hold_package
-- NO KEY: sessions and enrolments that only refer to the package need not wait.
select id from exam_packages where id = %(exam_package_id)s for no key update;

-- name: has_templates
select exists (select from practice_templates where exam_package_id = %(exam_package_id)s) as found;

-- name: topics_of_package
select t.id
  from question_topics t
  join exam_package_banks l on l.question_bank_id = t.question_bank_id
 where l.exam_package_id = %(exam_package_id)s and t.id = any(%(topic_ids)s::text[]);

-- name: difficulties_among
select id from question_difficulties where id = any(%(difficulty_ids)s::text[]);

-- name: hold_template
select id, exam_package_id, author_id, title, description, settings, revision, latest_version, published_version,
       created_at, updated_at
  from practice_templates
 where id = %(template_id)s
   for no key update;

-- name: find_version
select v.template_id, v.version, t.exam_package_id, v.title, v.description, v.settings, v.published_at, v.published_by
  from practice_template_versions v
  join practice_templates t on t.id = v.template_id
 where v.template_id = %(template_id)s and v.version = %(version)s;

-- name: add_template
insert into practice_templates (id, exam_package_id, author_id, title, description, settings, revision, latest_version,
                                published_version, created_at, updated_at)
values (%(id)s, %(exam_package_id)s, %(author_id)s, %(title)s, %(description)s, %(settings)s, %(revision)s,
        %(latest_version)s, %(published_version)s, %(created_at)s, %(updated_at)s);

-- name: save_template
update practice_templates
   set title = %(title)s, description = %(description)s, settings = %(settings)s, revision = %(revision)s,
       latest_version = %(latest_version)s, published_version = %(published_version)s, updated_at = %(updated_at)s
 where id = %(id)s;

-- name: add_version
insert into practice_template_versions (template_id, version, title, description, settings, published_at, published_by)
values (%(template_id)s, %(version)s, %(title)s, %(description)s, %(settings)s, %(published_at)s, %(published_by)s);

-- name: is_template_used
select exists (select from practice_sessions where template_id = %(template_id)s) as used;

-- name: drop_versions
-- Waits for whoever is beginning a session from one of them; the foreign key of that session then refuses.
delete from practice_template_versions where template_id = %(template_id)s;

-- name: drop_template
delete from practice_templates where id = %(template_id)s;

-- name: list_templates
-- For staff; `template_id` asks for one.
select t.id, t.exam_package_id, t.author_id, t.title, t.description, t.settings, t.revision, t.latest_version,
       t.published_version, t.created_at, t.updated_at, v.title as shown_title, v.description as shown_description,
       v.settings as shown_settings, v.published_at, v.published_by
  from practice_templates t
  left join practice_template_versions v on v.template_id = t.id and v.version = t.published_version
 where (%(after)s::text is null or t.id > %(after)s::text)
   and (%(template_id)s::text is null or t.id = %(template_id)s::text)
   and (%(exam_package_id)s::text is null or t.exam_package_id = %(exam_package_id)s::text)
   and (%(published)s::boolean is null or (t.published_version is not null) = %(published)s::boolean)
   and (%(pattern)s::text is null or t.title ilike %(pattern)s::text)
 order by t.id
 limit %(limit)s;

-- name: list_offered_templates
-- Of the packages that the student is enrolled in now. A hidden package takes nothing from those who are.
select v.template_id, v.version, t.exam_package_id, v.title, v.description, v.settings, v.published_at, v.published_by
  from practice_templates t
  join practice_template_versions v on v.template_id = t.id and v.version = t.published_version
 where (%(after)s::text is null or t.id > %(after)s::text)
   and (%(template_id)s::text is null or t.id = %(template_id)s::text)
   and (%(exam_package_id)s::text is null or t.exam_package_id = %(exam_package_id)s::text)
   and t.exam_package_id in (
       select e.exam_package_id from enrollments e
        where e.user_id = %(user_id)s and e.status = 'active'
          and (e.expires_at is null or e.expires_at > coalesce(%(now)s::timestamptz, clock_timestamp())))
 order by t.id
 limit %(limit)s;
