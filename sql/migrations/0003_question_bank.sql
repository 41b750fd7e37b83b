-- Banks, topics, difficulties, questions with immutable published versions, and imports.

create table question_banks (
    id         text primary key,
    slug       text not null check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 100),
    title      text not null check (length(title) between 1 and 200),
    visibility text not null default 'visible' check (visibility in ('visible', 'hidden')),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index question_banks_slug_unique on question_banks (slug);

-- A package draws its questions from one or more banks.
create table exam_package_banks (
    exam_package_id  text not null references exam_packages (id),
    question_bank_id text not null references question_banks (id),
    primary key (exam_package_id, question_bank_id)
);
create index exam_package_banks_by_bank on exam_package_banks (question_bank_id);

create table question_topics (
    id               text primary key,
    question_bank_id text not null references question_banks (id),
    name             text not null check (length(name) between 1 and 512),
    created_at       timestamptz not null
);
create unique index question_topics_name_unique on question_topics (question_bank_id, name);

create table question_difficulties (
    id   text primary key,
    name text not null,
    rank integer not null
);
create unique index question_difficulties_rank_unique on question_difficulties (rank);
insert into question_difficulties (id, name, rank)
values ('dif_easy', 'Easy', 1), ('dif_medium', 'Medium', 2), ('dif_hard', 'Hard', 3);

create table questions (
    id                text primary key,
    question_bank_id  text not null references question_banks (id),
    external_id       text not null check (length(external_id) between 1 and 512),
    author_id         text references users (id),
    published_version integer,
    latest_version    integer not null,
    -- Topic and difficulty of the published version, repeated here so that a filtered draw reads one index.
    topic_id          text references question_topics (id),
    difficulty_id     text references question_difficulties (id),
    created_at        timestamptz not null,
    updated_at        timestamptz not null
);
create unique index questions_external_unique on questions (question_bank_id, external_id);
create index questions_published on questions (question_bank_id, topic_id, difficulty_id, id)
    where published_version is not null;

-- `choices` is what a student may see; `answer_key` (correct choices, weights, explanations) never leaves before its
-- rule allows. They are two columns so that a statement that serves an open question cannot select the key by accident.
create table question_versions (
    question_id   text not null references questions (id),
    version       integer not null check (version >= 1),
    status        text not null check (status in
                  ('draft', 'in_review', 'changes_requested', 'published', 'archived', 'superseded')),
    kind          text not null check (kind in
                  ('single', 'multiple', 'true_false', 'numeric', 'short_text', 'matching', 'ordering')),
    stem          text not null check (length(stem) between 1 and 32768),
    stem_format   text not null check (stem_format in ('plain', 'markdown', 'html')),
    choices       jsonb not null,
    answer_key    jsonb not null,
    topic_id      text references question_topics (id),
    difficulty_id text references question_difficulties (id),
    tags          text[] not null default '{}',
    points        numeric(8, 4) not null default 1 check (points > 0),
    shuffle       boolean not null default true,
    content_hash  bytea not null check (length(content_hash) = 32),
    created_at    timestamptz not null,
    primary key (question_id, version)
);
-- At most one version of a question is published, and at most one is open.
create unique index question_versions_one_published on question_versions (question_id) where status = 'published';
create unique index question_versions_one_open on question_versions (question_id)
    where status in ('draft', 'in_review', 'changes_requested');

create table question_imports (
    id               text primary key,
    bank             text not null,
    actor_id         text references users (id),
    file             text not null,
    format           text not null,
    mode             text not null check (mode in ('all_or_nothing', 'skip_invalid', 'dry_run')),
    status           text not null check (status in ('running', 'succeeded', 'refused', 'failed')),
    report           jsonb not null,
    created_at       timestamptz not null,
    finished_at      timestamptz
);
create index question_imports_by_bank on question_imports (bank, id);

-- Where an import is checked as a set before it touches a question. Unlogged: what a crash empties was never
-- acknowledged. Rows live inside one transaction only.
create unlogged table question_import_rows (
    import_id    text not null,
    record       integer not null,
    line         integer not null,
    external_id  text not null,
    question_id  text not null,
    topic        text,
    difficulty   text,
    kind         text not null,
    stem         text not null,
    stem_format  text not null,
    choices      jsonb not null,
    answer_key   jsonb not null,
    tags         text[] not null,
    points       numeric(8, 4) not null,
    shuffle      boolean not null,
    content_hash bytea not null,
    -- What the bank makes of the row: known already, which version it becomes, and whether that version is new.
    known        boolean not null default false,
    version      integer not null default 1,
    opens        boolean not null default true,
    status       text not null default 'draft'
);
create index question_import_rows_by_external on question_import_rows (import_id, external_id);
