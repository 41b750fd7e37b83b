-- The question bank: one step of one question. Every step holds the question's row first.

-- name: find_bank
-- The bank stays as long as whoever puts a question into it takes.
select b.id, b.slug, b.visibility = 'visible' as visible, b.owner_id,
       array(select e.user_id from question_bank_editors e where e.question_bank_id = b.id order by 1) as co_editors
  from question_banks b
 where b.id = %(bank_id)s
   for key share of b;

-- name: hold_question
select id, question_bank_id as bank_id, external_id, author_id, latest_version, created_at, updated_at
  from questions
 where id = %(question_id)s
   for update;

-- name: read_versions
-- Those that a step may touch. A statement of its own, after the question is held: the one that waited for the row
-- would still see the versions as they were before it waited.
select v.version, v.rev, v.status, v.editors, v.kind, v.stem, v.stem_format, v.choices, v.answer_key, v.prompts,
       v.topic_id, v.difficulty_id, v.tags, v.points, v.shuffle, v.created_at, v.updated_at, v.decided_at,
       exists (select from question_versions o
                where o.question_id = v.question_id and o.status in ('published', 'superseded', 'archived')
              ) as was_published
  from question_versions v
 where v.question_id = %(question_id)s and (v.version = %(latest_version)s or v.status = 'published')
 order by v.version;

-- name: last_review
select version, round, submitted_by, submitted_at, decision, decided_by, decided_at, note
  from question_reviews
 where question_id = %(question_id)s and version = %(latest_version)s
 order by round desc
 limit 1;

-- name: was_served
select exists (select from practice_slots where question_id = %(question_id)s)
    or exists (select from exam_slots where question_id = %(question_id)s)
    or exists (select from exam_voids where question_id = %(question_id)s) as yes;

-- name: labels
-- What the content hash names; a topic that is held this way is neither renamed
-- nor deleted before the hash of its name is written.
select (select t.name from question_topics t
         where t.id = %(topic_id)s::text and t.question_bank_id = %(bank_id)s for key share) as topic,
       (select d.code from question_difficulties d where d.id = %(difficulty_id)s::text) as difficulty;

-- name: add_question
insert into questions (id, question_bank_id, external_id, author_id, latest_version, latest_status, topic_id,
                       difficulty_id, created_at, updated_at)
values (%(question_id)s, %(bank_id)s, %(external_id)s, %(author_id)s, %(latest_version)s, %(latest_status)s,
        %(topic_id)s, %(difficulty_id)s, %(created_at)s, %(updated_at)s);

-- name: save_question
update questions
   set latest_version = %(latest_version)s, latest_status = %(latest_status)s, published_version = %(published_version)s,
       topic_id = %(topic_id)s, difficulty_id = %(difficulty_id)s, updated_at = %(updated_at)s
 where id = %(question_id)s;

-- name: add_version
insert into question_versions (question_id, version, rev, status, editors, kind, stem, stem_format, choices, answer_key,
                               prompts, topic_id, difficulty_id, tags, points, shuffle, content_hash, created_at,
                               updated_at)
values (%(question_id)s, %(version)s, %(rev)s, %(status)s, %(editors)s, %(kind)s, %(stem)s, %(stem_format)s, %(choices)s,
        %(answer_key)s, %(prompts)s, %(topic_id)s, %(difficulty_id)s, %(tags)s, %(points)s, %(shuffle)s,
        %(content_hash)s, %(created_at)s, %(updated_at)s);

-- name: save_version
update question_versions
   set status = %(status)s, rev = %(rev)s, editors = %(editors)s, updated_at = %(updated_at)s,
       decided_at = %(decided_at)s
 where question_id = %(question_id)s and version = %(version)s;

-- name: rewrite_version
-- What a version says changes while it is open and never afterwards, whatever this is asked to do.
update question_versions
   set rev = %(rev)s, editors = %(editors)s, kind = %(kind)s, stem = %(stem)s, stem_format = %(stem_format)s,
       choices = %(choices)s, answer_key = %(answer_key)s, prompts = %(prompts)s, topic_id = %(topic_id)s,
       difficulty_id = %(difficulty_id)s, tags = %(tags)s, points = %(points)s, shuffle = %(shuffle)s,
       content_hash = %(content_hash)s, updated_at = %(updated_at)s
 where question_id = %(question_id)s and version = %(version)s and status in ('draft', 'changes_requested');

-- name: save_review
-- A decision is made once.
insert into question_reviews (question_id, version, round, submitted_by, submitted_at, decision, decided_by, decided_at,
                              note)
values (%(question_id)s, %(version)s, %(round)s, %(submitted_by)s, %(submitted_at)s, %(decision)s, %(decided_by)s,
        %(decided_at)s, %(note)s)
on conflict (question_id, version, round) do update
   set decision = excluded.decision, decided_by = excluded.decided_by, decided_at = excluded.decided_at,
       note = excluded.note
 where question_reviews.decision is null;

-- name: count_published
update question_banks set published_count = published_count + %(more)s where id = %(bank_id)s;

-- name: drop_versions
-- The reviews go with them; a version that was served meanwhile is kept by the slot that has it.
delete from question_versions where question_id = %(question_id)s;

-- name: drop_question
delete from questions where id = %(question_id)s;
