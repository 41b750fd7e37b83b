-- The rules of an exam session's row, asked when one of their columns is written. PostgreSQL reads the text of every CHECK
-- of a table anew for each statement that writes a row, and fifteen of them cost an exam's heartbeat, which writes none of
-- these columns, more than everything else together. The rules are the same, and each has a name.
create function refuse_unsound_exam_session() returns trigger language plpgsql as $$
declare
    broken constant text := case
        when new.attempt_no < 1 then 'attempt_no'
        when new.paused_microseconds < 0 then 'paused_microseconds'
        when new.grade_revision < 0 then 'grade_revision'
        when new.status not in ('created', 'active', 'paused', 'overdue', 'submitted', 'finished', 'abandoned',
                                'terminated', 'invalidated') then 'status'
        when new.seal_reason not in ('student', 'forced', 'timeout', 'terminated', 'invalidated') then 'seal_reason'
        when length(new.seal_note) > 500 then 'seal_note'
        when length(new.invalidation_reason) not between 1 and 500 then 'invalidation_reason'
        when (new.status = 'created') <> (new.started_at is null)
             and new.status not in ('abandoned', 'terminated', 'invalidated') then 'started'
        when (new.status = 'paused') <> (new.paused_at is not null) then 'paused'
        when (new.status in ('created', 'active', 'paused', 'overdue')) <> (new.sealed_at is null) then 'sealed'
        when (new.sealed_at is null) <> (new.seal_reason is null) then 'sealed_for_a_reason'
        when (new.status = 'invalidated') <> (new.invalidated_at is not null) then 'invalidated'
        when new.sealed_at < new.started_at then 'sealed_after_start'
        when new.status = 'finished' and new.grade_revision = 0 then 'finished_with_a_grade'
        when (new.grade_revision = 0) <> (new.mark is null) then 'graded'
    end;
begin
    if broken is not null then
        raise exception 'an exam session breaks the rule %', broken
              using errcode = 'check_violation', schema = tg_table_schema, table = tg_table_name,
                    constraint = 'exam_sessions_' || broken || '_check';
    end if;
    return null;
end
$$;
create constraint trigger exam_sessions_sound
    after insert or update of attempt_no, status, started_at, paused_at, paused_microseconds, sealed_at, seal_reason,
                              seal_note, invalidated_at, invalidation_reason, grade_revision, mark
    on exam_sessions for each row execute function refuse_unsound_exam_session();
alter table exam_sessions
    drop constraint exam_sessions_attempt_no_check, drop constraint exam_sessions_status_check,
    drop constraint exam_sessions_paused_microseconds_check, drop constraint exam_sessions_seal_reason_check,
    drop constraint exam_sessions_seal_note_check, drop constraint exam_sessions_invalidation_reason_check,
    drop constraint exam_sessions_grade_revision_check, drop constraint exam_sessions_check,
    drop constraint exam_sessions_check1, drop constraint exam_sessions_check2, drop constraint exam_sessions_check3,
    drop constraint exam_sessions_check4, drop constraint exam_sessions_check5, drop constraint exam_sessions_check6,
    drop constraint exam_sessions_check7;
