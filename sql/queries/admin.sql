-- What administrators see and do. A list is one of the statements `list_…`, followed by the conditions of its filters,
-- its order and its limit.

-- name: list_users
-- The sessions are looked at for the rows of the page only: the planner computes such a column after the limit.
select u.id, u.email, u.email_verified_at, u.username, u.name, u.role, u.status, u.must_change_password, u.created_at,
       u.updated_at, u.deleted_at,
       (select max(s.last_seen_at) from auth_sessions s where s.user_id = u.id) as last_seen_at
from users u;

-- name: list_sessions
select user_id, id, door, audience, ip, user_agent, remember, auth_time, created_at, last_seen_at, renewed_at,
       idle_expires_at, absolute_expires_at, sits_exam_until, revoked_at, revoke_reason, clock_timestamp() as now
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
select id, email, username, name, image, role, status, email_verified_at, password_hash, must_change_password,
       created_at, updated_at, deleted_at
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

-- name: dashboard
-- Everything at one instant. Sessions are counted from indexes; those that are live are few. A day begins at midnight UTC.
-- Of events, which no table has more of, a million are counted at most.
with t as materialized (
    select n.at, date_trunc('day', n.at, 'UTC') as today, n.at - interval '24 hours' as yesterday
      from (select coalesce(%(now)s::timestamptz, clock_timestamp()) as at) n
), people as (
    select count(*) filter (where role = 'student') as students,
           count(*) filter (where role = 'instructor') as instructors, count(*) filter (where role = 'admin') as admins
      from users where deleted_at is null
), versions as (
    -- One that is published and has an open next version is counted as both.
    select count(*) filter (where latest_status = 'draft') as drafts,
           count(*) filter (where latest_status = 'in_review') as in_review,
           count(*) filter (where latest_status = 'changes_requested') as changes_requested,
           count(*) filter (where published_version is not null) as published,
           count(*) filter (where latest_status = 'archived') as archived
      from questions
), live as (
    select count(*) filter (where s.status = 'created') as created, count(*) filter (where s.status = 'active') as active,
           count(*) filter (where s.status = 'paused') as paused, count(*) filter (where s.status = 'overdue') as overdue,
           count(*) filter (where s.due_at < t.at) as due,
           count(*) filter (where s.status = 'active'
                              and greatest(s.started_at, s.last_heartbeat_at) < t.at - %(unstable_for)s::interval) as lost
      from t join exam_sessions s on s.status in ('created', 'active', 'paused', 'overdue')
)
select t.at, people.*, versions.*, live.*,
       (select count(*) from question_banks) as question_banks,
       (select count(*) from question_topics) as topics,
       (select count(*) from exam_packages) as exam_packages,
       (select count(*) from enrollments n
         where n.status = 'active' and (n.expires_at is null or n.expires_at > t.at)) as enrollments,
       (select count(*) from exam_sessions where status = 'finished') as finished,
       (select count(*) from exam_sessions where started_at >= t.today) as today,
       (select count(*) from (select from exam_records where kind = 'event' and at >= t.yesterday limit 1000000) e)
           as events_24h,
       (select count(*) from exam_flags where created_at >= t.yesterday and resolves is null) as flags_24h,
       (select count(*) filter (where resolves is null) - count(resolves) from exam_flags) as open_flags
  from t, people, versions, live;
