-- What a student can enrol in, and who is enrolled.

create table exam_packages (
    id               text primary key,
    slug             text not null check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 100),
    title            text not null check (length(title) between 1 and 200),
    description      text not null default '' check (length(description) <= 10000),
    visibility       text not null check (visibility in ('visible', 'hidden')),
    pass_mark        numeric(5, 2) not null check (pass_mark between 0 and 100),
    duration_seconds integer check (duration_seconds > 0),
    version          integer not null default 1,
    created_at       timestamptz not null,
    updated_at       timestamptz not null
);
create unique index exam_packages_slug_unique on exam_packages (slug);
create index exam_packages_visible on exam_packages (id) where visibility = 'visible';

create table exam_package_tiers (
    id              text primary key,
    exam_package_id text not null references exam_packages (id),
    name            text not null check (length(name) between 1 and 100),
    is_default      boolean not null default false,
    self_service    boolean not null default true,
    active          boolean not null default true
);
create unique index exam_package_tiers_name_unique on exam_package_tiers (exam_package_id, lower(name));
create unique index exam_package_tiers_one_default on exam_package_tiers (exam_package_id) where is_default;

-- A row is never updated except for its single end; the history of one (user, package) is the sequence of its rows.
create table enrollments (
    user_id         text not null references users (id),
    id              text not null,
    exam_package_id text not null references exam_packages (id),
    tier_id         text not null references exam_package_tiers (id),
    status          text not null check (status in ('active', 'ended')),
    started_at      timestamptz not null,
    ended_at        timestamptz,
    end_reason      text check (end_reason in ('cancelled', 'tier_change', 'expired', 'admin')),
    primary key (user_id, id),
    check ((status = 'ended') = (ended_at is not null)),
    check ((ended_at is null) = (end_reason is null)),
    check (ended_at >= started_at)
);
create unique index enrollments_one_active on enrollments (user_id, exam_package_id) where status = 'active';
create index enrollments_by_package on enrollments (exam_package_id);
