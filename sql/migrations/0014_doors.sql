-- What other doors on the same people need: one picture of a person, whichever door shows or changes it, and sessions
-- that are seen more often than they are renewed.

alter table users add column image text check (length(image) <= 2000);
update users u set image = p.avatar_url from student_progress p where p.user_id = u.id and p.avatar_url is not null;
alter table student_progress drop column avatar_url;

-- Which questions a practice session was asked to draw, so that whoever asks again for the same is dealt the same ones.
-- Of sessions that were begun before this was kept nobody knows.
alter table practice_sessions add column filter jsonb;

-- The practice sessions that ask a question which stands on the paper of an exam under way of the same student: whoever
-- reads it asks for `live_until is null or live_until >= now`, as of `live_exams`. It begins with the exam (`offset 0`), so
-- that it costs one entry of an index where there is none.
create view practice_under_exam as
select x.user_id, practised.session_id, x.live_until
  from live_exams x
 cross join lateral (
       select p.session_id
         from exam_slots e
         join practice_slots p on p.user_id = e.user_id and p.question_id = e.question_id
        where e.user_id = x.user_id and e.session_id = x.id
       offset 0
 ) practised;

-- When a session of the cookie door was last renewed; those of a portal are renewed whenever they are seen.
alter table auth_sessions add column renewed_at timestamptz;
