-- Exam sessions with their papers, answers, record and grades, and what staff may do about them.

-- The row is written by every heartbeat: it stays on its page (fillfactor), and no index is on anything that a heartbeat
-- or an answer changes. What never changes stands first, what changes often last. `deadline` and `due_at` are what
-- domain.exam.deadlines says of the row as it stands; `deadline` is null while the session is paused.
create table exam_sessions (
    user_id                    text not null references users (id),
    id                         text not null,
    exam_package_id            text not null references exam_packages (id),
    tier_id                    text not null references exam_package_tiers (id),
    attempt_no                 integer not null check (attempt_no >= 1),
    created_at                 timestamptz not null,
    rules                      jsonb not null,
    accommodation              jsonb not null default '{}',
    status                     text not null check (status in ('created', 'active', 'paused', 'overdue', 'submitted',
                                                               'finished', 'abandoned', 'terminated', 'invalidated')),
    adjust_seconds             integer not null default 0,
    started_at                 timestamptz,
    paused_at                  timestamptz,
    paused_by_staff            boolean not null default false,
    paused_microseconds        bigint not null default 0 check (paused_microseconds >= 0),
    deadline                   timestamptz,
    due_at                     timestamptz,
    sealed_at                  timestamptz,
    seal_reason                text check (seal_reason in ('student', 'forced', 'timeout', 'terminated', 'invalidated')),
    sealed_by                  text references users (id),
    seal_note                  text check (length(seal_note) <= 500),
    late                       boolean not null default false,
    status_before_invalidation text,
    invalidated_at             timestamptz,
    invalidated_by             text references users (id),
    invalidation_reason        text check (length(invalidation_reason) between 1 and 500),
    grade_revision             integer not null default 0 check (grade_revision >= 0),
    mark                       numeric(14, 6),
    max_mark                   numeric(14, 6),
    certainty_mark             numeric(14, 6),
    passed                     boolean,
    graded_at                  timestamptz,
    drift_told_at              timestamptz,
    furthest_slot              integer not null default 0,
    record_count               integer not null default 0,
    record_hash                bytea not null default '',
    last_seq                   bigint not null default 0,
    last_heartbeat_at          timestamptz,
    snapshot                   jsonb,
    primary key (user_id, id),
    check ((status = 'created') = (started_at is null) or status in ('abandoned', 'terminated', 'invalidated')),
    check ((status = 'paused') = (paused_at is not null)),
    check ((status in ('created', 'active', 'paused', 'overdue')) = (sealed_at is null)),
    check ((sealed_at is null) = (seal_reason is null)),
    check ((status = 'invalidated') = (invalidated_at is not null)),
    check (sealed_at >= started_at),
    check (status <> 'finished' or grade_revision > 0),
    check ((grade_revision = 0) = (mark is null))
) with (fillfactor = 70);
-- However many starts there are at once, one of them wins.
create unique index exam_sessions_one_live on exam_sessions (user_id, exam_package_id)
    where status in ('created', 'active', 'paused', 'overdue');
create unique index exam_sessions_attempts on exam_sessions (user_id, exam_package_id, attempt_no);
create index exam_sessions_begun on exam_sessions (user_id, exam_package_id, started_at);
create index exam_sessions_due on exam_sessions (due_at)
    where status in ('created', 'active', 'paused', 'overdue') and due_at is not null;
-- What staff list: the newest of the statuses that are wanted, of all packages or of one.
create index exam_sessions_of_package on exam_sessions (exam_package_id, status, created_at, user_id, id);
create index exam_sessions_of_status on exam_sessions (status, created_at, user_id, id);
create index exam_sessions_of_tier on exam_sessions (tier_id);
-- How many are finished, and when the latest grade was given, is counted without the rows.
create index exam_sessions_sealed on exam_sessions (exam_package_id, sealed_at) include (graded_at)
    where status = 'finished';

-- The exams that are under way, whether or not somebody has written down that time has ended one: whoever reads it asks for
-- `live_until is null or live_until >= now`. Time makes a session with grace overdue, which is live still.
create view live_exams as
select user_id, id, exam_package_id,
       case when status <> 'overdue' and rules ->> 'overdue_policy' = 'grace' then null else due_at end as live_until
  from exam_sessions
 where status in ('created', 'active', 'paused', 'overdue');

-- The paper: (question, version, order of choices, section) never change. The marks are those of the latest grade. A row
-- is twice as long once it is answered, and is to stay on its page then (fillfactor).
create table exam_slots (
    user_id        text not null,
    session_id     text not null,
    slot           integer not null check (slot >= 1),
    section        integer not null check (section >= 0),
    question_id    text not null,
    version        integer not null,
    topic_id       text,
    choice_order   text[] not null,
    max_mark       numeric(8, 4) not null,
    response       jsonb,
    revision       integer not null default 0 check (revision >= 0),
    certainty      text check (certainty in ('low', 'mid', 'high')),
    answered_at    timestamptz,
    flagged        boolean not null default false,
    mark           numeric(12, 6),
    certainty_mark numeric(12, 6),
    correct        boolean,
    primary key (user_id, session_id, slot),
    foreign key (user_id, session_id) references exam_sessions (user_id, id),
    foreign key (question_id, version) references question_versions (question_id, version),
    check (response is null or answered_at is not null),
    check ((revision = 0) = (answered_at is null))
) with (fillfactor = 50);
create index exam_slots_by_question on exam_slots (question_id, version);
-- Whoever looks for the sessions that asked a question finds them in the order in which they are listed.
create unique index exam_slots_one_per_question on exam_slots (question_id, user_id, session_id);

-- The append-only record: answers and events, each linked to the one before. The application may insert and read only.
create table exam_records (
    user_id         text not null,
    session_id      text not null,
    position        integer not null check (position >= 1),
    at              timestamptz not null,
    effective_at    timestamptz not null,
    kind            text not null check (kind in ('answer', 'event')),
    source          text not null check (source in ('student', 'staff', 'system')),
    actor_id        text,
    id              text,
    type            text,
    client_event_id text,
    client_at       timestamptz,
    slot            integer,
    revision        integer,
    autosave        boolean not null default false,
    content         text not null,
    hash            bytea not null,
    primary key (user_id, session_id, position),
    foreign key (user_id, session_id) references exam_sessions (user_id, id),
    check ((kind = 'answer') = (slot is not null and revision is not null)),
    check ((kind = 'event') = (id is not null and type is not null))
);
create unique index exam_records_one_per_revision on exam_records (user_id, session_id, slot, revision)
    where kind = 'answer';
create unique index exam_records_one_per_client_event on exam_records (user_id, session_id, client_event_id)
    where client_event_id is not null;
create index exam_records_events on exam_records (at) where kind = 'event';
-- How many events a student's browser has sent of late. Answers, moves and what the system notes are not in it.
create index exam_records_of_client on exam_records (user_id, session_id, at)
    where kind = 'event' and source = 'student' and actor_id is null;

-- Grades are never changed: what is graded again gets the next revision. `marks` holds one row per slot.
create table exam_grades (
    user_id        text not null,
    session_id     text not null,
    revision       integer not null check (revision >= 1),
    mark           numeric(14, 6) not null,
    max_mark       numeric(14, 6) not null,
    certainty_mark numeric(14, 6),
    passed         boolean not null,
    marks          jsonb not null,
    voids          text[] not null default '{}',
    mode           text not null,
    reason         text check (length(reason) <= 500),
    graded_at      timestamptz not null,
    graded_by      text references users (id),
    primary key (user_id, session_id, revision),
    foreign key (user_id, session_id) references exam_sessions (user_id, id)
);

-- A question that turned out wrong after it was asked. It counts for every session of the package that asks this version.
create table exam_voids (
    id              text primary key,
    exam_package_id text not null references exam_packages (id),
    question_id     text not null,
    version         integer not null,
    mode            text not null check (mode in ('drop', 'credit_all', 'accept_also')),
    accepted        text[] not null default '{}',
    reason          text not null check (length(reason) between 1 and 500),
    created_at      timestamptz not null,
    created_by      text not null references users (id),
    foreign key (question_id, version) references question_versions (question_id, version),
    check ((mode = 'accept_also') = (cardinality(accepted) > 0))
);
create index exam_voids_of_package on exam_voids (exam_package_id, question_id, version);
create index exam_voids_by_question on exam_voids (question_id, version);

-- Remarks of staff and of the system about a session. A remark is settled by another one.
create table exam_flags (
    user_id     text not null,
    session_id  text not null,
    id          text not null,
    type        text not null check (length(type) between 1 and 64),
    note        text check (length(note) <= 2000),
    resolves    text,
    created_at  timestamptz not null,
    created_by  text references users (id),
    primary key (user_id, session_id, id),
    foreign key (user_id, session_id) references exam_sessions (user_id, id)
);
create unique index exam_flags_settled_once on exam_flags (user_id, session_id, resolves) where resolves is not null;
create index exam_flags_newest on exam_flags (created_at);

create table exam_accommodations (
    user_id       text primary key references users (id),
    multiplier    numeric(5, 3) not null check (multiplier between 1 and 10),
    extra_seconds integer not null check (extra_seconds between 0 and 86400),
    reason        text not null check (length(reason) between 1 and 500),
    updated_at    timestamptz not null,
    updated_by    text not null references users (id)
);

-- Whether an event of the last day, or a session begun today, is to be counted.
create index exam_sessions_started on exam_sessions (started_at) where started_at is not null;

-- Questions that the statistics of exams find wanting, for those who review questions.
create table question_suggestions (
    exam_package_id text not null references exam_packages (id),
    question_id     text not null,
    version         integer not null,
    reasons         text[] not null check (cardinality(reasons) > 0),
    figures         jsonb not null,
    attempts        integer not null check (attempts >= 1),
    suggested_at    timestamptz not null,
    dismissed_at    timestamptz,
    dismissed_by    text references users (id),
    dismiss_reason  text check (length(dismiss_reason) <= 500),
    primary key (exam_package_id, question_id, version),
    foreign key (question_id, version) references question_versions (question_id, version)
);
create index question_suggestions_by_question on question_suggestions (question_id, version);
create index question_suggestions_open on question_suggestions (suggested_at desc, exam_package_id, question_id, version)
    where dismissed_at is null;

-- What tells of a student's topics: the judged answers of practice, and every question of a finished exam, where a blank
-- one earned nothing. Of a question that was dropped or credited to everybody neither right nor wrong tells anything.
-- It says nothing about a question: keys of exams stay secret, and so does which answers were right.
create view topic_evidence as
select user_id, question_id, topic_id, exam_package_id, answered_at, judged_at, mark, max_mark
  from judged_answers
union all
select t.user_id, t.question_id, t.topic_id, s.exam_package_id, coalesce(t.answered_at, s.sealed_at) as answered_at,
       s.graded_at as judged_at, coalesce(t.mark, 0) as mark, t.max_mark
  from exam_slots t
  join exam_sessions s on s.user_id = t.user_id and s.id = t.session_id
 where s.status = 'finished'
   and coalesce((select v.mode
                   from exam_voids v
                  where v.exam_package_id = s.exam_package_id and v.question_id = t.question_id
                    and v.version = t.version
                  order by v.created_at desc, v.id desc
                  limit 1), 'accept_also') = 'accept_also';
