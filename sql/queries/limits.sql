-- Session limits and groups as administrators see and change them. Sign-ins read limits by `limits_of` of the auth area.

-- name: add_limit
-- Of several that define the same limit first, one does; the others wait for it and are told that there is one.
insert into session_limits (scope, subject_id, max_sessions, when_full, updated_at)
values (%(scope)s, %(subject_id)s, %(max_sessions)s, %(when_full)s, %(now)s)
on conflict (scope, subject_id) do nothing;

-- name: hold_limit
-- After add_limit, so it sees a limit that was defined while that one waited.
select max_sessions, when_full
from session_limits
where scope = %(scope)s and subject_id = %(subject_id)s
for update;

-- name: save_limit
-- One that was taken away since it was looked for is defined anew.
insert into session_limits (scope, subject_id, max_sessions, when_full, updated_at)
values (%(scope)s, %(subject_id)s, %(max_sessions)s, %(when_full)s, %(now)s)
on conflict (scope, subject_id) do update
set max_sessions = excluded.max_sessions, when_full = excluded.when_full, updated_at = excluded.updated_at;

-- name: drop_limit
delete from session_limits where scope = %(scope)s and subject_id = %(subject_id)s;

-- name: role_limit
select max_sessions, when_full from session_limits where scope = 'role' and subject_id = %(role)s;

-- name: user_limits
-- The person's candidates in one round trip, the strictest group first.
select u.id as user_id,
       (
           select jsonb_build_object('max_sessions', l.max_sessions, 'when_full', l.when_full)
           from session_limits l where l.scope = 'user' and l.subject_id = u.id
       ) as own,
       coalesce((
           select jsonb_agg(
               jsonb_build_object(
                   'group_id', g.id, 'name', g.name,
                   'limit', jsonb_build_object('max_sessions', l.max_sessions, 'when_full', l.when_full)
               )
               order by l.max_sessions, l.when_full, g.id
           )
           from session_group_members m
           join session_groups g on g.id = m.group_id
           join session_limits l on l.scope = 'group' and l.subject_id = g.id
           where m.user_id = u.id
       ), '[]') as groups,
       (
           select jsonb_build_object('max_sessions', l.max_sessions, 'when_full', l.when_full)
           from session_limits l where l.scope = 'role' and l.subject_id = u.role
       ) as role
from users u
where u.id = %(user_id)s;

-- name: crowded
-- Decides as `effective_limit` does, for many at once. Who has no more sessions than the lowest limit that is defined
-- anywhere is passed over; only one of the two branches of `people` runs; and limits are looked up one by one, because
-- joining all of them costs more as soon as there are many groups.
with people as (
    select m.user_id, u.role
    from session_group_members m
    join users u on u.id = m.user_id
    where %(scope)s = 'group' and m.group_id = %(subject_id)s and m.user_id > coalesce(%(after)s::text, '')
    union all
    select id, role
    from users
    where %(scope)s = 'role' and role = %(subject_id)s and id > coalesce(%(after)s::text, '')
)
select c.user_id
from (
    select p.user_id, p.role, count(*) as live
    from people p
    join auth_sessions s on s.user_id = p.user_id
    where s.revoked_at is null and least(s.idle_expires_at, s.absolute_expires_at) > %(now)s
    group by p.user_id, p.role
    having count(*) > (select least(min(max_sessions), %(otherwise)s) from session_limits)
) c
where c.live > coalesce(
    (select max_sessions from session_limits where scope = 'user' and subject_id = c.user_id),
    (
        select min((select max_sessions from session_limits where scope = 'group' and subject_id = m.group_id))
        from session_group_members m
        where m.user_id = c.user_id
    ),
    (select max_sessions from session_limits where scope = 'role' and subject_id = c.role),
    %(otherwise)s
)
order by c.user_id
limit %(limit)s;

-- name: take_number
-- The next number of all: whatever has begun to lock or write has a lower one. A snapshot does not tell it, as its upper
-- end is the last that has ended.
select pg_current_xact_id()::text as number;

-- name: has_turned_over
-- Everything with a lower number has ended.
select pg_snapshot_xmin(pg_current_snapshot()) >= %(number)s::xid8 as over;

-- name: add_group
-- The unique index on the name decides who came first.
insert into session_groups (id, name, created_at, updated_at)
values (%(id)s, %(name)s, %(created_at)s, %(updated_at)s);

-- name: hold_group
-- Changes to one group take turns; who puts people into it does not wait for them.
select id, name, created_at, updated_at from session_groups where id = %(group_id)s for no key update;

-- name: find_group
-- Kept from being deleted until the end.
select id, name, created_at, updated_at from session_groups where id = %(group_id)s for key share;

-- name: save_group
update session_groups set name = %(name)s, updated_at = %(updated_at)s where id = %(id)s;

-- name: drop_group
-- Its memberships go with it.
delete from session_groups where id = %(group_id)s;

-- name: count_members
select count(*) as members from session_group_members where group_id = %(group_id)s;

-- name: find_member
select u.id as user_id, u.email, u.name, u.role, u.status, m.added_at, u.deleted_at
from session_group_members m
join users u on u.id = m.user_id
where m.group_id = %(group_id)s and m.user_id = %(user_id)s;

-- name: add_member
insert into session_group_members (user_id, group_id, added_at) values (%(user_id)s, %(group_id)s, %(added_at)s);

-- name: remove_member
delete from session_group_members where user_id = %(user_id)s and group_id = %(group_id)s;

-- name: list_groups
-- The page first; the members of its groups only are counted, in the index by group.
select g.id, g.name, l.max_sessions, l.when_full, g.created_at, g.updated_at,
       (select count(*) from session_group_members m where m.group_id = g.id) as member_count
from (
    select id, name, created_at, updated_at
    from session_groups
    where %(after)s::text is null or id > %(after)s::text
    order by id
    limit %(limit)s
) g
left join session_limits l on l.scope = 'group' and l.subject_id = g.id
order by g.id;

-- name: list_groups_of_user
-- One row without a group tells a person who is in none from nobody.
select g.id, g.name, l.max_sessions, l.when_full, g.created_at, g.updated_at,
       (select count(*) from session_group_members m where m.group_id = g.id) as member_count
from users u
left join lateral (
    select s.id, s.name, s.created_at, s.updated_at
    from session_group_members m
    join session_groups s on s.id = m.group_id
    where m.user_id = u.id and (%(after)s::text is null or m.group_id > %(after)s::text)
    order by m.group_id
    limit %(limit)s
) g on true
left join session_limits l on l.scope = 'group' and l.subject_id = g.id
where u.id = %(user_id)s
order by g.id;

-- name: list_members
-- One row without a person tells an empty group from none. Deleted people stay members.
select p.user_id, p.email, p.name, p.role, p.status, p.added_at, p.deleted_at
from session_groups g
left join lateral (
    select m.user_id, u.email, u.name, u.role, u.status, m.added_at, u.deleted_at
    from session_group_members m
    join users u on u.id = m.user_id
    where m.group_id = g.id and (%(after)s::text is null or m.user_id > %(after)s::text)
    order by m.user_id
    limit %(limit)s
) p on true
where g.id = %(group_id)s
order by p.user_id;
