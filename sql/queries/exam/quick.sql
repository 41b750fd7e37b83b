-- Heartbeats and answers in one round trip, each one guarded statement. No key is read.

-- name: read_paper
-- All that is frozen of a session, in one row.
select s.rules,
       (select jsonb_agg(jsonb_build_object(
                   'slot', t.slot, 'section', t.section, 'question_id', t.question_id, 'version', t.version,
                   'topic_id', t.topic_id, 'choice_order', t.choice_order, 'max_mark', t.max_mark::text,
                   'kind', v.kind, 'prompt_ids', jsonb_path_query_array(v.prompts, '$[*].id')
               ) order by t.slot)
          from exam_slots t
          join question_versions v on v.question_id = t.question_id and v.version = t.version
         where t.user_id = s.user_id and t.session_id = s.id) as slots
  from exam_sessions s
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: keep_answer
-- Nothing happens unless the claim stands, where there is one. The session is held before its slot, as units of work do.
-- Each condition is looked at again by PostgreSQL when a row had to be waited for, so that of two answers to the same
-- revision one is kept. The time is read after that wait, so that an answer comes after what it waited for and not after
-- the end. The link of the record is the one that domain.exam.record computes. Equal answers are equal documents: there is
-- one spelling of each.
with held as materialized (
    select s.user_id, s.id, s.record_count + 1 as position, s.record_hash, s.deadline, s.due_at
      from exam_sessions s
     where s.user_id = %(user_id)s and s.id = %(session_id)s and s.status = 'active'
       and (%(claim_session_id)s::text is null
            or exists (select from open_sessions o
                        where o.user_id = %(user_id)s and o.id = %(claim_session_id)s and o.audience = %(claim_role)s
                          and clock_timestamp() < least(o.open_until, %(claim_until)s::timestamptz)
                          and clock_timestamp() >= %(claim_from)s::timestamptz))
       for no key update of s
), clock as materialized (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as now from held
), session as materialized (
    select held.user_id, held.id, held.position, held.record_hash, clock.now,
           least(clock.now, held.deadline) as effective_at
      from held, clock
     where held.due_at is null or clock.now <= held.due_at
), answered as (
    update exam_slots t
       set response = %(response)s::jsonb, revision = t.revision + 1, certainty = %(certainty)s::text,
           answered_at = session.effective_at, flagged = coalesce(%(flagged)s::boolean, t.flagged)
      from session
     where t.user_id = session.user_id and t.session_id = session.id and t.slot = %(slot)s
       and t.revision = %(base_revision)s
       and (t.response is distinct from %(response)s::jsonb or t.certainty is distinct from %(certainty)s::text)
    returning t.user_id, t.session_id, t.slot, t.revision, t.flagged, session.position, session.record_hash,
              session.now, session.effective_at
), moved as (
    update exam_sessions s
       set furthest_slot = greatest(s.furthest_slot, answered.slot), record_count = answered.position,
           record_hash = sha256(answered.record_hash || %(digest)s::bytea || int8send(answered.position::bigint)
                                || int8send((extract(epoch from answered.now) * 1000000)::bigint)
                                || int8send((extract(epoch from answered.effective_at) * 1000000)::bigint))
      from answered
     where s.user_id = answered.user_id and s.id = answered.session_id
    returning s.user_id, s.id, s.record_hash, s.deadline, answered.slot, answered.revision, answered.flagged,
              answered.position, answered.now, answered.effective_at
), noted as (
    insert into exam_records (user_id, session_id, position, at, effective_at, kind, source, slot, revision, autosave,
                              content, hash)
    select user_id, id, position, now, effective_at, 'answer', 'student', slot, revision, %(autosave)s::boolean,
           %(content)s::text, record_hash
      from moved
)
select now as at, revision, flagged, effective_at as answered_at, deadline from moved;

-- name: keep_heartbeat
-- Nothing happens unless the claim stands, where there is one. Without a gap it is a single update; only a gap takes hold
-- of the row before, because its entry tells of the heartbeat that the update replaces. That heartbeat can but become later
-- while a row is waited for, and then there was no gap. The entry's time is read after that wait, so that the record stays
-- in the order of time.
with clock as materialized (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
     where %(claim_session_id)s::text is null
        or exists (select from open_sessions o
                    where o.user_id = %(user_id)s and o.id = %(claim_session_id)s and o.audience = %(claim_role)s
                      and clock_timestamp() < least(o.open_until, %(claim_until)s::timestamptz)
                      and clock_timestamp() >= %(claim_from)s::timestamptz)
), silent as materialized (
    select s.last_heartbeat_at as since
      from clock, exam_sessions s
     where s.user_id = %(user_id)s and s.id = %(session_id)s and s.status = 'active'
       and (s.due_at is null or clock.now <= s.due_at)
       and clock.now - s.last_heartbeat_at > %(longest_silence)s::interval
       for no key update of s
), gap as materialized (
    select since, coalesce(%(now)s::timestamptz, clock_timestamp()) as now from silent
), beaten as (
    update exam_sessions s
       set last_seq = coalesce(%(seq)s::bigint, s.last_seq + 1),
           last_heartbeat_at = coalesce(gap.now, greatest(clock.now, s.last_heartbeat_at)),
           snapshot = coalesce(%(snapshot)s::jsonb, s.snapshot),
           record_count = s.record_count + case when gap.since is null then 0 else 1 end,
           record_hash = case when gap.since is null then s.record_hash
                              else sha256(s.record_hash || %(digest)s::bytea || int8send(s.record_count::bigint + 1)
                                          || int8send((extract(epoch from gap.now) * 1000000)::bigint)
                                          || int8send((extract(epoch from gap.since) * 1000000)::bigint)) end
      from clock left join gap on true
     where s.user_id = %(user_id)s and s.id = %(session_id)s and s.status = 'active'
       and (s.due_at is null or clock.now <= s.due_at)
       and (%(seq)s::bigint is null or %(seq)s::bigint > s.last_seq)
       and (%(client_at)s::timestamptz is null
            or %(client_at)s::timestamptz between clock.now - %(longest_drift)s::interval
                                              and clock.now + %(longest_drift)s::interval
            or clock.now - s.drift_told_at < %(drift_pause)s::interval)
    returning s.user_id, s.id, s.last_seq, s.deadline, s.record_count, s.record_hash, s.last_heartbeat_at
), noted as (
    insert into exam_records (user_id, session_id, position, at, effective_at, kind, source, id, type, content, hash)
    select beaten.user_id, beaten.id, beaten.record_count, gap.now, gap.since, 'event', 'system', %(event_id)s::text,
           'connection_gap', '{}', beaten.record_hash
      from beaten, gap
)
select last_heartbeat_at as at, last_seq, deadline, exists (select from gap) as told_gap from beaten;
