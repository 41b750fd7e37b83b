-- Near duplicates of what an import brought. Its questions are those that it changed and nobody has changed since.

-- name: next_questions
-- A step through all questions by id, so that no step takes longer in a large bank than in a small one. Many more are
-- looked at than are wanted at once.
with wanted as materialized (
    select q.id
      from (select id, question_bank_id, updated_at from questions
             where id > %(after)s
             order by id
             limit %(ahead)s) q
     where q.question_bank_id = %(bank_id)s
       and (q.updated_at = %(at)s
            -- Questions that are older than sketches; asked one by one, for few questions are here and many sketches.
            or (%(unsketched)s and (select 1 from question_sketches s where s.question_id = q.id limit 1) is null))
     order by q.id
     limit %(limit)s
)
select array(select id from wanted order by id) as question_ids,
       case when (select count(*) from wanted) = %(limit)s then (select max(id) from wanted)
            else (select id from questions where id > %(after)s order by id offset %(ahead)s - 1 limit 1) end as reached;

-- name: hold_questions
-- Whoever changes a question holds it and writes its sketch, so nobody does between what is read next and what is
-- written. A statement of its own: the next one sees what was changed while this one waited.
select id from questions where id = any(%(question_ids)s::text[]) order by id for share;

-- name: stated_questions
select q.id as question_id, q.question_bank_id, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.answer_key,
       v.topic_id, v.difficulty_id, v.tags, v.points, v.shuffle
  from questions q
  join question_versions v on v.question_id = q.id and v.version = q.latest_version
 where q.id = any(%(question_ids)s::text[]);

-- name: replace_sketches
-- Values that are not in the sketch any more go, new ones come. A question that is gone by now gets none. In one order,
-- so that two that hold the same questions do not wait in a circle.
with sketches as materialized (
    select s.question_id, s.value, q.question_bank_id
      from unnest(%(question_ids)s::text[], %(values)s::bigint[]) as s (question_id, value)
      join questions q on q.id = s.question_id
), gone as (
    delete from question_sketches o
     using (select x.question_id, x.value
              from question_sketches x
             where x.question_id = any(%(all_ids)s::text[])
               and not exists (select from sketches s where s.question_id = x.question_id and s.value = x.value)
             order by x.question_id, x.value
               for update) old
     where o.question_id = any(%(all_ids)s::text[]) and o.question_id = old.question_id and o.value = old.value
)
insert into question_sketches (question_id, value, question_bank_id)
select question_id, value, question_bank_id from sketches
order by question_id, value
on conflict (question_id, value) do nothing
returning 1;

-- name: candidate_pairs
-- Pairs that share a value of their sketches, those that share most first. A value that more than twenty questions share
-- ("which of the following") says nothing and would make the number of pairs grow with the square of the bank. Of two
-- questions of one import the later one is told of.
select m.question_id, o.question_id as other_id
  from question_sketches m
  join question_sketches o on o.question_bank_id = m.question_bank_id and o.value = m.value and o.question_id <> m.question_id
  join questions q on q.id = o.question_id and (q.updated_at <> %(at)s or o.question_id < m.question_id)
 where m.question_id = any(%(question_ids)s::text[])
   and (select count(*) from (select from question_sketches c
                               where c.question_bank_id = m.question_bank_id and c.value = m.value limit 21) few) <= 20
 group by m.question_id, o.question_id
 order by count(*) desc, m.question_id, o.question_id
 limit %(limit)s;

-- name: add_pairs
insert into question_near_duplicates (import_id, question_id, other_id, resemblance)
select %(import_id)s, p.question_id, p.other_id, p.resemblance
  from unnest(%(question_ids)s::text[], %(other_ids)s::text[], %(resemblances)s::numeric[])
           as p (question_id, other_id, resemblance)
  join questions q on q.id = p.question_id
  join questions o on o.id = p.other_id
on conflict (import_id, question_id, other_id) do update set resemblance = excluded.resemblance
returning 1;

-- name: save_compared
update question_imports set compared_at = clock_timestamp() where id = %(import_id)s returning id;

-- name: read_comparison
-- Pairs show what the bank holds, so they are for those who see it, by its id, whatever it is called by now. Where there
-- is none, there is nothing to show to whoever imported.
select i.compared_at is not null as compared
  from question_imports i
  left join question_banks b on b.id = i.question_bank_id
 where i.id = %(import_id)s
   and (%(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
        or (b.id is null and i.actor_id = %(viewer_id)s)
        or exists (select from question_bank_editors e
                    where e.question_bank_id = b.id and e.user_id = %(viewer_id)s));

-- name: list_pairs
select p.question_id, q.external_id, left(v.stem, 200) as stem, p.other_id, o.external_id as other_external_id,
       left(w.stem, 200) as other_stem, p.resemblance, v.content_hash = w.content_hash as identical
  from question_near_duplicates p
  join questions q on q.id = p.question_id
  join question_versions v on v.question_id = q.id and v.version = q.latest_version
  join questions o on o.id = p.other_id
  join question_versions w on w.question_id = o.id and w.version = o.latest_version
 where p.import_id = %(import_id)s
   and (%(after_resemblance)s::numeric is null
        or (-p.resemblance, p.question_id, p.other_id)
           > (-%(after_resemblance)s::numeric, %(after_question)s::text, %(after_other)s::text))
 order by p.resemblance desc, p.question_id, p.other_id
 limit %(limit)s;
