-- Papers by blueprint: what may be drawn, and the questions that were.

-- name: find_source
-- Hidden packages too: whoever sits or prepares an exam need not be able to enrol in it.
select 1 as found from exam_packages where id = %(exam_package_id)s;

-- name: paper_pool
-- For each filter that a section has, the `most` nearest questions behind the start of the circle that the student has
-- not been served, and all that the student has: as `most` is at least the length of the paper, a section that finds
-- `most` of them can always be filled, and of any other all are here, so nothing that is left out could matter. Exactly
-- one part of `fresh` runs per filter, the one whose index fits it; a branch behind the start is read only when the
-- circle closes.
with banks as materialized (
    select l.question_bank_id as id
      from exam_package_banks l join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where l.exam_package_id = %(exam_package_id)s
), seen as materialized (
    select question_id as id, count(*)::integer as times
      from (select question_id from practice_slots where user_id = %(user_id)s::text
            union all
            select question_id from exam_slots where user_id = %(user_id)s::text) served
     group by question_id
), wanted as materialized (
    select distinct topic_id, difficulty_id
      from jsonb_to_recordset(%(sections)s::jsonb) as s (topic_id text, difficulty_id text)
), topics as materialized (
    select w.topic_id, w.difficulty_id from wanted w join question_topics t on t.id = w.topic_id
      join banks on banks.id = t.question_bank_id
), fresh as (
    select w.topic_id, w.difficulty_id, q.id, q.draw_key from wanted w cross join banks b cross join lateral (
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.published_version is not null and q.draw_key >= %(start)s::float8
            and not exists (select from seen where seen.id = q.id)
          order by q.draw_key limit %(most)s)
        union all
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.published_version is not null and q.draw_key < %(start)s::float8
            and not exists (select from seen where seen.id = q.id)
          order by q.draw_key limit %(most)s)
        limit %(most)s
    ) q
     where w.topic_id is null and w.difficulty_id is null
    union all
    select w.topic_id, w.difficulty_id, q.id, q.draw_key from wanted w cross join banks b cross join lateral (
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.difficulty_id = w.difficulty_id and q.published_version is not null
            and q.draw_key >= %(start)s::float8 and not exists (select from seen where seen.id = q.id)
          order by q.draw_key limit %(most)s)
        union all
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.difficulty_id = w.difficulty_id and q.published_version is not null
            and q.draw_key < %(start)s::float8 and not exists (select from seen where seen.id = q.id)
          order by q.draw_key limit %(most)s)
        limit %(most)s
    ) q
     where w.topic_id is null and w.difficulty_id is not null
    union all
    select w.topic_id, w.difficulty_id, q.id, q.draw_key from topics w cross join lateral (
        (select q.id, q.draw_key from questions q
          where q.topic_id = w.topic_id and q.published_version is not null and q.draw_key >= %(start)s::float8
            and (w.difficulty_id is null or q.difficulty_id = w.difficulty_id)
            and not exists (select from seen where seen.id = q.id)
          order by q.draw_key limit %(most)s)
        union all
        (select q.id, q.draw_key from questions q
          where q.topic_id = w.topic_id and q.published_version is not null and q.draw_key < %(start)s::float8
            and (w.difficulty_id is null or q.difficulty_id = w.difficulty_id)
            and not exists (select from seen where seen.id = q.id)
          order by q.draw_key limit %(most)s)
        limit %(most)s
    ) q
), nearest as (
    -- Of several banks the nearest on the common circle, so that a small one is not drawn from more than its share.
    select id, row_number() over (partition by topic_id, difficulty_id order by draw_key < %(start)s::float8, draw_key, id)
               as place
      from fresh
), pooled as (
    select id from nearest where place <= %(most)s union select id from seen
)
select q.id as question_id, q.published_version as version, q.topic_id, q.difficulty_id, coalesce(s.times, 0) as seen
  from pooled p
  join questions q on q.id = p.id and q.published_version is not null
  join banks on banks.id = q.question_bank_id
  left join seen s on s.id = p.id;

-- name: paper_questions
-- What a student may see of the drawn versions; no key is read.
select v.question_id, v.version, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.points as max_mark, v.shuffle
  from unnest(%(question_ids)s::text[], %(versions)s::integer[]) as drawn (question_id, version)
  join question_versions v on v.question_id = drawn.question_id and v.version = drawn.version;
