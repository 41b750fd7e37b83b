-- Questions one by one: for staff with their keys, for students without. Who may see what is part of each statement.

-- name: read_question
-- The latest version. The note is that of its last round of review, none while that round waits for its decision.
select q.id, q.question_bank_id as bank_id, q.external_id, q.author_id, q.published_version, q.created_at, q.updated_at,
       v.version, v.status, v.rev, v.editors, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.answer_key,
       v.topic_id, v.difficulty_id, v.tags, v.points, v.shuffle,
       (select note from question_reviews
         where question_id = v.question_id and version = v.version order by round desc limit 1) as note
  from questions q
  join question_banks b on b.id = q.question_bank_id
  join question_versions v on v.question_id = q.id and v.version = q.latest_version
 where q.id = %(question_id)s
   and (b.visibility = 'visible' or %(sees_all)s or b.owner_id = %(user_id)s
        or exists (select from question_bank_editors e
                    where e.question_bank_id = b.id and e.user_id = %(user_id)s));

-- name: read_versions
-- Named versions. The question stands in a row even where none of them is there, so that it is told from one that may
-- not be seen.
select q.id as question_id, v.version, v.status, v.rev, v.editors, v.created_at, v.updated_at, v.decided_at, v.kind,
       v.stem, v.stem_format, v.choices, v.prompts, v.answer_key, v.topic_id, v.difficulty_id, v.tags, v.points,
       v.shuffle,
       (select note from question_reviews
         where question_id = v.question_id and version = v.version order by round desc limit 1) as note
  from questions q
  join question_banks b on b.id = q.question_bank_id
  left join question_versions v on v.question_id = q.id and v.version = any(%(versions)s::integer[])
 where q.id = %(question_id)s
   and (b.visibility = 'visible' or %(sees_all)s or b.owner_id = %(user_id)s
        or exists (select from question_bank_editors e
                    where e.question_bank_id = b.id and e.user_id = %(user_id)s));

-- name: list_versions
-- The newest first; again with a row of its own for a question that has none (any more).
select v.version, v.status, v.rev, v.kind, v.editors, v.created_at, v.updated_at, v.decided_at
  from questions q
  join question_banks b on b.id = q.question_bank_id
  left join lateral (
       select * from question_versions
        where question_id = q.id and (%(before)s::integer is null or version < %(before)s::integer)
        order by version desc limit %(limit)s
  ) v on true
 where q.id = %(question_id)s
   and (b.visibility = 'visible' or %(sees_all)s or b.owner_id = %(user_id)s
        or exists (select from question_bank_editors e
                    where e.question_bank_id = b.id and e.user_id = %(user_id)s))
 order by v.version desc;

-- name: list_reviews
-- Every time that a version was handed in, the latest first, with the names of the people.
select r.version, r.round, r.submitted_by, s.name as submitted_by_name, r.submitted_at, r.decision,
       r.decided_by, d.name as decided_by_name, r.decided_at, r.note
  from questions q
  join question_banks b on b.id = q.question_bank_id
  left join lateral (
       select * from question_reviews where question_id = q.id order by version desc, round desc limit %(limit)s
  ) r on true
  left join users s on s.id = r.submitted_by
  left join users d on d.id = r.decided_by
 where q.id = %(question_id)s
   and (b.visibility = 'visible' or %(sees_all)s or b.owner_id = %(user_id)s
        or exists (select from question_bank_editors e
                    where e.question_bank_id = b.id and e.user_id = %(user_id)s))
 order by r.version desc, r.round desc;

-- name: read_published_question
-- What a student may see: no key, no explanation and no weight is selected. Enrolled is who is enrolled right now, and
-- nothing is told unless the claim stands, where there is one. Of a version that the reader knows, which never changes, only
-- is told that it is still the one to be seen.
select q.id as question_id, q.question_bank_id, q.topic_id, q.difficulty_id, q.published_version as version, v.kind, v.stem,
       v.stem_format, v.choices, v.prompts, v.points as max_mark, v.shuffle
  from questions q
  join question_banks b on b.id = q.question_bank_id and b.visibility = 'visible'
  left join question_versions v
    on v.question_id = q.id and v.version = q.published_version and v.status = 'published'
   and v.version is distinct from %(known_version)s::integer
 where q.id = %(question_id)s and (v.version is not null or q.published_version = %(known_version)s::integer)
   and exists (select from enrollments e
                 join exam_package_banks l on l.exam_package_id = e.exam_package_id
                where e.user_id = %(user_id)s and e.status = 'active'
                  and (e.expires_at is null or e.expires_at > clock_timestamp())
                  and l.question_bank_id = q.question_bank_id)
   and (%(claim_session_id)s::text is null
        or exists (select from open_sessions o
                    where o.user_id = %(user_id)s and o.id = %(claim_session_id)s and o.audience = %(claim_role)s
                      and clock_timestamp() < least(o.open_until, %(claim_until)s::timestamptz)
                      and clock_timestamp() >= %(claim_from)s::timestamptz));
