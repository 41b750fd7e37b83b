"""The composition root: which adapter serves which port, and every use case by the name its callers ask for.

Providers of use cases are named like their class in snake case; handlers receive them by that name. Each part builds on
the one before it: `Foundations` < `Access` < `Content` < `Container`.
"""

from __future__ import annotations

from dependency_injector import providers

from adapters.postgres.housekeeping import HOUSEKEEPING_SCHEDULE, Housekeeping
from adapters.postgres.jobs import JobWorker
from application.admin.limits import EnforceLimits
from application.admin.sessions import EndEverySession
from application.auth.mailing import DeliverMail
from application.jobs import JobName, Task
from application.question_bank.indexing import IndexQuestions
from application.question_bank.near_duplicates import CompareQuestions
from application.question_bank.rehashing import RehashQuestions
from entrypoints.container.content import Content
from entrypoints.settings import Settings


def _job_worker(
    settings: Settings,
    housekeeping: Housekeeping,
    deliver_mail: DeliverMail,
    enforce_limits: EnforceLimits,
    end_every_session: EndEverySession,
    rehash_questions: RehashQuestions,
    compare_questions: CompareQuestions,
    index_questions: IndexQuestions,
) -> JobWorker:
    tasks: dict[str, Task] = {
        **housekeeping.tasks(),
        JobName.SEND_MAIL: deliver_mail,
        JobName.ENFORCE_LIMITS: enforce_limits.go_on,
        JobName.END_SESSIONS: end_every_session.finish,
        JobName.REHASH_QUESTIONS: rehash_questions,
        JobName.COMPARE_QUESTIONS: compare_questions,
        JobName.INDEX_QUESTIONS: index_questions,
    }
    return JobWorker(settings.database_url or "", tasks, periodic=HOUSEKEEPING_SCHEDULE)


class Container(Content):
    """One per process. The jobs of every area come together here."""

    # jobs
    housekeeping = providers.Singleton(Housekeeping, Content.database, Content.ids)
    job_worker = providers.Singleton(
        _job_worker,
        Content.settings,
        housekeeping,
        Content.deliver_mail,
        Content.enforce_limits,
        Content.end_every_session,
        Content.rehash_questions,
        Content.compare_questions,
        Content.index_questions,
    )
