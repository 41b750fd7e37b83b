-- The question bank: imports.

-- name: hold_bank
-- One import per bank at a time; the lock goes with the transaction, so that a killed import leaves none behind.
select pg_try_advisory_xact_lock(hashtextextended('ace/import/' || %(bank)s, 0)) as held;

-- name: find_importing_access
-- Whether an instructor may import into the bank: a hidden one is not there for those who neither own nor co-edit it.
select b.visibility = 'visible' or b.owner_id = %(author_id)s or e.user_id is not null as seen,
       b.owner_id is not distinct from %(author_id)s or e.user_id is not null as edits
from question_banks b
left join question_bank_editors e on e.question_bank_id = b.id and e.user_id = %(author_id)s
where b.slug = %(bank)s;

-- name: allow_long_import
-- An import may take minutes where a request may not; the settings end with the transaction. Rows that were staged a
-- moment ago are unknown to the planner, which must not read all of them to find one block.
select set_config('statement_timeout', '15min', true), set_config('idle_in_transaction_session_timeout', '60s', true),
       set_config('max_parallel_workers_per_gather', '0', true);

-- name: read_blocks_by_index
select set_config('enable_seqscan', 'off', true), set_config('enable_nestloop', 'on', true);

-- name: prefer_hash_joins
-- Nothing is known about rows that were staged a moment ago, so the planner takes a million of them for a handful and
-- would look up each by itself.
select set_config('enable_seqscan', 'on', true), set_config('enable_nestloop', 'off', true),
       set_config('work_mem', '32MB', true);

-- name: look_up_rows
select set_config('enable_seqscan', 'on', true), set_config('enable_nestloop', 'on', true);

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
-- COPY is the fastest way in; the columns are those that adapters/postgres/question_bank/import_rows.py writes.
copy question_import_rows (
    import_id, record, line, external_id, question_id, topic, difficulty, kind, stem, stem_format, choices, answer_key,
    prompts, tags, points, shuffle, content_hash
) from stdin;

-- name: missing_topics
select distinct r.topic as name
from question_import_rows r
where r.import_id = %(import_id)s and r.record > %(after)s
  and r.topic is not null
  and not exists (select from question_topics t where t.question_bank_id = %(bank_id)s and t.name = r.topic);

-- name: add_topics
insert into question_topics (id, question_bank_id, name, created_at, updated_at)
select id, %(bank_id)s, name, %(now)s, %(now)s from unnest(%(ids)s::text[], %(names)s::text[]) as topic (id, name)
on conflict (question_bank_id, name) do nothing;

-- name: hold_topics
-- Nobody deletes a topic that a question is about to name. In one order, so that nobody waits in a circle.
select count(*) as held from (
    select t.id from question_topics t
    where t.question_bank_id = %(bank_id)s
      and t.name in (select r.topic from question_import_rows r
                     where r.import_id = %(import_id)s and r.record > %(after)s)
    order by t.id for key share
) topics;

-- name: drop_unused_topics
-- A topic that only refused records named is not made.
delete from question_topics t
where t.question_bank_id = %(bank_id)s and t.id = any(%(ids)s::text[])
  and not exists (select from questions q where q.question_bank_id = %(bank_id)s and q.topic_id = t.id)
  and not exists (select from question_import_rows r where r.import_id = %(import_id)s and r.topic = t.name);

-- name: add_questions
-- A block of the file, while the rest is still read: ids that the bank does not have. Whoever is known, or comes again
-- in the file, waits for the judgement at the end.
insert into questions (id, question_bank_id, external_id, author_id, published_version, latest_version, latest_status,
                       topic_id, difficulty_id, created_at, updated_at)
select r.question_id, %(bank_id)s, r.external_id, %(author_id)s, case when %(publish)s then 1 end, 1,
       case when %(publish)s then 'published' else 'draft' end, t.id, d.id, %(now)s, %(now)s
from question_import_rows r
left join question_topics t on t.question_bank_id = %(bank_id)s and t.name = r.topic
left join question_difficulties d on d.code = lower(r.difficulty)
where r.import_id = %(import_id)s and r.record > %(after)s
order by r.record
on conflict (question_bank_id, external_id) do nothing;

-- name: add_first_versions
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, answer_key, prompts,
                               topic_id, difficulty_id, tags, points, shuffle, content_hash, editors,
                               created_at, updated_at, decided_at)
select r.question_id, 1, case when %(publish)s then 'published' else 'draft' end, r.kind, r.stem, r.stem_format,
       r.choices, r.answer_key, r.prompts, t.id, d.id, r.tags, r.points, r.shuffle, r.content_hash,
       array_remove(array[%(author_id)s::text], null), %(now)s, %(now)s,
       case when %(publish)s then %(now)s::timestamptz end
from question_import_rows r
left join question_topics t on t.question_bank_id = %(bank_id)s and t.name = r.topic
left join question_difficulties d on d.code = lower(r.difficulty)
where r.import_id = %(import_id)s and r.record > %(after)s
  and (%(all_new)s or exists (select from questions q where q.id = r.question_id));

-- name: judge_duplicates
-- One id, one content: the first record stays. One id, several contents: none of them stays. Told by one sort, whatever
-- the planner believes about rows that were staged a moment ago.
update question_import_rows r
set verdict = case when judged.conflicting then 'duplicate_id' else 'duplicate_identical_of' end,
    first_record = judged.first_record
from (
    select record, first_record, conflicting
    from (
        select record,
               min(record) over same_id as first_record,
               min(content_hash) over same_id <> max(content_hash) over same_id as conflicting
        from question_import_rows
        where import_id = %(import_id)s
        window same_id as (partition by external_id)
    ) compared
    where conflicting or record > first_record
) judged
where r.import_id = %(import_id)s and r.record = judged.record;

-- name: judge_copies
-- The same content under several ids is no error: real collections hold copies.
update question_import_rows r
set verdict = 'same_content_as', first_record = judged.first_record
from (
    select record, first_record
    from (
        select record, min(record) over (partition by content_hash) as first_record
        from question_import_rows
        where import_id = %(import_id)s and (verdict is null or verdict = 'same_content_as')
    ) compared
    where record > first_record
) judged
where r.import_id = %(import_id)s and r.record = judged.record;

-- name: judge_foreign
-- An instructor changes what is theirs: their own questions, and everything in banks that they own or co-edit.
update question_import_rows r
set verdict = 'not_an_editor'
from questions q
where r.import_id = %(import_id)s and r.known and q.id = r.question_id
  and q.author_id is distinct from %(author_id)s;

-- name: count_verdicts
select verdict, count(*) as times from question_import_rows
where import_id = %(import_id)s and verdict = any(%(verdicts)s::text[])
group by verdict;

-- name: first_verdicts
select record, line, external_id, verdict, first_record from question_import_rows
where import_id = %(import_id)s and verdict = any(%(verdicts)s::text[])
order by record
limit %(limit)s;

-- name: refused_records
select record, line, verdict, external_id, first_record from question_import_rows
where import_id = %(import_id)s and record > %(after)s and verdict in ('duplicate_id', 'not_an_editor')
order by record
limit %(limit)s;

-- name: drop_refused_versions
-- The first record of an id that turned out to stand for several questions was added with its block.
delete from question_versions v using question_import_rows r
where r.import_id = %(import_id)s and r.verdict = 'duplicate_id' and v.question_id = r.question_id;

-- name: drop_refused_questions
delete from questions q using question_import_rows r
where r.import_id = %(import_id)s and r.verdict = 'duplicate_id' and q.id = r.question_id;

-- name: drop_refused_rows
delete from question_import_rows
where import_id = %(import_id)s and verdict in ('duplicate_id', 'duplicate_identical_of', 'not_an_editor');

-- name: drop_unchanged
-- What the latest version says already is left alone, unless it waits to be published and this import publishes.
delete from question_import_rows r
using questions q
join question_versions v on v.question_id = q.id and v.version = q.latest_version
where r.import_id = %(import_id)s
  and q.question_bank_id = %(bank_id)s
  and q.external_id = r.external_id
  and q.id <> r.question_id
  and v.content_hash = r.content_hash
  and (r.verdict is null or r.verdict = 'same_content_as')
  and not (%(publish)s and v.status in ('draft', 'in_review', 'changes_requested'));

-- name: hold_known_questions
-- Every step of authoring locks the question first; in one order, so that nobody waits in a circle.
select q.id
from question_import_rows r
join questions q on q.question_bank_id = %(bank_id)s and q.external_id = r.external_id
where r.import_id = %(import_id)s and q.id <> r.question_id
  and (r.verdict is null or r.verdict = 'same_content_as')
order by q.id
for update of q;

-- name: recognise_questions
-- A changed question keeps its id. Its open version is rewritten; where none is open, the next version opens: in review
-- when the last one is published, as a draft otherwise.
update question_import_rows r
set known = true,
    question_id = q.id,
    opens = v.status not in ('draft', 'in_review', 'changes_requested'),
    version = q.latest_version
            + case when v.status in ('draft', 'in_review', 'changes_requested') then 0 else 1 end,
    status = case when %(publish)s then 'published'
                  when v.status = 'published' then 'in_review'
                  when v.status in ('archived', 'superseded') then 'draft'
                  else v.status end
from questions q
join question_versions v on v.question_id = q.id and v.version = q.latest_version
where r.import_id = %(import_id)s and q.question_bank_id = %(bank_id)s and q.external_id = r.external_id
  and q.id <> r.question_id
  and (r.verdict is null or r.verdict = 'same_content_as');

-- name: supersede_published
-- Before a new version is published the old one steps back: at most one is published at any instant.
update question_versions v
set status = 'superseded', rev = v.rev + 1, updated_at = %(now)s
from question_import_rows r
where r.import_id = %(import_id)s and r.known and v.question_id = r.question_id and v.status = 'published';

-- name: first_in_review
-- Those whose version is rewritten while somebody may be reading it, and how many they are.
select record, line, external_id, 'changed_in_review' as verdict, first_record, count(*) over () as times
from question_import_rows
where import_id = %(import_id)s and known and not opens and status = 'in_review'
  and verdict is distinct from 'not_an_editor'
order by record
limit %(limit)s;

-- name: close_reviews
-- What is published needs no decision any more; nobody decides about what does not say the same any more.
update question_reviews w
set decision = case when %(publish)s then 'approved' else 'withdrawn' end,
    decided_by = %(author_id)s, decided_at = %(now)s
from question_import_rows r
where r.import_id = %(import_id)s and r.known and not r.opens
  and w.question_id = r.question_id and w.version = r.version and w.decision is null;

-- name: rewrite_open_versions
update question_versions v
set kind = r.kind, stem = r.stem, stem_format = r.stem_format, choices = r.choices, answer_key = r.answer_key,
    prompts = r.prompts, topic_id = t.id, difficulty_id = d.id, tags = r.tags, points = r.points, shuffle = r.shuffle,
    content_hash = r.content_hash, status = r.status, rev = v.rev + 1, updated_at = %(now)s,
    decided_at = case when r.status = 'published' then %(now)s::timestamptz else v.decided_at end,
    editors = case when %(author_id)s::text is null or %(author_id)s::text = any(v.editors) then v.editors
                   else v.editors || %(author_id)s::text end
from question_import_rows r
left join question_topics t on t.question_bank_id = %(bank_id)s and t.name = r.topic
left join question_difficulties d on d.code = lower(r.difficulty)
where r.import_id = %(import_id)s and r.known and not r.opens
  and v.question_id = r.question_id and v.version = r.version;

-- name: add_next_versions
-- The revision counts on, so that one that was read of the version before names nothing of this one.
insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, answer_key, prompts,
                               topic_id, difficulty_id, tags, points, shuffle, content_hash, rev, editors,
                               created_at, updated_at, decided_at)
select r.question_id, r.version, r.status, r.kind, r.stem, r.stem_format, r.choices, r.answer_key, r.prompts,
       t.id, d.id, r.tags, r.points, r.shuffle, r.content_hash, before.rev + 1,
       array_remove(array[%(author_id)s::text], null), %(now)s, %(now)s,
       case when r.status = 'published' then %(now)s::timestamptz end
from question_import_rows r
join question_versions before on before.question_id = r.question_id and before.version = r.version - 1
left join question_topics t on t.question_bank_id = %(bank_id)s and t.name = r.topic
left join question_difficulties d on d.code = lower(r.difficulty)
where r.import_id = %(import_id)s and r.known and r.opens;

-- name: count_first_published
-- How many of the changed questions were never published, or no longer.
select count(*) as times
from question_import_rows r join questions q on q.id = r.question_id
where r.import_id = %(import_id)s and r.known and q.published_version is null;

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

-- name: count_published
-- The last of the rows that are locked, as in every step of authoring.
update question_banks set published_count = published_count + %(published)s
where id = %(bank_id)s and %(published)s <> 0;

-- name: changed_question_ids
select question_id as id from question_import_rows
where import_id = %(import_id)s and (verdict is null or verdict = 'same_content_as')
limit %(limit)s;

-- name: clear_staged
delete from question_import_rows where import_id = %(import_id)s;

-- name: save_import
-- A report that is complete stays as it is, whoever comes late with an earlier one. What failed may be tried again with
-- the same key.
insert into question_imports (id, bank, question_bank_id, actor_id, file, format, mode, status, report, created_at,
                              heard_at, finished_at)
values (%(id)s, %(bank)s, %(bank_id)s, %(actor_id)s, %(file)s, %(format)s, %(mode)s, %(status)s, %(report)s, %(now)s,
        %(now)s, case when %(status)s <> 'running' then %(now)s::timestamptz end)
on conflict (id) do update
set status = excluded.status, report = excluded.report, finished_at = clock_timestamp(),
    question_bank_id = coalesce(excluded.question_bank_id, question_imports.question_bank_id),
    idempotency_key = case when excluded.status in ('failed', 'cancelled') then null
                           else question_imports.idempotency_key end
where question_imports.status = 'running' and excluded.status <> 'running';
