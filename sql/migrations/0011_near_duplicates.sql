-- Near duplicates: the sketch of every question, and what was found when its import was compared with the bank.

create table question_sketches (
    question_id      text not null references questions (id) on delete cascade,
    value            bigint not null,
    question_bank_id text not null,
    primary key (question_id, value)
);
create index question_sketches_by_value on question_sketches (question_bank_id, value, question_id);

create table question_near_duplicates (
    import_id   text not null references question_imports (id) on delete cascade,
    question_id text not null references questions (id) on delete cascade,
    other_id    text not null references questions (id) on delete cascade,
    resemblance numeric(4, 3) not null check (resemblance between 0 and 1),
    primary key (import_id, question_id, other_id)
);
create index question_near_duplicates_by_resemblance
    on question_near_duplicates (import_id, resemblance desc, question_id, other_id);
create index question_near_duplicates_by_question on question_near_duplicates (question_id);
create index question_near_duplicates_by_other on question_near_duplicates (other_id);

-- When the comparison had been made; null before.
alter table question_imports add column compared_at timestamptz;
