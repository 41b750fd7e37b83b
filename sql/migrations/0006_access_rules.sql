-- What guards access: session limits and groups, one-time links, invitations, attempt counters, and lists for admins.

-- Set for an account whose first password somebody else has chosen.
alter table users add column must_change_password boolean not null default false;

-- Until then the session is given up last, because its person sits an exam through it.
alter table auth_sessions add column sits_exam_until timestamptz;
-- The live sessions of a person are counted at each sign-in; those that were revoked stay for a month.
create index auth_sessions_unrevoked on auth_sessions (user_id) where revoked_at is null;

-- A person, a group or a role defines a limit by having a row; no row, no limit defined.
create table session_limits (
    scope        text not null check (scope in ('user', 'group', 'role')),
    subject_id   text not null,
    max_sessions integer not null check (max_sessions between 1 and 100),
    when_full    text not null check (when_full in ('evict_oldest', 'deny')),
    updated_at   timestamptz not null,
    primary key (scope, subject_id)
);

create table session_groups (
    id         text primary key,
    name       text not null check (length(name) between 1 and 200),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index session_groups_name_unique on session_groups (lower(name));

create table session_group_members (
    user_id  text not null references users (id),
    group_id text not null references session_groups (id) on delete cascade,
    added_at timestamptz not null,
    primary key (user_id, group_id)
);
create index session_group_members_by_group on session_group_members (group_id, user_id);

-- Links that were mailed: one per owner and purpose, known by hash only, deleted by their use.
create table one_time_links (
    owner_id   text not null,
    purpose    text not null check (purpose in ('verify_email', 'change_email', 'reset_password', 'set_password', 'invitation')),
    token_hash bytea not null check (length(token_hash) = 32),
    email      text not null check (length(email) <= 254),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (owner_id, purpose)
);
create unique index one_time_links_hash_unique on one_time_links (token_hash);

create table invitations (
    id          text primary key,
    email       text not null check (length(email) <= 254),
    role        text not null check (role in ('instructor', 'admin')),
    invited_by  text references users (id),
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    accepted_at timestamptz,
    accepted_by text references users (id),
    revoked_at  timestamptz,
    check (accepted_at is null or revoked_at is null)
);
-- One open invitation per address.
create unique index invitations_open_unique on invitations (lower(email)) where accepted_at is null and revoked_at is null;

-- The invitations of an address, whatever became of them.
create index invitations_by_email on invitations (lower(email), id);

-- Attempts by account, by address and by both; keys are hashed where they would tell an e-mail address.
create table attempt_counters (
    key               text primary key check (length(key) <= 120),
    failures          integer not null check (failures >= 0),
    -- When those attempts were made whose outcome is not known: each grows old by itself, however busy the counter is.
    under_way         timestamptz[] not null default '{}',
    window_started_at timestamptz not null,
    last_at           timestamptz not null,
    blocked_until     timestamptz
) with (fillfactor = 70);

-- Lists for admins: newest first, by role, by what is out of the ordinary, and by words of address and name.
create index users_by_role on users (role, id);
create index users_out_of_service on users (id) where status = 'disabled' or deleted_at is not null;
create index users_search on users using gin (
    to_tsvector('simple', translate(lower(email) || ' ' || lower(coalesce(username, '')), '@.+-_', '     ') || ' ' || lower(name))
);

-- The audit log is read newest first, all of it or by one of its columns.
drop index audit_log_by_subject;
drop index audit_log_by_actor;
create index audit_log_by_time on audit_log (at, id);
create index audit_log_by_subject on audit_log (subject, at, id);
create index audit_log_by_actor on audit_log (actor_id, at, id);
create index audit_log_by_action on audit_log (action, at, id);
