-- People and sessions: registration, sign-in, refresh, and the check that every request begins with.

-- name: add_user
-- The unique indexes on address and username decide who came first.
insert into users (
    id, email, username, name, role, status, email_verified_at, password_hash, created_at, updated_at, deleted_at
) values (
    %(id)s, %(email)s, %(username)s, %(name)s, %(role)s, %(status)s, %(email_verified_at)s, %(password_hash)s,
    %(created_at)s, %(updated_at)s, %(deleted_at)s
);

-- name: find_user_by_email
-- Through the index that keeps living addresses unique.
select id, email, username, name, role, status, email_verified_at, password_hash, created_at, updated_at, deleted_at
from users
where lower(email) = lower(%(email)s) and deleted_at is null;

-- name: was_ever_registered
-- Deleted accounts count, so that an account an installation begins with is not made again. Asked at start only.
select exists (select from users where lower(email) = lower(%(email)s)) as found;

-- name: hold_user
-- Sign-ins of one person take turns; references to the person do not wait for them.
select id, email, username, name, role, status, email_verified_at, password_hash, created_at, updated_at, deleted_at
from users
where id = %(user_id)s
for no key update;

-- name: replace_password_hash
-- Compare and swap: a password that was changed meanwhile stays changed.
update users set password_hash = %(new)s where id = %(user_id)s and password_hash = %(old)s;

-- name: add_session
-- A session and the first link of its chain, in one message.
with opened as (
    insert into auth_sessions (
        user_id, id, door, audience, ip, user_agent, remember, auth_time, created_at, last_seen_at, idle_expires_at,
        absolute_expires_at, revoked_at, revoke_reason
    ) values (
        %(user_id)s, %(id)s, %(door)s, %(audience)s, %(ip)s, %(user_agent)s, %(remember)s, %(auth_time)s,
        %(created_at)s, %(last_seen_at)s, %(idle_expires_at)s, %(absolute_expires_at)s, %(revoked_at)s,
        %(revoke_reason)s
    )
    returning user_id, id
)
insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)
select user_id, id, %(generation)s, %(token_hash)s, %(issued_at)s from opened;

-- name: find_session_key
select user_id, session_id from auth_refresh_tokens where token_hash = %(token_hash)s;

-- name: hold_session_of
-- Refreshes of one session take turns here. The chain is read by the next statement, which sees what the turn before
-- has committed; the session's own columns are read again by this one after it waited.
select s.user_id, s.id, s.door, s.audience, s.ip, s.user_agent, s.remember, s.auth_time, s.created_at, s.last_seen_at,
       s.idle_expires_at, s.absolute_expires_at, s.revoked_at, s.revoke_reason,
       u.status = 'active' and u.deleted_at is null and u.role = s.audience as holder_may_use
from auth_refresh_tokens t
join auth_sessions s on s.user_id = t.user_id and s.id = t.session_id
join users u on u.id = s.user_id
where t.token_hash = %(token_hash)s
for update of s;

-- name: read_chain
-- The presented link and the latest one, oldest first; one row when they are the same.
select user_id, session_id, generation, token_hash, issued_at, used_at, successor_masked
from auth_refresh_tokens t
where user_id = %(user_id)s and session_id = %(session_id)s
  and (
      token_hash = %(token_hash)s
      or generation = (
          select max(generation) from auth_refresh_tokens m
          where m.user_id = %(user_id)s and m.session_id = %(session_id)s
      )
  )
order by generation;

-- name: rotate
-- The successor is inserted from what the spent link returns, so that two unused links never meet.
with forgotten as (
    update auth_refresh_tokens set successor_masked = null
    where user_id = %(user_id)s and session_id = %(session_id)s and generation = %(generation)s - 1
), spent as (
    update auth_refresh_tokens set used_at = %(used_at)s, successor_masked = %(successor_masked)s
    where user_id = %(user_id)s and session_id = %(session_id)s and generation = %(generation)s and used_at is null
    returning user_id, session_id, generation
), prolonged as (
    update auth_sessions set last_seen_at = %(last_seen_at)s, idle_expires_at = %(idle_expires_at)s
    where user_id = %(user_id)s and id = %(session_id)s
)
insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)
select user_id, session_id, generation + 1, %(successor_hash)s, %(used_at)s from spent;

-- name: end_session
-- A session that was ended keeps its first reason.
update auth_sessions set revoked_at = %(now)s, revoke_reason = %(reason)s
where user_id = %(user_id)s and id = %(session_id)s and revoked_at is null
  and (%(audience)s::text is null or audience = %(audience)s::text);

-- name: end_sessions_of
-- Only live ones are counted; those that ran out have ended already.
update auth_sessions set revoked_at = %(now)s, revoke_reason = %(reason)s
where user_id = %(user_id)s and revoked_at is null and least(idle_expires_at, absolute_expires_at) > %(now)s;

-- name: read_standing
-- The check that every request begins with: two look-ups by primary key, and the time to judge them by.
select clock_timestamp() as now, s.audience, u.role, u.status, u.deleted_at, s.idle_expires_at, s.absolute_expires_at,
       s.revoked_at
from auth_sessions s
join users u on u.id = s.user_id
where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: read_profile
select u.id, u.email, u.username, u.name, u.role, u.email_verified_at is not null as email_verified, u.created_at,
       u.updated_at, s.id as session_id, s.created_at as session_created_at,
       least(s.idle_expires_at, s.absolute_expires_at) as session_expires_at
from auth_sessions s
join users u on u.id = s.user_id
where s.user_id = %(user_id)s and s.id = %(session_id)s;
