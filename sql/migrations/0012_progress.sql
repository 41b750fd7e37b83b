-- What packages and tiers say, templates of practice, and what a student has come to.

alter table exam_packages add column settings jsonb not null default '{}';
alter table exam_packages add column blueprint jsonb;

-- A cap counts sessions begun in the last seven days; without one there is no limit, and 0 leaves them out of the tier.
alter table exam_package_tiers
    add column weekly_practice_sessions integer check (weekly_practice_sessions between 0 and 10000),
    add column weekly_exam_sessions     integer check (weekly_exam_sessions between 0 and 10000),
    add column access_days              integer check (access_days between 1 and 3650),
    add column rank                     integer not null default 0 check (rank between 0 and 1000);

-- Deleting a package or a tier asks what refers to it, and reads no whole table for that.
create index enrollments_by_tier on enrollments (tier_id);
create index practice_sessions_by_package on practice_sessions (exam_package_id);

-- An enrolment past `expires_at` has ended, whether or not anybody has written that down yet.
alter table enrollments add column expires_at timestamptz check (expires_at > started_at);
create index enrollments_expiring on enrollments (expires_at) where status = 'active' and expires_at is not null;
create index enrollments_of_package on enrollments (exam_package_id, status, id);
drop index enrollments_by_package;

-- `settings` is what is being written; what sessions are begun from are the versions, which never change.
create table practice_templates (
    id                text primary key,
    exam_package_id   text not null references exam_packages (id),
    author_id         text references users (id),
    title             text not null check (length(title) between 1 and 200),
    description       text not null default '' check (length(description) <= 10000),
    settings          jsonb not null,
    revision          integer not null default 1,
    latest_version    integer not null default 0,
    published_version integer check (published_version between 1 and latest_version),
    created_at        timestamptz not null,
    updated_at        timestamptz not null
);
create index practice_templates_of_package on practice_templates (exam_package_id, id);
create index practice_templates_published on practice_templates (exam_package_id, id)
    where published_version is not null;

create table practice_template_versions (
    template_id     text not null references practice_templates (id),
    version         integer not null check (version >= 1),
    title           text not null,
    description     text not null,
    settings        jsonb not null,
    published_at    timestamptz not null,
    published_by    text references users (id),
    primary key (template_id, version)
);

alter table practice_sessions
    add column template_id      text,
    add column template_version integer,
    add column source           text not null default 'all'
        check (source in ('all', 'unseen', 'incorrect', 'flagged', 'weak', 'due')),
    add column policy           jsonb not null default '{}',
    add column invalidation_reason text check (length(invalidation_reason) between 1 and 500),
    add check (invalidation_reason is null or status = 'invalidated'),
    add check ((template_id is null) = (template_version is null)),
    add foreign key (template_id, template_version) references practice_template_versions (template_id, version);
create index practice_sessions_of_template on practice_sessions (template_id) where template_id is not null;
create index practice_sessions_begun on practice_sessions (user_id, exam_package_id, started_at);

alter table practice_slots
    add column topic_id       text,
    add column certainty_mark numeric(12, 6);
update practice_slots t
   set topic_id = v.topic_id
  from question_versions v
 where v.question_id = t.question_id and v.version = t.version and v.topic_id is not null;
-- What a student has answered, question by question.
create index practice_slots_answered on practice_slots (user_id, question_id, answered_at)
    where answered_at is not null;

-- The same rule in an order that also tells whether a student was ever asked a question.
drop index practice_slots_one_per_question;
create unique index practice_slots_one_per_question on practice_slots (user_id, question_id, session_id);

-- Every answer that may be judged, and from when on: at once with immediate feedback, with deferred not before its
-- session is over. Whoever reads it asks for `judged_at <= now`, so that nothing tells right from wrong early.
create view judged_answers as
select t.user_id, t.session_id, t.slot, t.question_id, t.version, t.topic_id, s.exam_package_id, t.answered_at,
       case s.feedback when 'immediate' then t.answered_at else least(s.finished_at, s.deadline) end as judged_at,
       t.mark, t.max_mark, t.correct, s.certainty as certainty_asked, t.certainty, t.time_spent_seconds
  from practice_slots t
  join practice_sessions s on s.user_id = t.user_id and s.id = t.session_id
 where t.answered_at is not null and s.status <> 'invalidated';

-- One row per student, and the first that a unit of work which credits something takes hold of. From `credited_from`
-- until before `credited_until` the local day is `last_day`, which is in `study_days` already.
create table student_progress (
    user_id              text primary key references users (id),
    bio                  text not null default '' check (length(bio) <= 2000),
    avatar_url           text check (length(avatar_url) <= 2000),
    time_zone            text not null default 'UTC' check (length(time_zone) <= 64),
    day_start_hour       integer not null default 0 check (day_start_hour between 0 and 12),
    time_zone_changed_at timestamptz,
    questions_answered   integer not null default 0 check (questions_answered >= 0),
    exams_finished       integer not null default 0 check (exams_finished >= 0),
    exams_passed         integer not null default 0 check (exams_passed >= 0),
    perfect_exams        integer not null default 0 check (perfect_exams >= 0),
    last_day             date,
    credited_from        timestamptz,
    credited_until       timestamptz,
    last_activity_at     timestamptz,
    version              integer not null default 1
) with (fillfactor = 70);

create table study_days (
    user_id     text not null references users (id),
    day         date not null,
    credited_at timestamptz not null,
    kind        text not null check (kind in ('practice_answer', 'exam_sealed', 'lesson_completed')),
    source_id   text not null,
    primary key (user_id, day)
);

-- What was answered before there were days: they are those of UTC, as for everybody who has chosen no zone. A badge that
-- is reached by it is awarded with the student's next day.
insert into student_progress (user_id, questions_answered, last_day, last_activity_at)
select user_id, count(*), (max(answered_at) at time zone 'UTC')::date, max(answered_at)
  from practice_slots t
 where answered_at is not null
   and exists (select from practice_sessions s
                where s.user_id = t.user_id and s.id = t.session_id and s.status <> 'invalidated')
 group by user_id;
insert into study_days (user_id, day, credited_at, kind, source_id)
select distinct on (user_id, (answered_at at time zone 'UTC')::date)
       user_id, (answered_at at time zone 'UTC')::date, answered_at, 'practice_answer', session_id
  from practice_slots
 where answered_at is not null
 order by user_id, (answered_at at time zone 'UTC')::date, answered_at, session_id, slot;

create table student_badges (
    user_id    text not null references users (id),
    code       text not null,
    version    integer not null,
    metric     text not null,
    value      integer not null,
    source_id  text not null,
    awarded_at timestamptz not null,
    revoked_at timestamptz check (revoked_at >= awarded_at),
    primary key (user_id, code)
);

create table flagged_questions (
    user_id     text not null references users (id),
    question_id text not null references questions (id),
    flagged_at  timestamptz not null,
    primary key (user_id, question_id)
);
create index flagged_questions_by_question on flagged_questions (question_id);
create index flagged_questions_newest on flagged_questions (user_id, flagged_at, question_id);

-- When a question is due again: a projection of the judged answers, which can be made anew from them. `made_of` tells
-- from which: a card whose answers are others by now is stale. `as_of` is the instant up to which they were judged.
create table review_cards (
    user_id     text not null references users (id),
    question_id text not null references questions (id),
    state       text not null check (state in ('learning', 'review', 'relearning')),
    step        integer,
    stability   double precision not null,
    difficulty  double precision not null,
    due         timestamptz not null,
    last_review timestamptz not null,
    reviews     integer not null check (reviews >= 1),
    made_of     bigint not null,
    as_of       timestamptz not null,
    primary key (user_id, question_id)
);
create index review_cards_due on review_cards (user_id, due);
create index review_cards_by_question on review_cards (question_id);

-- How all students did on a topic, counted anew from time to time. `earned` is a sum of fractions in 0..1.
create table topic_facilities (
    topic_id   text primary key,
    responses  bigint not null check (responses >= 0),
    earned     double precision not null,
    counted_at timestamptz not null
);

-- Every probability of passing that a student was shown, to be held against what became of it.
create table readiness_predictions (
    user_id         text not null references users (id),
    id              text not null,
    exam_package_id text not null references exam_packages (id),
    shown_at        timestamptz not null,
    p_pass          double precision not null check (p_pass between 0 and 1),
    expected        double precision not null,
    lowest          integer not null,
    highest         integer not null,
    need            integer not null,
    questions       integer not null,
    coverage        double precision not null,
    exam_session_id text,
    passed          boolean,
    primary key (user_id, id),
    check ((exam_session_id is null) = (passed is null))
);
create index readiness_predictions_of_package on readiness_predictions (user_id, exam_package_id, shown_at);
-- Whether anything refers to a package that is to be deleted.
create index readiness_predictions_by_package on readiness_predictions (exam_package_id);
create index readiness_predictions_judged on readiness_predictions (exam_package_id, shown_at) where passed is not null;
