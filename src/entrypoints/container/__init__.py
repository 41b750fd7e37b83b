"""The composition root: which adapter serves which port, and every use case by the name its callers ask for.

Providers of use cases are named like their class in snake case; handlers receive them by that name. Each part builds on
the one before it: `Foundations` < `Access` < `Content` < `Studying` < `Container`.
"""

from __future__ import annotations

from collections.abc import Mapping

from dependency_injector import providers

from adapters.postgres.housekeeping import HOUSEKEEPING_SCHEDULE, Housekeeping
from adapters.postgres.jobs import JobWorker
from application.jobs import JobName, Task
from entrypoints.container.studying import Studying
from entrypoints.settings import Settings

# In the notation of cron, UTC. What time has ended is over at once; this is how soon it is also written down.
_SCHEDULE: Mapping[str, str] = {
    **HOUSEKEEPING_SCHEDULE,
    JobName.EXPIRE_ENROLLMENTS: "3-59/10 * * * *",
    JobName.COUNT_FACILITIES: "23 * * * *",
}


def _job_worker(settings: Settings, housekeeping: Housekeeping, tasks: Mapping[str, Task]) -> JobWorker:
    every = {**housekeeping.tasks(), **tasks}
    return JobWorker(settings.database_url or "", every, periodic=_SCHEDULE)


class Container(Studying):
    """One per process. The jobs of every area come together here."""

    # jobs
    housekeeping = providers.Singleton(Housekeeping, Studying.database, Studying.ids)
    job_worker = providers.Singleton(
        _job_worker,
        Studying.settings,
        housekeeping,
        providers.Dict(
            {
                JobName.SEND_MAIL: Studying.deliver_mail,
                JobName.ENFORCE_LIMITS: Studying.enforce_limits.provided.go_on,
                JobName.END_SESSIONS: Studying.end_every_session.provided.finish,
                JobName.REHASH_QUESTIONS: Studying.rehash_questions,
                JobName.COMPARE_QUESTIONS: Studying.compare_questions,
                JobName.INDEX_QUESTIONS: Studying.index_questions,
                JobName.EXPIRE_ENROLLMENTS: Studying.expire_enrollments,
                JobName.SCHEDULE_REVIEWS: Studying.catch_up_reviews,
                JobName.COUNT_FACILITIES: Studying.count_facilities,
            }
        ),
    )
