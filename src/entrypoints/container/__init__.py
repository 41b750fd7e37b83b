"""The composition root: which adapter serves which port, and every use case by the name its callers ask for.

Providers of use cases are named like their class in snake case; handlers receive them by that name. Each part builds on
the one before it: `Foundations` < `Access` < `Content` < `Studying` < `Examining` < `Container`.
"""

from __future__ import annotations

from collections.abc import Mapping

from dependency_injector import providers

from adapters.postgres.housekeeping import HOUSEKEEPING_SCHEDULE, Housekeeping
from adapters.postgres.jobs import JobWorker
from application.jobs import JobName, Task
from entrypoints.container.examining import Examining
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


class Container(Examining):
    """One per process. The jobs of every area come together here."""

    # jobs
    housekeeping = providers.Singleton(Housekeeping, Examining.database, Examining.ids)
    job_worker = providers.Singleton(
        _job_worker,
        Examining.settings,
        housekeeping,
        providers.Dict(
            {
                JobName.SEND_MAIL: Examining.deliver_mail,
                JobName.ENFORCE_LIMITS: Examining.enforce_limits.provided.go_on,
                JobName.END_SESSIONS: Examining.end_every_session.provided.finish,
                JobName.REHASH_QUESTIONS: Examining.rehash_questions,
                JobName.COMPARE_QUESTIONS: Examining.compare_questions,
                JobName.INDEX_QUESTIONS: Examining.index_questions,
                JobName.EXPIRE_ENROLLMENTS: Examining.expire_enrollments,
                JobName.SCHEDULE_REVIEWS: Examining.catch_up_reviews,
                JobName.COUNT_FACILITIES: Examining.count_facilities,
                JobName.REGRADE_EXAMS: Examining.regard_void.provided.job,
                JobName.SWEEP_EXAMS: Examining.sweep_exams.provided.job,
                JobName.SUGGEST_REVIEWS: Examining.suggest_reviews,
            }
        ),
    )
