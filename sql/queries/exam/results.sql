-- What exams came to, as their students see it. Only `review` reads keys, once its rule allows it.

-- name: result
-- A session with its latest grade, the topics of its slots, the package as it is now, and every attempt beside it: of
-- those only what says which one counts. Whether anybody still sits the package is asked where it matters, of an index.
-- No key is read.
select s.user_id, s.id, s.exam_package_id, s.tier_id, s.attempt_no, s.created_at, s.rules, s.accommodation, s.status,
       s.adjust_seconds, s.started_at, s.paused_at, s.paused_by_staff, s.paused_microseconds, s.sealed_at,
       s.seal_reason, s.late, s.grade_revision, s.mark, s.max_mark, s.certainty_mark, s.passed, s.graded_at,
       clock.now, p.settings,
       case when p.settings ->> 'review_rule' = 'after_window'
            then exists (select from exam_sessions l
                          where l.exam_package_id = p.id and l.status in ('created', 'active', 'paused', 'overdue')
                            and (l.due_at is null or clock.now <= l.due_at))
            else false end as is_sat,
       (select jsonb_agg(jsonb_build_object(
                   'user_id', a.user_id, 'id', a.id, 'exam_package_id', a.exam_package_id, 'tier_id', a.tier_id,
                   'attempt_no', a.attempt_no, 'created_at', a.created_at, 'status', a.status,
                   'rules', jsonb_build_object('pass_mark', a.rules ->> 'pass_mark'),
                   'mark', a.mark::text, 'max_mark', a.max_mark::text, 'passed', a.passed
               ))
          from exam_sessions a
         where a.user_id = s.user_id and a.exam_package_id = s.exam_package_id) as attempts,
       (select jsonb_build_object(
                   'user_id', g.user_id, 'session_id', g.session_id, 'revision', g.revision, 'mark', g.mark::text,
                   'max_mark', g.max_mark::text, 'certainty_mark', g.certainty_mark::text, 'passed', g.passed,
                   'marks', g.marks, 'voids', g.voids, 'mode', g.mode, 'graded_at', g.graded_at
               )
          from exam_grades g
         where g.user_id = s.user_id and g.session_id = s.id and g.revision = s.grade_revision) as grade,
       (select jsonb_agg(jsonb_build_object('slot', t.slot, 'topic_id', t.topic_id, 'name', o.name) order by t.slot)
          from exam_slots t
          left join question_topics o on o.id = t.topic_id
         where t.user_id = s.user_id and t.session_id = s.id) as topics
  from exam_sessions s
  join exam_packages p on p.id = s.exam_package_id
 cross join (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock
 where s.user_id = %(user_id)s and s.id = %(session_id)s;

-- name: review
-- Whether keys may be told is asked again here, so that not even a mistake further up can send one early.
select t.user_id, t.session_id, t.slot, t.section, t.question_id, t.version, t.topic_id, t.choice_order, t.max_mark,
       t.response, t.revision, t.certainty, t.answered_at, t.flagged, t.mark, t.certainty_mark, t.correct,
       v.kind, v.stem, v.stem_format, v.choices, v.prompts, v.answer_key
  from exam_sessions s
  join exam_packages p on p.id = s.exam_package_id
  join exam_slots t on t.user_id = s.user_id and t.session_id = s.id
  join question_versions v on v.question_id = t.question_id and v.version = t.version
 cross join (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) clock
 where s.user_id = %(user_id)s and s.id = %(session_id)s and s.status = 'finished'
   and case p.settings ->> 'review_rule'
            when 'after_release' then true
            when 'after_window' then (p.settings ->> 'closes_at')::timestamptz <= clock.now
                 and not exists (select from exam_sessions l
                                  where l.exam_package_id = p.id
                                    and l.status in ('created', 'active', 'paused', 'overdue')
                                    and (l.due_at is null or clock.now <= l.due_at))
            else false end
 order by t.slot;

-- name: history
-- The packages of a student by their identifiers, each with all sessions in it: which one counts is told by all of them.
with packages as materialized (
    select distinct s.exam_package_id
      from exam_sessions s
     where s.user_id = %(user_id)s
       and (%(exam_package_id)s::text is null or s.exam_package_id = %(exam_package_id)s::text)
       and (%(after)s::text is null or s.exam_package_id > %(after)s::text)
     order by s.exam_package_id
     limit %(limit)s
)
select p.id as exam_package_id, p.title, p.settings,
       (select jsonb_agg(jsonb_build_object(
                   'user_id', s.user_id, 'id', s.id, 'exam_package_id', s.exam_package_id, 'tier_id', s.tier_id,
                   'attempt_no', s.attempt_no, 'created_at', s.created_at, 'status', s.status,
                   'rules', jsonb_build_object('pass_mark', s.rules ->> 'pass_mark'),
                   'started_at', s.started_at, 'sealed_at', s.sealed_at, 'seal_reason', s.seal_reason, 'late', s.late,
                   'grade_revision', s.grade_revision, 'mark', s.mark::text, 'max_mark', s.max_mark::text,
                   'certainty_mark', s.certainty_mark::text, 'passed', s.passed, 'graded_at', s.graded_at
               ) order by s.attempt_no)
          from exam_sessions s
         where s.user_id = %(user_id)s and s.exam_package_id = p.id) as sessions
  from packages
  join exam_packages p on p.id = packages.exam_package_id
 order by p.id;
