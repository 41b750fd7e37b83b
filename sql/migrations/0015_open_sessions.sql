-- The sessions that open every route of their role, but for their end, which whoever reads this asks for:
-- `open_until > now`. It is domain.auth.sessions.Standing, and no password that must be changed first, for statements
-- that ask for it and do their work in the same breath. Such a password does not keep from refreshing, which is why
-- `rotate_at_once` has words of its own.
create view open_sessions as
select s.user_id, s.id, s.audience, least(s.idle_expires_at, s.absolute_expires_at) as open_until
  from auth_sessions s
  join users u on u.id = s.user_id
 where s.revoked_at is null and u.status = 'active' and u.deleted_at is null and u.role = s.audience
   and not u.must_change_password;
