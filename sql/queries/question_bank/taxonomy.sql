-- Banks, topics and difficulties. A bank's row comes first, then its topics: everybody locks in this order.

-- name: hold_bank
select b.id, b.slug, b.title, b.description, b.visibility, b.language, b.owner_id, b.version, b.created_at, b.updated_at,
       array(select e.user_id from question_bank_editors e where e.question_bank_id = b.id order by 1) as editor_ids
  from question_banks b
 where b.id = %(bank_id)s
   for no key update of b;

-- name: find_bank
select b.id, b.slug, b.title, b.description, b.visibility, b.language, b.owner_id, b.version, b.created_at, b.updated_at,
       array(select e.user_id from question_bank_editors e where e.question_bank_id = b.id order by 1) as editor_ids
  from question_banks b
 where b.id = %(bank_id)s;

-- name: add_bank
with added as (
    insert into question_banks (id, slug, title, description, visibility, language, owner_id, version, created_at,
                                updated_at)
    values (%(id)s, %(slug)s, %(title)s, %(description)s, %(visibility)s, %(language)s, %(owner_id)s, %(version)s,
            %(created_at)s, %(updated_at)s)
    returning id
)
insert into question_bank_editors (question_bank_id, user_id)
select added.id, editor from added, unnest(%(editor_ids)s::text[]) as editor;

-- name: save_bank
-- Co-editors who are not named any more go, those who are named for the first time come.
with gone as (
    delete from question_bank_editors where question_bank_id = %(id)s and user_id <> all(%(editor_ids)s::text[])
), come as (
    insert into question_bank_editors (question_bank_id, user_id)
    select %(id)s, editor from unnest(%(editor_ids)s::text[]) as editor
    on conflict do nothing
)
update question_banks
   set slug = %(slug)s, title = %(title)s, description = %(description)s, visibility = %(visibility)s,
       language = %(language)s, owner_id = %(owner_id)s, version = %(version)s, updated_at = %(updated_at)s
 where id = %(id)s;

-- name: hold_bank_alone
-- For its deletion and for another slug: whoever adds or changes a question of the bank takes a share of its row first.
select id from question_banks where id = %(bank_id)s for update;

-- name: drop_topics_of
delete from question_topics where question_bank_id = %(bank_id)s;

-- name: drop_bank
-- Its foreign keys refuse what a question or a package needs; co-editors go with it.
delete from question_banks where id = %(bank_id)s;

-- name: is_bank_used
select exists (select from questions where question_bank_id = %(bank_id)s)
    or exists (select from exam_package_banks where question_bank_id = %(bank_id)s) as used;

-- name: staff_among
select id from users where id = any(%(user_ids)s::text[]) and role in ('instructor', 'admin') and deleted_at is null;

-- name: hold_topic
-- FOR UPDATE, because whoever begins to name a topic takes a share of its row first.
select id, question_bank_id, name, version, created_at, updated_at from question_topics where id = %(topic_id)s for update;

-- name: add_topic
insert into question_topics (id, question_bank_id, name, version, created_at, updated_at)
values (%(id)s, %(question_bank_id)s, %(name)s, %(version)s, %(created_at)s, %(updated_at)s);

-- name: save_topic
update question_topics set name = %(name)s, version = %(version)s, updated_at = %(updated_at)s where id = %(id)s;

-- name: is_topic_used
-- A question's row names the topic of its published version, or of its latest while none is published; every other
-- version is in the partial index.
select exists (select from questions where topic_id = %(topic_id)s)
    or exists (select from question_versions
                where topic_id = %(topic_id)s and (version > 1 or status in ('archived', 'superseded'))) as used;

-- name: drop_topic
delete from question_topics where id = %(topic_id)s;

-- name: hold_difficulty
select id, code, name, rank, version from question_difficulties where id = %(difficulty_id)s for no key update;

-- name: save_difficulty
update question_difficulties set name = %(name)s, version = %(version)s where id = %(id)s;

-- name: list_banks
-- Staff see visible banks and those they own or co-edit, administrators all of them; `bank_id` asks for one.
select b.id, b.slug, b.title, b.description, b.visibility, b.language, b.owner_id, b.version, b.created_at, b.updated_at,
       array(select e.user_id from question_bank_editors e where e.question_bank_id = b.id order by 1) as editor_ids,
       b.published_count
  from question_banks b
 where (%(after)s::text is null or b.id > %(after)s::text)
   and (%(bank_id)s::text is null or b.id = %(bank_id)s::text)
   and (%(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
        or exists (select from question_bank_editors e
                    where e.question_bank_id = b.id and e.user_id = %(viewer_id)s))
   and (%(pattern)s::text is null or b.title ilike %(pattern)s::text or b.slug ilike %(pattern)s::text)
 order by b.id
 limit %(limit)s;

-- name: list_topics
select t.id, t.question_bank_id, t.name, t.version, t.created_at, t.updated_at
  from question_topics t
  join question_banks b on b.id = t.question_bank_id
 where (%(after)s::text is null or t.id > %(after)s::text)
   and (%(bank_id)s::text is null or t.question_bank_id = %(bank_id)s::text)
   and (%(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
        or exists (select from question_bank_editors e
                    where e.question_bank_id = b.id and e.user_id = %(viewer_id)s))
   and (%(pattern)s::text is null or t.name ilike %(pattern)s::text)
 order by t.id
 limit %(limit)s;

-- name: list_difficulties
select id, code, name, rank, version from question_difficulties order by rank;

-- name: list_banks_of_student
-- Whatever the student is enrolled in now; a bank of several packages stands here once.
select b.id, b.slug, b.title, b.description, b.published_count
  from question_banks b
 where b.visibility = 'visible' and (%(after)s::text is null or b.id > %(after)s::text)
   and b.id in (select l.question_bank_id
                  from enrollments e join exam_package_banks l on l.exam_package_id = e.exam_package_id
                 where e.user_id = %(user_id)s and e.status = 'active'
                   and (e.expires_at is null or e.expires_at > now()))
 order by b.id
 limit %(limit)s;

-- name: list_topics_of_student
-- Of one package or of all in which the student is enrolled now: there is one active row of each, found by its index.
select t.id, t.question_bank_id, t.name, t.version, t.created_at, t.updated_at
  from question_topics t
  join question_banks b on b.id = t.question_bank_id and b.visibility = 'visible'
 where (%(after)s::text is null or t.id > %(after)s::text)
   and (%(bank_id)s::text is null or t.question_bank_id = %(bank_id)s::text)
   and b.id in (select l.question_bank_id
                  from enrollments e join exam_package_banks l on l.exam_package_id = e.exam_package_id
                 where e.user_id = %(user_id)s and e.status = 'active'
                   and (%(package_id)s::text is null or e.exam_package_id = %(package_id)s::text)
                   and (e.expires_at is null or e.expires_at > now()))
 order by t.id
 limit %(limit)s;

-- name: versions_about_topic
-- The latest versions that name the topic: those whose question names it, and open ones of questions that name another.
with about as (
    (select q.id from questions q
      where q.topic_id = %(topic_id)s and (%(after)s::text is null or q.id > %(after)s::text)
      order by q.id limit %(limit)s)
    union
    (select v.question_id from question_versions v
      where v.topic_id = %(topic_id)s and (v.version > 1 or v.status in ('archived', 'superseded'))
        and (%(after)s::text is null or v.question_id > %(after)s::text)
      order by v.question_id limit %(limit)s)
)
select q.id as question_id, q.external_id, b.slug as bank, t.name as topic, d.code as difficulty, v.version, v.rev,
       v.content_hash, v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.answer_key, v.topic_id, v.difficulty_id,
       v.tags, v.points, v.shuffle
  from about
  join questions q on q.id = about.id
  join question_banks b on b.id = q.question_bank_id
  join question_versions v on v.question_id = q.id and v.version = q.latest_version
  left join question_topics t on t.id = v.topic_id
  left join question_difficulties d on d.id = v.difficulty_id
 order by q.id
 limit %(limit)s;

-- name: replace_hashes
update question_versions v
   set content_hash = n.content_hash
  from unnest(%(question_ids)s::text[], %(versions)s::integer[], %(revs)s::integer[], %(hashes)s::bytea[])
           as n (question_id, version, rev, content_hash)
 where v.question_id = n.question_id and v.version = n.version and v.rev = n.rev
returning v.question_id;
