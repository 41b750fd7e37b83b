-- Authoring: who may write in a bank, revisions and editors of a version, rounds of review, questions without choices.

-- A bank's language decides how its texts are taken apart for search; one without an owner belongs to the school.
alter table question_banks
    add column description text not null default '' check (length(description) <= 10000),
    add column language    text not null default 'english',
    add column owner_id    text references users (id),
    add column version     integer not null default 1,
    -- Kept with every change of what is published: counting a million questions takes longer than a request may.
    add column published_count integer not null default 0 check (published_count >= 0);
update question_banks b set published_count =
    (select count(*) from questions q where q.question_bank_id = b.id and q.published_version is not null);
-- Co-editors of a bank may change whatever lives in it.
create table question_bank_editors (
    question_bank_id text not null references question_banks (id) on delete cascade,
    user_id          text not null references users (id),
    primary key (question_bank_id, user_id)
);
create index question_bank_editors_by_user on question_bank_editors (user_id);

alter table question_topics
    add column version    integer not null default 1,
    add column updated_at timestamptz;
update question_topics set updated_at = created_at;
alter table question_topics alter column updated_at set not null;

-- The code is what files and content hashes name; the name is only what people see.
alter table question_difficulties
    add column code    text,
    add column version integer not null default 1;
update question_difficulties set code = lower(name);
alter table question_difficulties alter column code set not null;
create unique index question_difficulties_code_unique on question_difficulties (code);
create unique index question_difficulties_name_unique on question_difficulties (lower(name));

-- External ids are compared byte by byte: the same order on every server, so that an export is the same file everywhere.
alter table questions alter column external_id type text collate "C";
alter table question_import_rows
    alter column external_id type text collate "C",
    add column prompts jsonb not null default '[]';

-- The status of the latest version, repeated here so that a list by status reads one index.
alter table questions add column latest_status text;
update questions q set latest_status = v.status
  from question_versions v where v.question_id = q.id and v.version = q.latest_version;
alter table questions alter column latest_status set not null;

-- `rev` counts the changes of an open version; whoever decides about it names the one that was read.
alter table question_versions
    -- A draft may still lack its text; nothing incomplete leaves that state.
    drop constraint question_versions_stem_check,
    add constraint question_versions_stem_check check (length(stem) <= 32768),
    add column rev        integer not null default 1 check (rev >= 1),
    add column editors    text[] not null default '{}',
    add column prompts    jsonb not null default '[]',
    add column updated_at timestamptz,
    add column decided_at timestamptz;
-- Nobody approves what they have written: so far that is what the question's author has.
update question_versions v set updated_at = v.created_at, editors = array_remove(array[q.author_id], null)
  from questions q where q.id = v.question_id;
alter table question_versions alter column updated_at set not null;

-- One row for every time a version was handed in: what became of it, who said so, and why.
create table question_reviews (
    question_id  text not null,
    version      integer not null,
    round        integer not null check (round >= 1),
    submitted_by text not null references users (id),
    submitted_at timestamptz not null,
    decision     text check (decision in ('approved', 'changes_requested', 'withdrawn')),
    decided_by   text references users (id),
    decided_at   timestamptz,
    note         text check (length(note) between 1 and 2000),
    primary key (question_id, version, round),
    foreign key (question_id, version) references question_versions (question_id, version) on delete cascade,
    check ((decision is null) = (decided_at is null)),
    check (decision <> 'changes_requested' or note is not null)
);
create unique index question_reviews_one_open on question_reviews (question_id) where decision is null;
