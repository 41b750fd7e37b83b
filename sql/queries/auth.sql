-- People and sessions: registration, sign-in, refresh, and the check that every request begins with.

-- name: add_user
-- The unique indexes on address and username decide who came first.
insert into users (
    id, email, username, name, image, role, status, email_verified_at, password_hash, must_change_password, created_at,
    updated_at, deleted_at
) values (
    %(id)s, %(email)s, %(username)s, %(name)s, %(image)s, %(role)s, %(status)s, %(email_verified_at)s, %(password_hash)s,
    %(must_change_password)s, %(created_at)s, %(updated_at)s, %(deleted_at)s
);

-- name: save_user
-- Everything that may change about a person who is held.
update users
set email = %(email)s, username = %(username)s, name = %(name)s, image = %(image)s, role = %(role)s,
    status = %(status)s,
    email_verified_at = %(email_verified_at)s, password_hash = %(password_hash)s,
    must_change_password = %(must_change_password)s, updated_at = %(updated_at)s, deleted_at = %(deleted_at)s
where id = %(id)s;

-- name: find_user_by_email
-- Through the index that keeps living addresses unique.
select id, email, username, name, image, role, status, email_verified_at, password_hash, must_change_password,
       created_at, updated_at, deleted_at
from users
where lower(email) = lower(%(email)s) and deleted_at is null;

-- name: find_user_by_username
-- Through the index that keeps living usernames unique.
select id, email, username, name, image, role, status, email_verified_at, password_hash, must_change_password,
       created_at, updated_at, deleted_at
from users
where lower(username) = lower(%(username)s) and deleted_at is null;

-- name: was_ever_registered
-- Deleted accounts count, so that an account an installation begins with is not made again. Asked at start only.
select exists (select from users where lower(email) = lower(%(email)s)) as found;

-- name: hold_user
-- Sign-ins of one person take turns; references to the person do not wait for them.
select id, email, username, name, image, role, status, email_verified_at, password_hash, must_change_password,
       created_at, updated_at, deleted_at
from users
where id = %(user_id)s
for no key update;

-- name: find_user
select id, email, username, name, image, role, status, email_verified_at, password_hash, must_change_password,
       created_at, updated_at, deleted_at
from users
where id = %(user_id)s;

-- name: replace_password_hash
-- Compare and swap: a password that was changed meanwhile stays changed.
update users set password_hash = %(new)s where id = %(user_id)s and password_hash = %(old)s;

-- name: add_session
-- A session and the first link of its chain, in one message.
with opened as (
    insert into auth_sessions (
        user_id, id, door, audience, ip, user_agent, remember, auth_time, created_at, last_seen_at, renewed_at,
        idle_expires_at, absolute_expires_at, sits_exam_until, revoked_at, revoke_reason
    ) values (
        %(user_id)s, %(id)s, %(door)s, %(audience)s, %(ip)s, %(user_agent)s, %(remember)s, %(auth_time)s,
        %(created_at)s, %(last_seen_at)s, %(renewed_at)s, %(idle_expires_at)s, %(absolute_expires_at)s,
        %(sits_exam_until)s, %(revoked_at)s, %(revoke_reason)s
    )
    returning user_id, id
)
insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)
select user_id, id, %(generation)s, %(token_hash)s, %(issued_at)s from opened;

-- name: find_session_key
select user_id, session_id from auth_refresh_tokens where token_hash = %(token_hash)s;

-- name: hold_session_of
-- Refreshes of one session take turns here. The chain is read by the next statement, which sees what the turn before
-- has committed; the session's own columns are read again by this one after it waited. The count only says whether it
-- is worth while to look at the limit: it is taken anew under the person's lock before anything ends.
select s.user_id, s.id, s.door, s.audience, s.ip, s.user_agent, s.remember, s.auth_time, s.created_at, s.last_seen_at,
       s.renewed_at, s.idle_expires_at, s.absolute_expires_at, s.sits_exam_until, s.revoked_at, s.revoke_reason,
       u.status = 'active' and u.deleted_at is null and u.role = s.audience as holder_may_use,
       (
           select count(*) from auth_sessions o
           where o.user_id = t.user_id and o.revoked_at is null
             and least(o.idle_expires_at, o.absolute_expires_at) > %(now)s
       ) as live_sessions
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

-- name: rotate_at_once
-- The common case of a refresh in one message: a link that was never used, of a session that is live at this portal, whose
-- person may use it and has no more sessions than allowed. All else is declined without a trace. The session is held
-- before its links, as units of work do, but never waited for: whoever finds it held declines, so that nobody waits for
-- whoever waits for a group of such statements. That the link is still unused is looked at again by the update, because
-- another refresh may have ended between the look at the link and the hold of the session. Who is counted and what limits
-- them is as in hold_session_of and limits_of; the limit is looked up only where there are several sessions. A sign-in that
-- counts between this clock and the commit does not see what is prolonged: only a session whose idle time ends in just that
-- time, as long as its group is under way, can live beside the one that was let in for it.
with clock as materialized (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), held as materialized (
    select s.user_id, s.id, t.generation, clock.now
    from clock, auth_refresh_tokens t
    join auth_sessions s on s.user_id = t.user_id and s.id = t.session_id
    join users u on u.id = s.user_id
    where t.token_hash = %(token_hash)s and t.used_at is null
      and s.door = 'portal' and s.audience = %(portal)s and s.revoked_at is null
      and least(s.idle_expires_at, s.absolute_expires_at) > clock.now
      and u.status = 'active' and u.deleted_at is null and u.role = s.audience
      and (
          select count(*) <= 1 or count(*) <= coalesce(
              (select max_sessions from session_limits where scope = 'user' and subject_id = t.user_id),
              (
                  select min(l.max_sessions)
                  from session_group_members m
                  join session_limits l on l.scope = 'group' and l.subject_id = m.group_id
                  where m.user_id = t.user_id
              ),
              (select max_sessions from session_limits where scope = 'role' and subject_id = s.audience),
              %(otherwise)s::integer
          )
          from auth_sessions o
          where o.user_id = t.user_id and o.revoked_at is null
            and least(o.idle_expires_at, o.absolute_expires_at) > clock.now
      )
    for no key update of s skip locked
), spent as (
    update auth_refresh_tokens t set used_at = held.now, successor_masked = %(successor_masked)s::bytea
    from held
    where t.user_id = held.user_id and t.session_id = held.id and t.generation = held.generation and t.used_at is null
    returning t.user_id, t.session_id, t.generation, held.now
), forgotten as (
    update auth_refresh_tokens t set successor_masked = null
    from spent
    where t.user_id = spent.user_id and t.session_id = spent.session_id and t.generation = spent.generation - 1
), followed as (
    insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)
    select user_id, session_id, generation + 1, %(successor_hash)s::bytea, now from spent
)
update auth_sessions s
set last_seen_at = spent.now, idle_expires_at = least(spent.now + %(idle)s::interval, s.absolute_expires_at)
from spent
where s.user_id = spent.user_id and s.id = spent.session_id
returning s.user_id, s.id, s.door, s.audience, s.ip, s.user_agent, s.remember, s.auth_time, s.created_at, s.last_seen_at,
          s.renewed_at, s.idle_expires_at, s.absolute_expires_at, s.sits_exam_until, s.revoked_at, s.revoke_reason;

-- name: renew_session
update auth_sessions
set last_seen_at = %(last_seen_at)s, renewed_at = %(renewed_at)s, idle_expires_at = %(idle_expires_at)s
where user_id = %(user_id)s and id = %(id)s;

-- name: note_seen
-- Of several readings at once one notes it, and none waits for whoever holds the session: the next one notes it then.
update auth_sessions set last_seen_at = %(now)s
where (user_id, id) in (
    select user_id, id from auth_sessions
    where user_id = %(user_id)s and id = %(session_id)s and last_seen_at = %(last_seen_at)s and revoked_at is null
    for no key update skip locked
);

-- name: find_cookie_session
-- What a request through the cookie door begins with: three look-ups by unique keys, and the time to judge them by. The
-- columns of the person carry its name, because both have times of creation.
select clock_timestamp() as now, s.user_id, s.id, s.door, s.audience, s.ip, s.user_agent, s.remember, s.auth_time,
       s.created_at, s.last_seen_at, s.renewed_at, s.idle_expires_at, s.absolute_expires_at, s.sits_exam_until,
       s.revoked_at, s.revoke_reason, u.email as user_email, u.username as user_username, u.name as user_name, u.image as user_image,
       u.role as user_role, u.status as user_status, u.email_verified_at as user_email_verified_at,
       u.password_hash as user_password_hash, u.must_change_password as user_must_change_password,
       u.created_at as user_created_at, u.updated_at as user_updated_at, u.deleted_at as user_deleted_at
from auth_refresh_tokens t
join auth_sessions s on s.user_id = t.user_id and s.id = t.session_id
join users u on u.id = s.user_id
where t.token_hash = %(token_hash)s and s.door = 'cookie';

-- name: end_session
-- A session that was ended keeps its first reason.
update auth_sessions set revoked_at = %(now)s, revoke_reason = %(reason)s
where user_id = %(user_id)s and id = %(session_id)s and revoked_at is null
  and (%(audience)s::text is null or audience = %(audience)s::text);

-- name: end_sessions
-- Those that a session limit leaves no room for.
update auth_sessions set revoked_at = %(now)s, revoke_reason = %(reason)s
where user_id = %(user_id)s and id = any(%(session_ids)s::text[]) and revoked_at is null
  and least(idle_expires_at, absolute_expires_at) > %(now)s;

-- name: end_sessions_of
-- Only live ones are counted; those that ran out have ended already.
update auth_sessions set revoked_at = %(now)s, revoke_reason = %(reason)s
where user_id = %(user_id)s and revoked_at is null and least(idle_expires_at, absolute_expires_at) > %(now)s
  and id is distinct from %(but)s::text;

-- name: end_expired
-- Waits for a refresh that holds such a session, and leaves it alone if that has prolonged it. One that comes later
-- finds the session revoked, whatever time it judges by.
update auth_sessions set revoked_at = %(now)s, revoke_reason = %(reason)s
where user_id = %(user_id)s and revoked_at is null and least(idle_expires_at, absolute_expires_at) <= %(now)s
  and least(idle_expires_at, absolute_expires_at) > %(since)s;

-- name: limits_of
-- Every limit that is defined for a person; the rule chooses among them. One look-up each, however many groups there are.
select l.scope, l.subject_id, l.max_sessions, l.when_full
from (
    select 'user' as scope, %(user_id)s::text as subject_id
    union all
    select 'role', %(role)s
    union all
    select 'group', group_id from session_group_members where user_id = %(user_id)s
) s
join session_limits l on l.scope = s.scope and l.subject_id = s.subject_id;

-- name: live_sessions
-- Through the index of what is not revoked; judged by the time of the unit of work.
select user_id, id, door, audience, ip, user_agent, remember, auth_time, created_at, last_seen_at, renewed_at,
       idle_expires_at, absolute_expires_at, sits_exam_until, revoked_at, revoke_reason
from auth_sessions
where user_id = %(user_id)s and revoked_at is null and least(idle_expires_at, absolute_expires_at) > %(now)s;

-- name: live_sessions_of
-- The same for a reader, the newest first.
select user_id, id, door, audience, ip, user_agent, remember, auth_time, created_at, last_seen_at, renewed_at,
       idle_expires_at, absolute_expires_at, sits_exam_until, revoked_at, revoke_reason
from auth_sessions
where user_id = %(user_id)s and revoked_at is null
  and least(idle_expires_at, absolute_expires_at) > clock_timestamp()
order by created_at desc, id desc;

-- name: find_session
select user_id, id, door, audience, ip, user_agent, remember, auth_time, created_at, last_seen_at, renewed_at,
       idle_expires_at, absolute_expires_at, sits_exam_until, revoked_at, revoke_reason
from auth_sessions
where user_id = %(user_id)s and id = %(session_id)s;

-- name: read_standing
-- The check that every request begins with: two look-ups by primary key, and the time to judge them by.
select clock_timestamp() as now, s.audience, u.role, u.status, u.deleted_at, s.idle_expires_at, s.absolute_expires_at,
       s.revoked_at, u.must_change_password
from auth_sessions s
join users u on u.id = s.user_id
where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: read_profile
select u.id, u.email, u.username, u.name, u.image, u.role, u.email_verified_at is not null as email_verified,
       u.must_change_password, u.created_at, u.updated_at, s.id as session_id, s.created_at as session_created_at,
       least(s.idle_expires_at, s.absolute_expires_at) as session_expires_at
from auth_sessions s
join users u on u.id = s.user_id
where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: put_link
-- One link per owner and purpose: a newer one makes the older worthless.
insert into one_time_links (owner_id, purpose, token_hash, email, created_at, expires_at)
values (%(owner_id)s, %(purpose)s, %(token_hash)s, %(email)s, %(created_at)s, %(expires_at)s)
on conflict (owner_id, purpose) do update
set token_hash = excluded.token_hash, email = excluded.email, created_at = excluded.created_at,
    expires_at = excluded.expires_at;

-- name: renew_link
-- Only what is still there: a link that was used, dropped or replaced by one to another address does not come back.
update one_time_links set token_hash = %(token_hash)s, created_at = %(created_at)s, expires_at = %(expires_at)s
where owner_id = %(owner_id)s and purpose = %(purpose)s and email = %(email)s;

-- name: take_link
-- Of several that use a link at once one deletes the row; the others wait for it and find nothing.
delete from one_time_links
where token_hash = %(token_hash)s and purpose = any(%(purposes)s::text[])
returning owner_id, purpose, token_hash, email, created_at, expires_at;

-- name: find_link
-- A look before the password is hashed, so that a made-up token costs no hash.
select owner_id, purpose, token_hash, email, created_at, expires_at
from one_time_links
where token_hash = %(token_hash)s and purpose = any(%(purposes)s::text[]);

-- name: drop_links
delete from one_time_links where owner_id = %(owner_id)s and purpose = any(%(purposes)s::text[]);

-- name: hold_invitation
select id, email, role, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at
from invitations
where id = %(id)s
for update;

-- name: save_invitation
update invitations
set expires_at = %(expires_at)s, accepted_at = %(accepted_at)s, accepted_by = %(accepted_by)s, revoked_at = %(revoked_at)s
where id = %(id)s;

-- name: hold_attempts
-- Makes the counters that are missing and locks all of them, in one message and in the order of their keys.
insert into attempt_counters (key, failures, window_started_at, last_at)
select key, 0, %(now)s, %(now)s from unnest(%(keys)s::text[]) key order by key
on conflict (key) do update set key = excluded.key
returning key, failures, under_way, window_started_at, last_at, blocked_until;

-- name: keep_attempts
-- What is under way comes flat, each with the key of its counter, because arrays of arrays are no lists of lists.
update attempt_counters c
set failures = n.failures, window_started_at = n.window_started_at, last_at = n.last_at, blocked_until = n.blocked_until,
    under_way = array(
        select u.since
        from unnest(%(under_way_by)s::text[], %(under_way_since)s::timestamptz[]) with ordinality u (key, since, place)
        where u.key = c.key
        order by u.place
    )
from unnest(
    %(keys)s::text[], %(failures)s::int[], %(window_started_at)s::timestamptz[], %(last_at)s::timestamptz[],
    %(blocked_until)s::timestamptz[]
) n (key, failures, window_started_at, last_at, blocked_until)
where c.key = n.key;

-- name: clear_attempts
delete from attempt_counters where key = any(%(keys)s::text[])
returning failures;
