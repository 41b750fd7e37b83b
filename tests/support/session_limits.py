"""Session limits and groups for tests, written into whichever store a test brings."""

from __future__ import annotations

from domain.auth.limits import Limit, LimitSource, WhenFull
from tests.support.auth_builders import NOW, Auth, AuthInMemory, AuthOnPostgres


async def define_limit(
    auth: Auth,
    source: LimitSource,
    subject_id: str,
    max_sessions: int | None,
    when_full: WhenFull = WhenFull.EVICT_OLDEST,
) -> None:
    """What an administrator's tools do; None takes the definition away."""
    if isinstance(auth, AuthInMemory):
        limits = auth.store.tables["session_limits"]
        limits.pop((source, subject_id), None)
        if max_sessions is not None:
            limits[source, subject_id] = Limit(max_sessions=max_sessions, when_full=when_full)
        return
    assert isinstance(auth, AuthOnPostgres)
    values = {
        "scope": source.value,
        "subject": subject_id,
        "max": max_sessions,
        "when_full": when_full.value,
        "at": NOW,
    }
    await auth.database.fetch_all(
        "with dropped as (delete from session_limits where scope = %(scope)s and subject_id = %(subject)s"
        " and %(max)s::int is null) insert into session_limits"
        " select %(scope)s, %(subject)s, %(max)s::int, %(when_full)s, %(at)s where %(max)s::int is not null"
        " on conflict (scope, subject_id) do update set max_sessions = excluded.max_sessions,"
        " when_full = excluded.when_full returning scope",
        values,
    )


async def join_group(auth: Auth, user_id: str, group_id: str) -> None:
    """Makes the group if there is none."""
    if isinstance(auth, AuthInMemory):
        auth.store.tables["session_group_members"][user_id, group_id] = NOW
        return
    assert isinstance(auth, AuthOnPostgres)
    await auth.database.fetch_all(
        "with made as (insert into session_groups values (%(group)s, %(group)s, %(at)s, %(at)s)"
        " on conflict (id) do nothing)"
        " insert into session_group_members values (%(user)s, %(group)s, %(at)s) returning user_id",
        {"user": user_id, "group": group_id, "at": NOW},
    )
