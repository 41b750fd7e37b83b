-- Imports of a million questions: staged by record, followed while they run, with what was rejected kept for correction.

-- Questions are applied block by block while the file is still read; a block is a range of records.
drop index question_import_rows_by_external;
create index question_import_rows_by_record on question_import_rows (import_id, record);
alter table question_import_rows
    -- What the file as a set says against the row, and the record of which it is a copy.
    add column verdict      text,
    add column first_record integer;

alter table question_imports
    drop constraint question_imports_status_check,
    add constraint question_imports_status_check
        check (status in ('running', 'succeeded', 'refused', 'failed', 'cancelled')),
    add column bytes_read      bigint not null default 0,
    add column bytes_total     bigint not null default 0,
    add column records         bigint not null default 0,
    -- A running import is heard of every second; one that falls silent died with its process.
    add column heard_at        timestamptz,
    add column cancel_asked_at timestamptz,
    add column idempotency_key text,
    add column fingerprint     bytea,
    -- Whose reports are read by those only who see the bank. None while there is no bank; it may be deleted later.
    add column question_bank_id text;
update question_imports i set question_bank_id = b.id from question_banks b where b.slug = i.bank;
create unique index question_imports_once on question_imports (actor_id, idempotency_key)
    where idempotency_key is not null;

-- The rejected records of an import as one CSV file, in parts: it outlives the roll-back of what was refused.
create table question_import_rejects (
    import_id text not null references question_imports (id) on delete cascade,
    part      integer not null,
    content   bytea not null,
    primary key (import_id, part)
);

-- A foreign key looks up each row by itself, and four of them were a quarter of the price of an import. Which topics and
-- difficulties there are is kept true by locks instead: whoever writes a question takes a share of the topic it names
-- (an import once for all its rows), whoever deletes a topic holds it alone and looks for questions of it then.
-- Difficulties are never deleted.
alter table questions
    drop constraint questions_topic_id_fkey,
    drop constraint questions_difficulty_id_fkey;
alter table question_versions
    drop constraint question_versions_topic_id_fkey,
    drop constraint question_versions_difficulty_id_fkey;
