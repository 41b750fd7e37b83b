-- What administrators see and do. A list is one of the statements `list_…`, followed by the conditions of its filters,
-- its order and its limit.

-- name: list_users
-- The sessions are looked at for the rows of the page only: the planner computes such a column after the limit.
select u.id, u.email, u.email_verified_at, u.username, u.name, u.role, u.status, u.must_change_password, u.created_at,
       u.updated_at, u.deleted_at,
       (select max(s.last_seen_at) from auth_sessions s where s.user_id = u.id) as last_seen_at
from users u;

-- name: list_sessions
select user_id, id, door, audience, ip, user_agent, remember, auth_time, created_at, last_seen_at, idle_expires_at,
       absolute_expires_at, sits_exam_until, revoked_at, revoke_reason, clock_timestamp() as now
from auth_sessions;

-- name: list_invitations
select id, email, role, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at,
       clock_timestamp() as now
from invitations;

-- name: list_audit_log
select id, at, actor_id, action, subject, before, after, reason, request_id, ip
from audit_log;

-- name: hold_with_admins
-- In one order and one statement, so that of two who change who governs one waits for the other and neither for both. A
-- row that changed while it was waited for is judged anew: who was demoted meanwhile is not among them.
select id, email, username, name, role, status, email_verified_at, password_hash, must_change_password, created_at,
       updated_at, deleted_at
from users
where id = %(user_id)s
   or (role = 'admin' and status = 'active' and deleted_at is null and password_hash <> %(no_password)s)
order by id
for no key update;

-- name: last_seen
select max(last_seen_at) as at from auth_sessions where user_id = %(user_id)s;

-- name: end_everybodys
-- As for one person, only live ones are counted. Held in the order of their key, so that two who do this take turns; one
-- that ended while it was waited for is passed over and another one takes its place.
with batch as (
    select user_id, id
    from auth_sessions
    where revoked_at is null and least(idle_expires_at, absolute_expires_at) > %(now)s
      and created_at <= %(opened_until)s and id <> %(but)s
      and (user_id, id) > (%(after_user)s, %(after_session)s)
    order by user_id, id
    limit %(limit)s
    for no key update
), ended as (
    update auth_sessions s set revoked_at = %(now)s, revoke_reason = %(reason)s
    from batch b
    where s.user_id = b.user_id and s.id = b.id
    returning s.user_id, s.id
)
select user_id, id, count(*) over () as revoked
from ended
order by user_id desc, id desc
limit 1;

-- name: add_invitation
-- The index invitations_open_unique decides, also against one that is being added at this moment.
insert into invitations (id, email, role, invited_by, created_at, expires_at)
values (%(id)s, %(email)s, %(role)s, %(invited_by)s, %(created_at)s, %(expires_at)s)
on conflict (lower(email)) where accepted_at is null and revoked_at is null do nothing;

-- name: hold_open_invitations
select id, email, role, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at
from invitations
where invited_by = %(invited_by)s and accepted_at is null and revoked_at is null and expires_at > %(now)s
order by id
for update;

-- name: hold_pending_invitation
-- After add_invitation, so it sees one that was added while that one waited.
select id, email, role, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at
from invitations
where lower(email) = lower(%(email)s) and accepted_at is null and revoked_at is null
for update;
