"""The composition root: which adapter serves which port, and every use case by the name its callers ask for.

Providers of use cases are named like their class in snake case; handlers receive them by that name. Each part builds on
the one before it: `Foundations` < `Access` < `Content` < `Studying` < `Examining` < `Doors` < `Container`.
"""

from __future__ import annotations

from collections.abc import Mapping

from dependency_injector import providers

from adapters.postgres.housekeeping import HOUSEKEEPING_SCHEDULE, Housekeeping
from adapters.postgres.jobs import JobWorker
from application.jobs import JobName, Task
from entrypoints.container.doors import Doors
from entrypoints.settings import Settings

# In the notation of cron, UTC. What time has ended is over at once; this is how soon it is also written down.
_SCHEDULE: Mapping[str, str] = {
    **HOUSEKEEPING_SCHEDULE,
    JobName.EXPIRE_ENROLLMENTS: "3-59/10 * * * *",
    JobName.COUNT_FACILITIES: "23 * * * *",
    JobName.SWEEP_EXAMS: "* * * * *",
    JobName.SUGGEST_REVIEWS: "13 4 * * *",
}


def _job_worker(settings: Settings, housekeeping: Housekeeping, tasks: Mapping[str, Task]) -> JobWorker:
    every = {**housekeeping.tasks(), **tasks}
    return JobWorker(settings.database_url or "", every, periodic=_SCHEDULE)


class Container(Doors):
    """One per process. The jobs of every area come together here."""

    # jobs
    housekeeping = providers.Singleton(Housekeeping, Doors.database, Doors.ids)
    job_worker = providers.Singleton(
        _job_worker,
        Doors.settings,
        housekeeping,
        providers.Dict(
            {
                JobName.SEND_MAIL: Doors.deliver_mail,
                JobName.ENFORCE_LIMITS: Doors.enforce_limits.provided.go_on,
                JobName.END_SESSIONS: Doors.end_every_session.provided.finish,
                JobName.REHASH_QUESTIONS: Doors.rehash_questions,
                JobName.COMPARE_QUESTIONS: Doors.compare_questions,
                JobName.INDEX_QUESTIONS: Doors.index_questions,
                JobName.EXPIRE_ENROLLMENTS: Doors.expire_enrollments,
                JobName.SCHEDULE_REVIEWS: Doors.catch_up_reviews,
                JobName.COUNT_FACILITIES: Doors.count_facilities,
                JobName.REGRADE_EXAMS: Doors.regard_void.provided.job,
                JobName.SWEEP_EXAMS: Doors.sweep_exams.provided.job,
                JobName.SUGGEST_REVIEWS: Doors.suggest_reviews,
            }
        ),
    )
