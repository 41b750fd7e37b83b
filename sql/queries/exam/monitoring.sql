-- Looking at all live sessions at once. Snapshots are never read, and nothing here locks.

-- name: live_exams
-- Read every second while somebody watches. The index of live sessions finds them; of each, the flags by their key. The
-- time comes with the rows, also where there are none.
with t as materialized (select coalesce(%(now)s::timestamptz, clock_timestamp()) as at)
select t.at, s.user_id, s.id as session_id, s.exam_package_id, s.attempt_no, s.status, s.started_at, s.deadline,
       coalesce(s.due_at < t.at, false) as is_due, s.last_heartbeat_at, s.record_count as entries,
       (select count(*) from exam_flags f
         where f.user_id = s.user_id and f.session_id = s.id and f.resolves is null
           and not exists (select from exam_flags r
                            where r.user_id = f.user_id and r.session_id = f.session_id and r.resolves = f.id)
       ) as open_flags
  from t
  left join exam_sessions s on s.status in ('created', 'active', 'paused', 'overdue')
 order by s.user_id, s.exam_package_id;

-- name: answered_counts
-- Of the sessions whose record has grown since it was counted last.
select s.user_id, s.session_id, count(*) as answered
  from unnest(%(user_ids)s::text[], %(session_ids)s::text[]) as w (user_id, session_id)
  join exam_slots s on s.user_id = w.user_id and s.session_id = w.session_id
 where s.response is not null
 group by s.user_id, s.session_id;

-- name: ended_exams
-- What became of sessions that were live a moment ago.
select s.user_id, s.id as session_id, s.exam_package_id, s.status, s.sealed_at
  from unnest(%(user_ids)s::text[], %(session_ids)s::text[]) as w (user_id, session_id)
  join exam_sessions s on s.user_id = w.user_id and s.id = w.session_id
 where s.status not in ('created', 'active', 'paused', 'overdue');

-- name: exam_figures
-- For the metrics: how many are live, and for how long the longest due one waits to be swept.
with t as materialized (select coalesce(%(now)s::timestamptz, clock_timestamp()) as at)
select s.status, count(*) as sessions, extract(epoch from max(t.at - s.due_at)) as lag_seconds
  from t
  join exam_sessions s on s.status in ('created', 'active', 'paused', 'overdue')
 group by s.status;
