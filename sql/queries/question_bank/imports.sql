-- The question bank: imports.

-- name: hold_bank
-- One import per bank at a time; the lock goes with the transaction, so that a killed import leaves none behind.
select pg_try_advisory_xact_lock(hashtextextended('ace/import/' || %(bank)s, 0)) as held;

-- name: allow_long_import
-- An import may take minutes where a request may not; the setting ends with the transaction.
select set_config('statement_timeout', '15min', true), set_config('idle_in_transaction_session_timeout', '60s', true);

-- name: prefer_hash_joins
-- Nothing is known about rows that were staged a moment ago, so the planner takes a million of them for a handful and
-- would look up each by itself.
select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true);

-- name: ensure_bank
-- The bank of an import is made where there is none.
with made as (
    insert into question_banks (id, slug, title, owner_id, created_at, updated_at)
    values (%(id)s, %(slug)s, %(title)s, %(owner_id)s, %(now)s, %(now)s)
    on conflict (slug) do nothing
    returning id
)
select id from made
union all
select id from question_banks where slug = %(slug)s
limit 1;

-- name: stage_questions
-- COPY is the fastest way in; the columns are those of `_row` in adapters/postgres/question_bank/imports.py.
copy question_import_rows (
    import_id, record, line, external_id, question_id, topic, difficulty, kind, stem, stem_format, choices, answer_key,
    prompts, tags, points, shuffle, content_hash
) from stdin;

-- name: find_duplicates
-- One id, one content: the first record stays. One id, several contents: none of them stays. Told by one sort, whatever
-- the planner believes about rows that were staged a moment ago.
select record, line, external_id, first_record, conflicting
from (
    select record, line, external_id,
           min(record) over same_id as first_record,
           min(encode(content_hash, 'hex')) over same_id <> max(encode(content_hash, 'hex')) over same_id as conflicting
    from question_import_rows
    where import_id = %(import_id)s
    window same_id as (partition by external_id)
) judged
where conflicting or record > first_record
order by record;

-- name: drop_duplicates
delete from question_import_rows where import_id = %(import_id)s and record = any(%(records)s::integer[]);

-- name: drop_unchanged
-- What the latest version says already is left alone, unless it waits to be published and this import publishes.
delete from question_import_rows r
using questions q
join question_versions v on v.question_id = q.id and v.version = q.latest_version
where r.import_id = %(import_id)s
  and q.question_bank_id = %(bank_id)s
  and q.external_id = r.external_id
  and v.content_hash = r.content_hash
  and not (%(publish)s and v.status in ('draft', 'in_review', 'changes_requested'));

-- name: recognise_questions
-- A changed question keeps its id. Its open version is rewritten; where none is open, the next version opens: in review
-- when the last one is published, as a draft otherwise.
update question_import_rows r
set known = true,
    question_id = q.id,
    opens = v.status not in ('draft', 'in_review', 'changes_requested'),
    version = q.latest_version
            + case when v.status in ('draft', 'in_review', 'changes_requested') then 0 else 1 end,
    status = case when v.status = 'published' then 'in_review'
                  when v.status in ('archived', 'superseded') then 'draft'
                  else v.status end
from questions q
join question_versions v on v.question_id = q.id and v.version = q.latest_version
where r.import_id = %(import_id)s and q.question_bank_id = %(bank_id)s and q.external_id = r.external_id;

-- name: publish_staged
update question_import_rows set status = 'published' where import_id = %(import_id)s;

-- name: supersede_published
-- Before a new version is published the old one steps back: at most one is published at any instant.
update question_versions v
set status = 'superseded'
from question_import_rows r
where r.import_id = %(import_id)s and r.known and v.question_id = r.question_id and v.status = 'published';

-- name: missing_topics
select distinct r.topic as name
from question_import_rows r
where r.import_id = %(import_id)s
  and r.topic is not null
  and not exists (select from question_topics t where t.question_bank_id = %(bank_id)s and t.name = r.topic);

-- name: add_topics
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
select id, %(bank_id)s, name, %(now)s, %(now)s from unnest(%(ids)s::text[], %(names)s::text[]) as topic (id, name)
on conflict (question_bank_id, name) do nothing;

-- name: rewrite_open_versions
update question_versions v
set kind = r.kind, stem = r.stem, stem_format = r.stem_format, choices = r.choices, answer_key = r.answer_key,
    prompts = r.prompts, topic_id = t.id, difficulty_id = d.id, tags = r.tags, points = r.points, shuffle = r.shuffle,
    content_hash = r.content_hash, status = r.status, rev = v.rev + 1, updated_at = %(now)s,
    editors = case when %(author_id)s::text is null or %(author_id)s::text = any(v.editors) then v.editors
                   else v.editors || %(author_id)s::text end
from question_import_rows r
left join question_topics t on t.question_bank_id = %(bank_id)s and t.name = r.topic
left join question_difficulties d on d.code = lower(r.difficulty)
where r.import_id = %(import_id)s and r.known and not r.opens
  and v.question_id = r.question_id and v.version = r.version;

-- name: add_questions
insert into questions (id, question_bank_id, external_id, author_id, published_version, latest_version, latest_status,
                       topic_id, difficulty_id, created_at, updated_at)
select r.question_id, %(bank_id)s, r.external_id, %(author_id)s, case when r.status = 'published' then 1 end, 1,
       r.status, t.id, d.id, %(now)s, %(now)s
from question_import_rows r
left join question_topics t on t.question_bank_id = %(bank_id)s and t.name = r.topic
left join question_difficulties d on d.code = lower(r.difficulty)
where r.import_id = %(import_id)s and not r.known;

-- name: add_versions
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, answer_key, prompts,
                               topic_id, difficulty_id, tags, points, shuffle, content_hash, editors,
                               created_at, updated_at)
select r.question_id, r.version, r.status, r.kind, r.stem, r.stem_format, r.choices, r.answer_key, r.prompts,
       t.id, d.id, r.tags, r.points, r.shuffle, r.content_hash, array_remove(array[%(author_id)s::text], null),
       %(now)s, %(now)s
from question_import_rows r
left join question_topics t on t.question_bank_id = %(bank_id)s and t.name = r.topic
left join question_difficulties d on d.code = lower(r.difficulty)
where r.import_id = %(import_id)s and r.opens;

-- name: advance_questions
-- Topic and difficulty of a question are those of its published version, or of its latest while none is published.
update questions q
set latest_version = v.version,
    latest_status = v.status,
    published_version = case when v.status = 'published' then v.version else q.published_version end,
    topic_id = case when v.status = 'published' or q.published_version is null then v.topic_id else q.topic_id end,
    difficulty_id = case when v.status = 'published' or q.published_version is null
                         then v.difficulty_id else q.difficulty_id end,
    updated_at = %(now)s
from question_import_rows r
join question_versions v on v.question_id = r.question_id and v.version = r.version
where r.import_id = %(import_id)s and r.known and q.id = r.question_id;

-- name: clear_staged
delete from question_import_rows where import_id = %(import_id)s;

-- name: save_import
-- A report that is complete stays as it is, whoever comes late with an earlier one.
insert into question_imports (id, bank, actor_id, file, format, mode, status, report, created_at, finished_at)
values (%(id)s, %(bank)s, %(actor_id)s, %(file)s, %(format)s, %(mode)s, %(status)s, %(report)s, %(now)s,
        case when %(status)s <> 'running' then %(now)s::timestamptz end)
on conflict (id) do update
set status = excluded.status, report = excluded.report, finished_at = excluded.finished_at
where question_imports.status = 'running' and excluded.status <> 'running';

-- name: find_import
-- An import has fifteen minutes; one that has been running for longer died with its process.
select report, status = 'running' and created_at < clock_timestamp() - interval '15 minutes' as lost
from question_imports where id = %(id)s;

-- name: was_imported
select exists (select from question_imports where bank = %(bank)s and status = 'succeeded' and mode <> 'dry_run') as yes;
