-- Grading exams again, and questions that are declared void. `contents` and `versions_of` read keys, to grade with.

-- name: contents
-- Versions with all that tells whether two of them ask the same, and with their keys.
select v.question_id, v.version, v.kind, v.choices, v.prompts, v.answer_key
  from unnest(%(question_ids)s::text[], %(versions)s::integer[]) as asked (question_id, version)
  join question_versions v on v.question_id = asked.question_id and v.version = asked.version;

-- name: published_versions
-- By the primary key.
select id, published_version from questions where id = any(%(question_ids)s::text[]) and published_version is not null;

-- name: hold_package
-- What is declared void in a package is declared in turn. NO KEY: sessions that begin meanwhile need not wait.
select id from exam_packages where id = %(exam_package_id)s for no key update;

-- name: add_void
-- Never changed afterwards: the latest about a version counts.
insert into exam_voids (id, exam_package_id, question_id, version, mode, accepted, reason, created_at, created_by)
values (%(id)s, %(exam_package_id)s, %(question_id)s, %(version)s, %(mode)s, %(accepted)s, %(reason)s, %(created_at)s,
        %(created_by)s);

-- name: find_void
-- By the primary key.
select id, exam_package_id, question_id, version, mode, accepted, reason, created_at, created_by
  from exam_voids
 where id = %(id)s;

-- name: list_voids
-- By the index of voids by package: they are few in each. One row of nulls tells a package without any from none at all.
select v.*
  from exam_packages p
  left join lateral (
       select v.id, v.exam_package_id, v.question_id, v.version, v.mode, v.accepted, v.reason, v.created_at, v.created_by
         from exam_voids v
        where v.exam_package_id = p.id
          and (%(after_id)s::text is null
               or (v.created_at, v.id) < (%(after_at)s::timestamptz, %(after_id)s::text))
        order by v.created_at desc, v.id desc
        limit %(limit)s
 ) v on true
 where p.id = %(exam_package_id)s
 order by v.created_at desc, v.id desc;

-- name: use
-- Which versions of a question the sessions of a package were asked, and whether it is in a bank of the package.
select q.published_version as published,
       exists (select from exam_package_banks l
                where l.exam_package_id = p.id and l.question_bank_id = q.question_bank_id) as belongs,
       array(select distinct t.version
               from exam_slots t
               join exam_sessions s on s.user_id = t.user_id and s.id = t.session_id
              where t.question_id = q.id and s.exam_package_id = p.id
              order by t.version) as asked
  from exam_packages p
  left join questions q on q.id = %(question_id)s
 where p.id = %(exam_package_id)s;

-- name: count_affected
-- Of the sessions of a package that were asked these versions: those with a grade, and those under way.
select count(*) filter (where s.status in ('finished', 'invalidated') and s.grade_revision > 0) as graded,
       count(*) filter (where s.status in ('created', 'active', 'paused', 'overdue')) as live
  from exam_slots t
  join exam_sessions s on s.user_id = t.user_id and s.id = t.session_id
 where t.question_id = %(question_id)s and t.version = any(%(versions)s::integer[])
   and s.exam_package_id = %(exam_package_id)s;

-- name: graded
-- Sessions with their latest grade and the slot that asks the question, in the order of the index of slots by question.
-- The limit of one within keeps that order: no other is tried that would read more than the sessions wanted.
select s.*,
       jsonb_build_object(
           'user_id', t.user_id, 'session_id', t.session_id, 'slot', t.slot, 'section', t.section,
           'question_id', t.question_id, 'version', t.version, 'choice_order', t.choice_order,
           'max_mark', t.max_mark::text, 'response', t.response, 'revision', t.revision, 'certainty', t.certainty,
           'answered_at', t.answered_at
       ) as slot
  from exam_slots t
 cross join lateral (
       select s.user_id, s.id, s.exam_package_id, s.tier_id, s.attempt_no, s.created_at, s.rules, s.status,
              s.started_at, s.sealed_at, s.seal_reason, s.grade_revision, s.mark, s.max_mark, s.certainty_mark,
              s.passed, s.graded_at,
              jsonb_build_object(
                  'user_id', g.user_id, 'session_id', g.session_id, 'revision', g.revision, 'mark', g.mark::text,
                  'max_mark', g.max_mark::text, 'certainty_mark', g.certainty_mark::text, 'passed', g.passed,
                  'marks', g.marks, 'voids', g.voids, 'mode', g.mode, 'graded_at', g.graded_at
              ) as grade
         from exam_sessions s
         join exam_grades g on g.user_id = s.user_id and g.session_id = s.id and g.revision = s.grade_revision
        where s.user_id = t.user_id and s.id = t.session_id
          and s.exam_package_id = %(exam_package_id)s and s.status in ('finished', 'invalidated')
        limit 1
 ) s
 where t.question_id = %(question_id)s and t.version = any(%(versions)s::integer[])
   and (%(after_user_id)s::text is null or (t.user_id, t.session_id) > (%(after_user_id)s::text, %(after_id)s::text))
 order by t.user_id, t.session_id
 limit %(limit)s;

-- name: versions_of
-- Every version of a question with its key: a grade may have been made by another one than was asked.
select question_id, version, kind, choices, prompts, answer_key from question_versions where question_id = %(question_id)s;

-- name: without_void
-- Sessions whose latest grade does not regard a void of the question, in the same order and for the same reason.
select t.user_id, t.session_id
  from exam_slots t
 cross join lateral (
       select
         from exam_sessions s
         join exam_grades g on g.user_id = s.user_id and g.session_id = s.id and g.revision = s.grade_revision
        where s.user_id = t.user_id and s.id = t.session_id
          and s.exam_package_id = %(exam_package_id)s and s.status in ('finished', 'invalidated')
          and not %(void_id)s = any(g.voids)
        limit 1
 ) graded
 where t.question_id = %(question_id)s and t.version = %(version)s
   and (%(after_user_id)s::text is null or (t.user_id, t.session_id) > (%(after_user_id)s::text, %(after_id)s::text))
 order by t.user_id, t.session_id
 limit %(limit)s;

-- name: count_without_void
-- How many of them there are, counted once when a void is declared.
select count(*) as outdated
  from exam_slots t
  join exam_sessions s on s.user_id = t.user_id and s.id = t.session_id
  join exam_grades g on g.user_id = s.user_id and g.session_id = s.id and g.revision = s.grade_revision
 where t.question_id = %(question_id)s and t.version = %(version)s
   and s.exam_package_id = %(exam_package_id)s and s.status in ('finished', 'invalidated')
   and not %(void_id)s = any(g.voids);
