-- The finished exams of a package, for their statistics, and what the questions in them are called.

-- name: sampled_package
-- An id has an underscore and a slug has none, so no name means two packages. What is counted stands in the index
-- `exam_sessions_sealed`: it is asked for with every request, and of every package by the job that suggests reviews.
select p.id, p.title, p.blueprint is not null or p.settings ->> 'question_count' is not null as draws,
       s.finished, s.changed_at, coalesce(%(now)s::timestamptz, clock_timestamp()) as now
  from exam_packages p
 cross join lateral (
       select count(*)::integer as finished, max(graded_at) as changed_at
         from exam_sessions where exam_package_id = p.id and status = 'finished'
  ) s
 where p.id = %(name)s or p.slug = %(name)s;

-- name: sampled_attempts
-- One of each student by the rule, or all of them. Only finished attempts count, which are those with a grade.
with counted as (
    select distinct on (user_id, case when %(rule)s = 'all' then id end) user_id, id, sealed_at
      from exam_sessions
     where exam_package_id = %(exam_package_id)s and status = 'finished'
     order by user_id, case when %(rule)s = 'all' then id end,
              case when %(rule)s = 'last' then -attempt_no end,
              case when %(rule)s = 'highest' then mark / nullif(max_mark, 0) end desc nulls last,
              attempt_no
)
select user_id, id from counted order by sealed_at desc, user_id, id limit %(most)s;

-- name: sampled_papers
-- A column each, as arrays: of a million slots a row each would take several times as long to read. A slot that its
-- grade has dropped is worth nothing, to nobody.
select p.sections, p.question_ids, p.versions, p.marks, p.max_marks, p.correct, p.chosen
  from unnest(%(user_ids)s::text[], %(session_ids)s::text[]) with ordinality as w (user_id, session_id, place)
  join exam_sessions e on e.user_id = w.user_id and e.id = w.session_id
  join exam_grades g on g.user_id = e.user_id and g.session_id = e.id and g.revision = e.grade_revision
 cross join lateral (
       select array_agg(s.section) as sections, array_agg(s.question_id) as question_ids,
              array_agg(s.version) as versions, array_agg((coalesce(s.mark, 0) * 1000000)::bigint) as marks,
              array_agg(case when g.voids <> '{}' and exists (
                                  select from exam_voids v
                                   where v.id = any(g.voids) and v.mode = 'drop'
                                     and v.question_id = s.question_id and v.version = s.version) then 0
                             else (s.max_mark * 1000000)::bigint end) as max_marks,
              array_agg(s.correct) as correct, array_agg(coalesce(s.response ->> 'choice_ids', '[]')) as chosen
         from (select * from exam_slots where user_id = e.user_id and session_id = e.id order by slot) s
  ) p
 order by w.place;

-- name: choices_of_versions
-- Of the kinds in which something is chosen.
select v.question_id, v.version, array(select c ->> 'id' from jsonb_array_elements(v.choices) c) as choice_ids
  from unnest(%(question_ids)s::text[], %(versions)s::integer[]) as asked (question_id, version)
  join question_versions v on v.question_id = asked.question_id and v.version = asked.version
 where v.kind in ('single', 'multiple', 'true_false');

-- name: voided_versions
-- By the index of voids by package: of several of a version the latest decides.
select distinct on (question_id, version) question_id, version, mode
  from exam_voids
 where exam_package_id = %(exam_package_id)s
 order by question_id, version, created_at desc, id desc;

-- name: labels_of_versions
-- What an exam asks may come from a bank that an instructor may not see.
select v.question_id, q.external_id, v.kind, v.topic_id, left(v.stem, %(excerpt)s + 1) as stem, v.stem_format
  from unnest(%(question_ids)s::text[], %(versions)s::integer[]) as asked (question_id, version)
  join question_versions v on v.question_id = asked.question_id and v.version = asked.version
  join questions q on q.id = v.question_id
  join question_banks b on b.id = q.question_bank_id
 where %(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
    or exists (select from question_bank_editors d where d.question_bank_id = b.id and d.user_id = %(viewer_id)s);

-- name: packages_with_exams
-- By the primary key, and one look into an index for each.
select p.id from exam_packages p
 where p.id > %(after)s
   and exists (select from exam_sessions s where s.exam_package_id = p.id and s.status = 'finished')
 order by p.id
 limit %(limit)s;
