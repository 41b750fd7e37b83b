-- Questions that the statistics of exams find wanting.

-- name: suggestions_of
-- In one order, so that two that hold those of a package do not wait in a circle.
select exam_package_id, question_id, version, reasons, figures, attempts, suggested_at, dismissed_at, dismissed_by,
       dismiss_reason
  from question_suggestions
 where exam_package_id = %(exam_package_id)s
 order by question_id, version
   for update;

-- name: hold_suggestion
select exam_package_id, question_id, version, reasons, figures, attempts, suggested_at, dismissed_at, dismissed_by,
       dismiss_reason
  from question_suggestions
 where exam_package_id = %(exam_package_id)s and question_id = %(question_id)s and version = %(version)s
   for update;

-- name: save_suggestions
-- Whoever was first made it; what was dismissed meanwhile is not opened again.
insert into question_suggestions (exam_package_id, question_id, version, reasons, figures, attempts, suggested_at,
                                  dismissed_at, dismissed_by, dismiss_reason)
select exam_package_id, question_id, version, reasons, figures, attempts, suggested_at, dismissed_at, dismissed_by,
       dismiss_reason
  from jsonb_to_recordset(%(suggestions)s::jsonb)
           as s (exam_package_id text, question_id text, version integer, reasons text[], figures jsonb,
                 attempts integer, suggested_at timestamptz, dismissed_at timestamptz, dismissed_by text,
                 dismiss_reason text)
 order by exam_package_id, question_id, version
on conflict (exam_package_id, question_id, version) do update
   set reasons = excluded.reasons, figures = excluded.figures, attempts = excluded.attempts,
       dismissed_at = excluded.dismissed_at, dismissed_by = excluded.dismissed_by,
       dismiss_reason = excluded.dismiss_reason
 where question_suggestions.dismissed_at is null;

-- name: drop_suggestions
delete from question_suggestions o
 using unnest(%(exam_package_ids)s::text[], %(question_ids)s::text[], %(versions)s::integer[])
           as s (exam_package_id, question_id, version)
 where o.exam_package_id = s.exam_package_id and o.question_id = s.question_id and o.version = s.version
   and o.dismissed_at is null;

-- name: bank_of_question
select b.id, b.slug, b.visibility = 'visible' as visible, b.owner_id, q.author_id,
       array(select e.user_id from question_bank_editors e where e.question_bank_id = b.id order by 1) as co_editors
  from questions q
  join question_banks b on b.id = q.question_bank_id
 where q.id = %(question_id)s;

-- name: list_suggestions
-- Of the version that is published: what was said about those before it is settled. In the order of the index.
select s.exam_package_id, s.question_id, s.version, s.reasons, s.figures, s.attempts, s.suggested_at,
       q.external_id, v.kind, v.topic_id, left(v.stem, %(excerpt)s + 1) as stem, v.stem_format
  from question_suggestions s
  join questions q on q.id = s.question_id and q.published_version = s.version
  join question_versions v on v.question_id = s.question_id and v.version = s.version
  join question_banks b on b.id = q.question_bank_id
 where s.dismissed_at is null
   and (%(exam_package_id)s::text is null or s.exam_package_id = %(exam_package_id)s)
   and (%(reason)s::text is null or %(reason)s = any(s.reasons))
   and (%(after_at)s::timestamptz is null or s.suggested_at < %(after_at)s
        or (s.suggested_at = %(after_at)s
            and (s.exam_package_id, s.question_id, s.version)
                > (%(after_package)s::text, %(after_question)s::text, %(after_version)s::integer)))
   and (%(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
        or exists (select from question_bank_editors d
                    where d.question_bank_id = b.id and d.user_id = %(viewer_id)s))
 order by s.suggested_at desc, s.exam_package_id, s.question_id, s.version
 limit %(limit)s;
