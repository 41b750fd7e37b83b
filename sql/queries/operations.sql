-- What every area needs beside its own words: the audit log, remembered answers, jobs, health, housekeeping.

-- name: add_audit_entry
-- One row per privileged act, in the act's own transaction.
insert into audit_log (id, at, actor_id, action, subject, before, after, reason, request_id, ip)
values (%(id)s, %(at)s, %(actor_id)s, %(action)s, %(subject)s, %(before)s, %(after)s, %(reason)s, %(request_id)s, %(ip)s);

-- name: claim_idempotency_key
-- Takes the request for this transaction, without waiting, and reads the answer of an earlier one. The lock belongs to
-- the transaction, so a pooler in between does not matter. A unit separator keeps ('ab', 'c') and ('a', 'bc') apart.
select pg_try_advisory_xact_lock(hashtextextended(asked.user_id || chr(31) || asked.key, 0)) as claimed,
       kept.fingerprint, kept.answer
from (select %(user_id)s::text as user_id, %(key)s::text as key) asked
left join idempotency_keys kept on kept.user_id = asked.user_id and kept.key = asked.key;

-- name: add_idempotency_key
insert into idempotency_keys (user_id, key, fingerprint, answer, created_at)
values (%(user_id)s, %(key)s, %(fingerprint)s, %(answer)s, %(now)s);

-- name: enqueue_job
-- Through the queue's own function, so that its table stays its own business; committed with the unit of work.
select procrastinate_defer_jobs_v1(
    array[
        row(
            %(queue)s, %(task)s, 0, %(lock)s, null, %(payload)s,
            case when %(delay)s::int > 0 then clock_timestamp() + make_interval(secs => %(delay)s::int) end
        )::procrastinate_job_to_defer_v1
    ]
) as ids;

-- name: applied_migrations
-- What /readyz compares with the migrations that this code brings.
select coalesce(array_agg(name), '{}') as names from schema_migrations;

-- name: purge_idempotency_keys
-- A batch, so that no purge holds many rows or a long transaction. The age is read through the block-range index, which
-- takes a time that stands still.
delete from idempotency_keys
where (user_id, key) in (
    select user_id, key from idempotency_keys
    where created_at < now() - make_interval(hours => %(hours)s)
    limit %(limit)s
);

-- name: purge_sessions
-- Sessions that ended long ago, their refresh tokens with them. By age there is no index, which each refresh would have
-- to keep up: the table is walked along its primary key in steps, each of which tells where it came to.
with step as (
    select user_id, id from auth_sessions
    where (user_id, id) > (%(user_id)s, %(id)s)
    order by user_id, id
    limit %(limit)s
), gone as (
    delete from auth_sessions s using step
    where s.user_id = step.user_id and s.id = step.id
      and s.idle_expires_at < clock_timestamp() - make_interval(days => %(days)s)
)
select user_id, id from step order by user_id desc, id desc limit 1;

-- name: purge_attempts
-- After a day a counter without failures tells nothing, after a month only one that keeps an account locked does.
-- Walked like the sessions, because every attempt would have to keep up an index by age.
with step as (
    select key from attempt_counters where key > %(key)s order by key limit %(limit)s
), gone as (
    delete from attempt_counters c using step
    where c.key = step.key
      and c.last_at < clock_timestamp() - make_interval(days => case when c.failures = 0 then 1 else %(days)s end)
      and (c.failures < %(stop)s or c.blocked_until is null)
)
select key from step order by key desc limit 1;

-- name: purge_imports
-- What was rejected goes with its import. The last success of a bank stays: it tells that the bank was filled once.
with step as (
    select id, bank, status, created_at from question_imports where id > %(id)s order by id limit %(limit)s
), gone as (
    delete from question_imports i using step
    where i.id = step.id
      and step.created_at < clock_timestamp() - make_interval(days => %(days)s)
      and (step.status <> 'succeeded'
           or exists (select from question_imports n where n.bank = step.bank and n.id > step.id
                                                       and n.status = 'succeeded' and n.mode <> 'dry_run'))
)
select id from step order by id desc limit 1;

-- name: production_settings
-- What a production start refuses: a role that may do anything, commits that do not last, missing protection.
select current_user as role,
       (select rolsuper from pg_roles where rolname = current_user) as superuser,
       current_setting('fsync') as fsync,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('full_page_writes') as full_page_writes,
       current_setting('statement_timeout') as statement_timeout,
       has_table_privilege(to_regclass('audit_log'), 'update, delete, truncate') as may_rewrite_audit_log,
       has_database_privilege(current_database(), 'temporary') as may_make_temporary_tables;
