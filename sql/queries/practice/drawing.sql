-- Which questions a practice session is made of. No key is read. Practice tells keys, so what stands on the paper of an
-- exam that the student can still go on with (`sitting`, the rule of enrollment/enrolling `has_live_exam`) is not drawn.
-- It is left out before anything is limited, from a hashed list that is made once: of no row while no exam is under way.

-- name: draw_questions
-- A window of at most 500 questions of each matching part, read from an index alone, from the session's own start on
-- the circle of draw keys; a hash with the session picks from the 500 nearest. Exactly one of the three parts runs, the
-- one whose index fits the filter; a branch behind the start is read only when the circle closes. Every question's
-- chance is the same: exactly where no more than 500 match, otherwise within some percent (standard deviation 4.5).
-- Where unseen questions are wanted the circle is that of the questions which the student never answered: each question
-- on the way is looked up in the student's answers, so that it costs as many look-ups as answers lie on the way.
-- Where kinds are wanted they are looked for among the 500 nearest: of a kind that is rare among very many questions
-- fewer than asked for may be found. A kind is asked for as a value, which is looked up; as a join all would be read.
with banks as materialized (
    select l.question_bank_id as id
      from exam_package_banks l join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where l.exam_package_id = %(exam_package_id)s
), sitting as materialized (
    select t.question_id
      from live_exams s join exam_slots t on t.user_id = s.user_id and t.session_id = s.id
     where s.user_id = %(user_id)s and (s.live_until is null or s.live_until >= %(now)s)
), topics as materialized (
    select t.id from question_topics t join banks on banks.id = t.question_bank_id
     where t.id = any(%(topic_ids)s::text[])
), pool as materialized (
    select q.* from banks b cross join lateral (
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.published_version is not null and q.draw_key >= %(start)s::float8
            and q.id not in (select question_id from sitting)
            and (not %(unseen)s::boolean or not exists (select from practice_slots a
                  where a.user_id = %(user_id)s and a.question_id = q.id and a.answered_at is not null))
          order by q.draw_key limit 500)
        union all
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.published_version is not null and q.draw_key < %(start)s::float8
            and q.id not in (select question_id from sitting)
            and (not %(unseen)s::boolean or not exists (select from practice_slots a
                  where a.user_id = %(user_id)s and a.question_id = q.id and a.answered_at is not null))
          order by q.draw_key limit 500)
        limit 500
    ) q
     where cardinality(%(topic_ids)s::text[]) = 0 and cardinality(%(difficulty_ids)s::text[]) = 0
    union all
    select q.* from banks b cross join (select distinct unnest(%(difficulty_ids)s::text[])) d (id) cross join lateral (
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.difficulty_id = d.id and q.published_version is not null
            and q.draw_key >= %(start)s::float8
            and q.id not in (select question_id from sitting)
            and (not %(unseen)s::boolean or not exists (select from practice_slots a
                  where a.user_id = %(user_id)s and a.question_id = q.id and a.answered_at is not null))
          order by q.draw_key limit 500)
        union all
        (select q.id, q.draw_key from questions q
          where q.question_bank_id = b.id and q.difficulty_id = d.id and q.published_version is not null
            and q.draw_key < %(start)s::float8
            and q.id not in (select question_id from sitting)
            and (not %(unseen)s::boolean or not exists (select from practice_slots a
                  where a.user_id = %(user_id)s and a.question_id = q.id and a.answered_at is not null))
          order by q.draw_key limit 500)
        limit 500
    ) q
     where cardinality(%(topic_ids)s::text[]) = 0 and cardinality(%(difficulty_ids)s::text[]) > 0
    union all
    select q.* from topics t cross join lateral (
        (select q.id, q.draw_key from questions q
          where q.topic_id = t.id and q.published_version is not null and q.draw_key >= %(start)s::float8
            and (cardinality(%(difficulty_ids)s::text[]) = 0 or q.difficulty_id = any(%(difficulty_ids)s::text[]))
            and q.id not in (select question_id from sitting)
            and (not %(unseen)s::boolean or not exists (select from practice_slots a
                  where a.user_id = %(user_id)s and a.question_id = q.id and a.answered_at is not null))
          order by q.draw_key limit 500)
        union all
        (select q.id, q.draw_key from questions q
          where q.topic_id = t.id and q.published_version is not null and q.draw_key < %(start)s::float8
            and (cardinality(%(difficulty_ids)s::text[]) = 0 or q.difficulty_id = any(%(difficulty_ids)s::text[]))
            and q.id not in (select question_id from sitting)
            and (not %(unseen)s::boolean or not exists (select from practice_slots a
                  where a.user_id = %(user_id)s and a.question_id = q.id and a.answered_at is not null))
          order by q.draw_key limit 500)
        limit 500
    ) q
     where cardinality(%(topic_ids)s::text[]) > 0
), nearest as (
    select id from pool order by draw_key < %(start)s::float8, draw_key, id limit 500
), picked as materialized (
    select n.id from nearest n
     where cardinality(%(kinds)s::text[]) = 0
        or (select v.kind from questions q
              join question_versions v on v.question_id = q.id and v.version = q.published_version
             where q.id = n.id) = any(%(kinds)s::text[])
     order by sha256(convert_to(%(session_id)s::text || n.id, 'UTF8')) limit %(count)s
)
select v.question_id, v.version, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.points as max_mark, v.shuffle,
       v.topic_id,
       exists (select from flagged_questions f
                where f.user_id = %(user_id)s and f.question_id = v.question_id) as flagged
  from picked
  join questions q on q.id = picked.id
  join question_versions v on v.question_id = q.id and v.version = q.published_version;

-- name: draw_incorrect
-- Of the questions of which the student's latest judged answer is not wholly right. All that ever were answered wrongly
-- are shuffled, and looked at one after the other until there are enough, so that it costs what one student has
-- answered, however many questions there are. What is not judged yet cannot be told from it.
with banks as materialized (
    select l.question_bank_id as id
      from exam_package_banks l join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where l.exam_package_id = %(exam_package_id)s
), sitting as materialized (
    select t.question_id
      from live_exams s join exam_slots t on t.user_id = s.user_id and t.session_id = s.id
     where s.user_id = %(user_id)s and (s.live_until is null or s.live_until >= %(now)s)
), wrong as materialized (
    select distinct a.question_id
      from judged_answers a
     where a.user_id = %(user_id)s and not a.correct and a.judged_at <= %(now)s
), picked as materialized (
    select q.id, q.published_version
      from (select question_id, sha256(convert_to(%(session_id)s::text || question_id, 'UTF8')) as place
              from wrong
             order by place) candidate
     cross join lateral (
        select q.id, q.published_version from questions q
         where q.id = candidate.question_id and q.published_version is not null
           and q.id not in (select question_id from sitting)
           and q.question_bank_id in (select id from banks)
           and (cardinality(%(topic_ids)s::text[]) = 0 or q.topic_id = any(%(topic_ids)s::text[]))
           and (cardinality(%(difficulty_ids)s::text[]) = 0 or q.difficulty_id = any(%(difficulty_ids)s::text[]))
           and (cardinality(%(kinds)s::text[]) = 0
                or (select v.kind from question_versions v
                     where v.question_id = q.id and v.version = q.published_version) = any(%(kinds)s::text[]))
         limit 1
     ) q
     cross join lateral (
        select a.correct from judged_answers a
         where a.user_id = %(user_id)s and a.question_id = candidate.question_id and a.judged_at <= %(now)s
         order by a.answered_at desc, a.session_id desc limit 1
     ) latest
     where not latest.correct
     order by candidate.place limit %(count)s
)
select v.question_id, v.version, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.points as max_mark, v.shuffle,
       v.topic_id,
       exists (select from flagged_questions f
                where f.user_id = %(user_id)s and f.question_id = v.question_id) as flagged
  from picked
  join question_versions v on v.question_id = picked.id and v.version = picked.published_version;

-- name: draw_flagged
-- Of the questions that the student has flagged, shuffled and looked at until there are enough.
with banks as materialized (
    select l.question_bank_id as id
      from exam_package_banks l join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where l.exam_package_id = %(exam_package_id)s
), sitting as materialized (
    select t.question_id
      from live_exams s join exam_slots t on t.user_id = s.user_id and t.session_id = s.id
     where s.user_id = %(user_id)s and (s.live_until is null or s.live_until >= %(now)s)
), picked as materialized (
    select q.id, q.published_version
      from (select question_id, sha256(convert_to(%(session_id)s::text || question_id, 'UTF8')) as place
              from flagged_questions
             where user_id = %(user_id)s
             order by place) candidate
     cross join lateral (
        select q.id, q.published_version from questions q
         where q.id = candidate.question_id and q.published_version is not null
           and q.id not in (select question_id from sitting)
           and q.question_bank_id in (select id from banks)
           and (cardinality(%(topic_ids)s::text[]) = 0 or q.topic_id = any(%(topic_ids)s::text[]))
           and (cardinality(%(difficulty_ids)s::text[]) = 0 or q.difficulty_id = any(%(difficulty_ids)s::text[]))
           and (cardinality(%(kinds)s::text[]) = 0
                or (select v.kind from question_versions v
                     where v.question_id = q.id and v.version = q.published_version) = any(%(kinds)s::text[]))
         limit 1
     ) q
     order by candidate.place limit %(count)s
)
select v.question_id, v.version, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.points as max_mark, v.shuffle,
       v.topic_id,
       exists (select from flagged_questions f
                where f.user_id = %(user_id)s and f.question_id = v.question_id) as flagged
  from picked
  join question_versions v on v.question_id = picked.id and v.version = picked.published_version;

-- name: draw_due
-- The most overdue first: the index is read in that order until there are enough.
with banks as materialized (
    select l.question_bank_id as id
      from exam_package_banks l join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where l.exam_package_id = %(exam_package_id)s
), sitting as materialized (
    select t.question_id
      from live_exams s join exam_slots t on t.user_id = s.user_id and t.session_id = s.id
     where s.user_id = %(user_id)s and (s.live_until is null or s.live_until >= %(now)s)
), picked as materialized (
    select q.id, q.published_version
      from review_cards candidate
     cross join lateral (
        select q.id, q.published_version from questions q
         where q.id = candidate.question_id and q.published_version is not null
           and q.id not in (select question_id from sitting)
           and q.question_bank_id in (select id from banks)
           and (cardinality(%(topic_ids)s::text[]) = 0 or q.topic_id = any(%(topic_ids)s::text[]))
           and (cardinality(%(difficulty_ids)s::text[]) = 0 or q.difficulty_id = any(%(difficulty_ids)s::text[]))
           and (cardinality(%(kinds)s::text[]) = 0
                or (select v.kind from question_versions v
                     where v.question_id = q.id and v.version = q.published_version) = any(%(kinds)s::text[]))
         limit 1
     ) q
     where candidate.user_id = %(user_id)s and candidate.due <= %(now)s
     order by candidate.due, candidate.question_id limit %(count)s
)
select v.question_id, v.version, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.points as max_mark, v.shuffle,
       v.topic_id,
       exists (select from flagged_questions f
                where f.user_id = %(user_id)s and f.question_id = v.question_id) as flagged
  from picked
  join question_versions v on v.question_id = picked.id and v.version = picked.published_version;
