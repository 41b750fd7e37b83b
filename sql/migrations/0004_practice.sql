-- Practice sessions and their slots. The paper of a session is frozen: (question, version, order of choices) never change.

create table practice_sessions (
    user_id            text not null references users (id),
    id                 text not null,
    exam_package_id    text not null references exam_packages (id),
    status             text not null check (status in ('active', 'paused', 'finished', 'invalidated')),
    feedback           text not null check (feedback in ('immediate', 'deferred')),
    certainty          boolean not null default false,
    requested          integer not null check (requested between 1 and 200),
    served             integer not null check (served between 1 and 200),
    answered_count     integer not null default 0,
    correct_count      integer not null default 0,
    started_at         timestamptz not null,
    deadline           timestamptz,
    paused_at          timestamptz,
    finished_at        timestamptz,
    last_event_at      timestamptz not null,
    primary key (user_id, id),
    check (answered_count between 0 and served),
    check (correct_count between 0 and answered_count),
    check ((status = 'paused') = (paused_at is not null)),
    check ((status in ('finished', 'invalidated')) = (finished_at is not null))
);

create table practice_slots (
    user_id            text not null,
    session_id         text not null,
    slot               integer not null check (slot >= 1),
    question_id        text not null,
    version            integer not null,
    choice_order       text[] not null,
    max_mark           numeric(8, 4) not null,
    response           jsonb,
    certainty          text check (certainty in ('low', 'mid', 'high')),
    correct            boolean,
    mark               numeric(12, 6),
    answered_at        timestamptz,
    time_spent_seconds integer not null default 0,
    feedback           jsonb,
    primary key (user_id, session_id, slot),
    foreign key (user_id, session_id) references practice_sessions (user_id, id),
    foreign key (question_id, version) references question_versions (question_id, version),
    check ((answered_at is null) = (response is null)),
    check ((answered_at is null) = (mark is null))
);
create index practice_slots_by_question on practice_slots (question_id, version);
create unique index practice_slots_one_per_question on practice_slots (user_id, session_id, question_id);
