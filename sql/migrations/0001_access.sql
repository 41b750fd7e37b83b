-- People, their sessions under every door, and the record of privileged acts.

create table users (
    id                text primary key,
    email             text not null check (length(email) <= 254),
    username          text check (length(username) <= 64),
    name              text not null default '' check (length(name) <= 200),
    role              text not null check (role in ('student', 'instructor', 'admin')),
    status            text not null default 'active' check (status in ('active', 'disabled')),
    email_verified_at timestamptz,
    password_hash     text not null,
    created_at        timestamptz not null,
    updated_at        timestamptz not null,
    deleted_at        timestamptz
);
-- An address is taken while its owner is not deleted; case never makes two addresses.
create unique index users_email_unique on users (lower(email)) where deleted_at is null;
create unique index users_username_unique on users (lower(username)) where deleted_at is null;

-- Keyed by user first, as every user-owned table, so that the database can be distributed by user.
create table auth_sessions (
    user_id             text not null references users (id),
    id                  text not null,
    door                text not null check (door in ('portal', 'cookie')),
    audience            text not null check (audience in ('student', 'instructor', 'admin')),
    ip                  text not null default '',
    user_agent          text not null default '' check (length(user_agent) <= 400),
    remember            boolean not null default false,
    auth_time           timestamptz not null,
    created_at          timestamptz not null,
    last_seen_at        timestamptz not null,
    idle_expires_at     timestamptz not null,
    absolute_expires_at timestamptz not null,
    revoked_at          timestamptz,
    revoke_reason       text,
    primary key (user_id, id),
    check (idle_expires_at <= absolute_expires_at),
    check ((revoked_at is null) = (revoke_reason is null))
);

-- One family of refresh tokens per session; only hashes are kept, and the successor is masked by its predecessor.
create table auth_refresh_tokens (
    user_id          text not null,
    session_id       text not null,
    generation       integer not null check (generation >= 0),
    token_hash       bytea not null check (length(token_hash) = 32),
    issued_at        timestamptz not null,
    used_at          timestamptz,
    successor_masked bytea,
    primary key (user_id, session_id, generation),
    foreign key (user_id, session_id) references auth_sessions (user_id, id) on delete cascade
);
create unique index auth_refresh_tokens_hash_unique on auth_refresh_tokens (token_hash);
-- The bug of two live successors is impossible, not merely unlikely.
create unique index auth_refresh_tokens_one_unused on auth_refresh_tokens (user_id, session_id) where used_at is null;

-- Append only: the application role may insert and read, never change (see the grants of the migration runner).
create table audit_log (
    id         text primary key,
    at         timestamptz not null,
    actor_id   text,
    action     text not null,
    subject    text not null,
    before     jsonb,
    after      jsonb,
    reason     text,
    request_id text,
    ip         text
);
create index audit_log_by_subject on audit_log (subject, id);
create index audit_log_by_actor on audit_log (actor_id, id);

-- The answer that was given to a request with an Idempotency-Key, written in the transaction of its effect.
create table idempotency_keys (
    user_id      text not null,
    key          text not null check (length(key) between 1 and 255),
    fingerprint  bytea not null,
    answer       bytea not null,
    created_at   timestamptz not null,
    primary key (user_id, key)
);
create index idempotency_keys_by_age on idempotency_keys using brin (created_at);
