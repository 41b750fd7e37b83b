-- The question bank: exports.

-- name: allow_long_export
-- An export may take minutes where a request may not. A reader that pauses longer than it may is let go by the use
-- case before this limit ends the session. Both settings end with the transaction.
select set_config('statement_timeout', '1min', true), set_config('idle_in_transaction_session_timeout', '90s', true);

-- name: find_bank
-- By id, or by slug at the command line; hidden banks are seen by their owners, co-editors and administrators.
select b.id, b.slug
from question_banks b
where (b.id = %(bank)s or b.slug = %(bank)s)
  and (b.visibility = 'visible' or %(sees_all)s or b.owner_id = %(user_id)s
       or exists (select from question_bank_editors e
                  where e.question_bank_id = b.id and e.user_id = %(user_id)s))
order by b.id = %(bank)s desc
limit 1;

-- name: shape_of_latest
-- How many options the richest question of choices has, in the latest versions. A file of CSV names them all in its
-- first line, before the first question is read.
select coalesce(max(jsonb_array_length(v.choices)), 0) as most_choices
from questions q
join question_versions v on v.question_id = q.id and v.version = q.latest_version
where q.question_bank_id = %(bank_id)s and v.kind in ('single', 'multiple', 'true_false');

-- name: shape_of_published
-- The same in the published versions.
select coalesce(max(jsonb_array_length(v.choices)), 0) as most_choices
from questions q
join question_versions v on v.question_id = q.id and v.version = q.published_version
where q.question_bank_id = %(bank_id)s and v.kind in ('single', 'multiple', 'true_false');

-- name: next_latest
-- The next questions in their latest versions. Byte order of the ids, so that an export is the same file everywhere.
select q.external_id, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.answer_key, v.topic_id, v.difficulty_id,
       v.tags, v.points, v.shuffle, t.name as topic, d.code as difficulty
from questions q
join question_versions v on v.question_id = q.id and v.version = q.latest_version
left join question_topics t on t.id = v.topic_id
left join question_difficulties d on d.id = v.difficulty_id
where q.question_bank_id = %(bank_id)s and q.external_id > %(after)s
order by q.external_id
limit %(most)s;

-- name: next_published
-- The same in their published versions, of those that have one.
select q.external_id, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.answer_key, v.topic_id, v.difficulty_id,
       v.tags, v.points, v.shuffle, t.name as topic, d.code as difficulty
from questions q
join question_versions v on v.question_id = q.id and v.version = q.published_version
left join question_topics t on t.id = v.topic_id
left join question_difficulties d on d.id = v.difficulty_id
where q.question_bank_id = %(bank_id)s and q.external_id > %(after)s
order by q.external_id
limit %(most)s;
