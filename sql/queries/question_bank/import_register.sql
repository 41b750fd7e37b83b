-- The question bank: imports as others see them, while they run and afterwards.

-- name: begin_import
-- Nothing is begun twice: a request that comes again with its key finds the import that it began.
insert into question_imports (id, bank, question_bank_id, actor_id, file, format, mode, status, report, created_at,
                              heard_at, bytes_total, idempotency_key, fingerprint)
values (%(id)s, %(bank)s, (select b.id from question_banks b where b.slug = %(bank)s), %(actor_id)s, %(file)s, %(format)s,
        %(mode)s, 'running', %(report)s, clock_timestamp(), clock_timestamp(), %(bytes_total)s, %(key)s, %(fingerprint)s)
on conflict (actor_id, idempotency_key) where idempotency_key is not null do nothing;

-- name: find_repeated_import
select id, fingerprint from question_imports where actor_id = %(actor_id)s and idempotency_key = %(key)s;

-- name: tell_progress
-- Says how far the import is and hears whether somebody wants it to stop; both from any process.
update question_imports
set bytes_read = %(bytes_read)s, records = %(records)s, heard_at = clock_timestamp()
where id = %(id)s and status = 'running'
returning cancel_asked_at is not null as cancel;

-- name: ask_to_cancel
update question_imports set cancel_asked_at = coalesce(cancel_asked_at, %(now)s)
where id = %(id)s and status = 'running'
returning id;

-- name: end_import
-- Of an import that left nothing behind; on a connection that has no unit of work.
insert into question_imports (id, bank, question_bank_id, actor_id, file, format, mode, status, report, created_at,
                              heard_at, finished_at)
values (%(id)s, %(bank)s, (select b.id from question_banks b where b.slug = %(bank)s), %(actor_id)s, %(file)s, %(format)s,
        %(mode)s, %(status)s, %(report)s, clock_timestamp(), clock_timestamp(), clock_timestamp())
on conflict (id) do update
set status = excluded.status, report = excluded.report, finished_at = clock_timestamp(),
    idempotency_key = case when excluded.status in ('failed', 'cancelled') then null
                           else question_imports.idempotency_key end
where question_imports.status = 'running';

-- name: forget_import
delete from question_imports where id = %(id)s and status = 'running';

-- name: find_import
-- A running import is heard of every second; one that has been silent for half a minute died with its process.
-- Reports are for whoever imported, for those who see the bank by its id, whatever it is called by now, and for admins.
select report, actor_id, bytes_read, bytes_total, records,
       status = 'running' and coalesce(heard_at, created_at) < clock_timestamp() - interval '30 seconds' as lost
from question_imports i
where id = %(id)s
  and (%(sees_all)s or i.actor_id = %(viewer_id)s
       or exists (select from question_banks b
                   where b.id = i.question_bank_id
                     and (b.visibility = 'visible' or b.owner_id = %(viewer_id)s
                          or exists (select from question_bank_editors e
                                      where e.question_bank_id = b.id and e.user_id = %(viewer_id)s))));

-- name: list_imports
-- Newest first: ids are ordered by time. Of the same readers as `find_import`.
select report, actor_id, bytes_read, bytes_total, records,
       status = 'running' and coalesce(heard_at, created_at) < clock_timestamp() - interval '30 seconds' as lost
from question_imports i
where (%(bank)s::text is null or bank = %(bank)s) and (%(after)s::text is null or id < %(after)s)
  and (%(sees_all)s or i.actor_id = %(viewer_id)s
       or exists (select from question_banks b
                   where b.id = i.question_bank_id
                     and (b.visibility = 'visible' or b.owner_id = %(viewer_id)s
                          or exists (select from question_bank_editors e
                                      where e.question_bank_id = b.id and e.user_id = %(viewer_id)s))))
order by id desc
limit %(limit)s;

-- name: was_imported
select exists (select from question_imports where bank = %(bank)s and status = 'succeeded' and mode <> 'dry_run') as yes;

-- name: keep_rejects
insert into question_import_rejects (import_id, part, content) values (%(id)s, %(part)s, %(content)s);

-- name: rejects_part
select content from question_import_rejects where import_id = %(id)s and part = %(part)s;
