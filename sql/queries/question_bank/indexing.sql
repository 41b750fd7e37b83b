-- What makes questions searchable.

-- name: next_questions
-- The next ones by id, whichever bank they are in: the primary key is the one order that every question stands in. Many
-- more are looked at than are wanted at once, so that a small bank among a million questions takes few steps.
with wanted as materialized (
    select q.id
      from (select id, question_bank_id, updated_at from questions
             where id > %(after)s
             order by id
             limit %(ahead)s) q
     where q.question_bank_id = any(array(select b.id from question_banks b where b.id = %(bank)s or b.slug = %(bank)s))
       and (%(since)s::timestamptz is null or q.updated_at >= %(since)s)
     order by q.id
     limit %(limit)s
)
select array(select id from wanted order by id) as question_ids,
       case when (select count(*) from wanted) = %(limit)s then (select max(id) from wanted)
            else (select id from questions where id > %(after)s order by id offset %(ahead)s - 1 limit 1) end as reached;

-- name: hold_questions
-- Whoever changes a question holds it and indexes it again, so nobody does between what is read next and what is written.
-- A statement of its own: the next one sees what was changed while this one waited.
select id from questions where id = any(%(question_ids)s::text[]) order by id for share;

-- name: index_questions
-- The latest version, which is what staff work on. Texts that are too long for one document are cut. What a list filters
-- by stands in the document as well, so that a search for a common word in a small topic reads one index.
insert into question_search as s (question_id, question_bank_id, document)
select q.id, q.question_bank_id,
       setweight(to_tsvector(b.language::regconfig, v.stem), 'A')
       || setweight(to_tsvector(b.language::regconfig, q.external_id || ' ' || array_to_string(v.tags, ' ')), 'B')
       || setweight(to_tsvector(b.language::regconfig, left(coalesce(c.texts, ''), 100000)), 'C')
       || array_to_tsvector(
              array[' question', ' bank ' || q.question_bank_id, ' kind ' || v.kind,
                    ' state ' || split_part(q.listed_as, ' ', 1)]
              || array_remove(array[' topic ' || q.topic_id, ' difficulty ' || q.difficulty_id,
                                    ' author ' || q.author_id], null)
              || array(select ' tag ' || tag from unnest(v.tags) tag))
  from questions q
  join question_banks b on b.id = q.question_bank_id
  join question_versions v on v.question_id = q.id and v.version = q.latest_version
 cross join lateral (select string_agg(shown ->> 'text', ' ') as texts
                       from jsonb_array_elements(v.choices || v.prompts) shown) c
 where q.id = any(%(question_ids)s::text[])
 order by q.id
on conflict (question_id) do update
set question_bank_id = excluded.question_bank_id, document = excluded.document
where s.document is distinct from excluded.document or s.question_bank_id <> excluded.question_bank_id;
