-- Verifying exams: everything that is stored of a session, in one snapshot.

-- name: allow_long_look
-- The next session of a rare package may stand far on in a large table. Ends with the transaction.
select set_config('statement_timeout', '1min', true);

-- name: package_named
-- An id has an underscore and a slug has none, so no name means two packages.
select id from exam_packages where id = %(name)s or slug = %(name)s;

-- name: following_exams
-- A batch of keys in their order. Before the first one comes what is before everything.
select user_id, id as session_id
  from exam_sessions
 where (user_id, id) > (%(user_id)s, %(session_id)s)
 order by user_id, id
 limit %(most)s;

-- name: following_exams_of_package
-- The same of one package. No index has them in this order; the table is gone through once, whatever the batches are.
select user_id, id as session_id
  from exam_sessions
 where (user_id, id) > (%(user_id)s, %(session_id)s) and exam_package_id = %(exam_package_id)s
 order by user_id, id
 limit %(most)s;

-- name: compared_times
-- What statements compare with the present, and the domain computes.
select deadline, due_at from exam_sessions where user_id = %(user_id)s and id = %(session_id)s;

-- name: every_grade
select user_id, session_id, revision, mark, max_mark, certainty_mark, passed, marks, voids, mode, reason, graded_at,
       graded_by
  from exam_grades
 where user_id = %(user_id)s and session_id = %(session_id)s
 order by revision;

-- name: entries_after
-- A batch of the record, by its key.
select user_id, session_id, position, at, effective_at, hash, kind, source, actor_id, id, type, client_event_id,
       client_at, slot, revision, autosave, content
  from exam_records
 where user_id = %(user_id)s and session_id = %(session_id)s and position > %(position)s
 order by position
 limit %(most)s;
