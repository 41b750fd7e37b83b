"""The composition root: which adapter serves which port, and every use case by the name its callers ask for.

Providers of use cases are named like their class in snake case; handlers receive them by that name.
"""

from __future__ import annotations

from functools import partial

from dependency_injector import containers, providers

from adapters.files.demo_files import demo_file
from adapters.files.question_files import QuestionFilesByFormat
from adapters.postgres.auth import PostgresAuthReader, PostgresAuthWork
from adapters.postgres.database import Database
from adapters.postgres.enrollment import (
    PostgresEnrollmentReader,
    PostgresEnrollmentWork,
    PostgresPackageReader,
    PostgresPackageWork,
)
from adapters.postgres.health import readiness
from adapters.postgres.housekeeping import HOUSEKEEPING_SCHEDULE, Housekeeping
from adapters.postgres.jobs import JobWorker
from adapters.postgres.practice import PostgresPracticeReader, PostgresPracticeWork
from adapters.postgres.question_bank import PostgresImportReader, PostgresImportTransaction, PostgresImportWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.security.access_tokens import JwtAccessTokens
from adapters.security.csrf_tokens import HmacCsrfTokens
from adapters.security.passwords import ArgonPasswordHasher
from adapters.security.token_source import SystemTokenSource
from adapters.system.clock import TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.auth.opening import EndHeldSession, IssueAccess, OpenSession
from application.auth.policy import AuthPolicy
from application.auth.registering import CreateUser, EnsureUser, Examine, RegisterStaff, RegisterStudent
from application.auth.signing_in import SignIn, SignOut, SignOutEverywhere
from application.auth.staying import Authenticate, ReadProfile, RefreshSession
from application.enrollment.defining import DefinePackage
from application.enrollment.enrolling import CancelEnrollment, Enroll
from application.practice.reading import ListPracticeSessions, ReadPracticeSession, ReviewPractice, SummarisePractice
from application.practice.sitting import AnswerQuestion, FinishPractice, PausePractice, ResumePractice
from application.practice.starting import CreatePracticeSession
from application.question_bank.imports import ImportQuestions, ReadImport
from application.question_bank.long_imports import ImportInTime
from entrypoints.settings import Environment, Settings

IMPORT_SECONDS = 900.0


def _policy(settings: Settings) -> AuthPolicy:
    return AuthPolicy(
        access_seconds=settings.access_token_seconds,
        refresh_idle_seconds=settings.refresh_token_seconds,
        session_seconds=settings.session_seconds,
        student_min_length=settings.password_min_length,
        staff_min_length=settings.staff_password_min_length,
        demo_accounts=settings.environment is not Environment.PRODUCTION,
    )


def _database(settings: Settings) -> Database:
    return Database(
        settings.database_url or "",
        pool_min=settings.db_pool_min,
        pool_max=settings.db_pool_max,
        prepare_threshold=settings.db_prepare_threshold,
    )


def _job_worker(settings: Settings, housekeeping: Housekeeping) -> JobWorker:
    return JobWorker(settings.database_url or "", housekeeping.tasks(), periodic=HOUSEKEEPING_SCHEDULE)


class Container(containers.DeclarativeContainer):
    """One per process. Nothing is connected when it is made; `database` is opened by whoever serves."""

    settings = providers.Dependency(instance_of=Settings)

    # Adapters
    database = providers.Singleton(_database, settings)
    check_readiness = providers.Callable(partial, readiness, database)
    ids = providers.Singleton(TimeOrderedIds)
    threads = providers.Singleton(AsyncioThreads)
    password_hasher = providers.Singleton(ArgonPasswordHasher)
    token_source = providers.Singleton(SystemTokenSource)
    access_tokens = providers.Singleton(JwtAccessTokens, settings.provided.secret_keys)
    csrf_tokens = providers.Singleton(HmacCsrfTokens, settings.provided.secret_keys)
    question_files = providers.Singleton(QuestionFilesByFormat)
    demo_file = providers.Callable(demo_file)

    # jobs
    housekeeping = providers.Singleton(Housekeeping, database, ids)
    job_worker = providers.Singleton(_job_worker, settings, housekeeping)

    # auth
    auth_policy = providers.Singleton(_policy, settings)
    auth_reader = providers.Singleton(PostgresAuthReader, database)
    auth_transaction = providers.Singleton(PostgresTransaction, database, PostgresAuthWork, ids)
    issue_access = providers.Singleton(IssueAccess, tokens=access_tokens, ids=ids, policy=auth_policy)
    end_held_session = providers.Singleton(EndHeldSession, tokens=access_tokens)
    open_session = providers.Singleton(
        OpenSession,
        source=token_source,
        issue_access=issue_access,
        end_held_session=end_held_session,
        ids=ids,
        policy=auth_policy,
    )
    examine = providers.Singleton(Examine, hasher=password_hasher, ids=ids)
    register_student = providers.Factory(
        RegisterStudent, transact=auth_transaction, examine=examine, open_session=open_session, policy=auth_policy
    )
    register_staff = providers.Factory(RegisterStaff)
    create_user = providers.Factory(CreateUser, transact=auth_transaction, examine=examine, policy=auth_policy)
    ensure_user = providers.Factory(EnsureUser, people=auth_reader, create_user=create_user)
    sign_in = providers.Factory(
        SignIn, transact=auth_transaction, people=auth_reader, hasher=password_hasher, open_session=open_session
    )
    sign_out = providers.Factory(SignOut, transact=auth_transaction, end_held_session=end_held_session)
    sign_out_everywhere = providers.Factory(SignOutEverywhere, transact=auth_transaction)
    authenticate = providers.Factory(Authenticate, tokens=access_tokens, people=auth_reader, policy=auth_policy)
    refresh_session = providers.Factory(
        RefreshSession, transact=auth_transaction, source=token_source, issue_access=issue_access, policy=auth_policy
    )
    read_profile = providers.Factory(ReadProfile, people=auth_reader)

    # enrollment
    package_reader = providers.Singleton(PostgresPackageReader, database)
    enrollment_reader = providers.Singleton(PostgresEnrollmentReader, database)
    package_transaction = providers.Singleton(PostgresTransaction, database, PostgresPackageWork, ids)
    enrollment_transaction = providers.Singleton(PostgresTransaction, database, PostgresEnrollmentWork, ids)
    define_package = providers.Factory(DefinePackage, package_transaction, ids)
    enroll = providers.Factory(Enroll, enrollment_transaction, ids)
    cancel_enrollment = providers.Factory(CancelEnrollment, enrollment_transaction)

    # question_bank
    import_reader = providers.Singleton(PostgresImportReader, database)
    import_transaction = providers.Singleton(PostgresImportTransaction, database, ids, deadline_seconds=IMPORT_SECONDS)
    import_questions = providers.Factory(ImportQuestions, import_transaction, ids, threads)
    report_transaction = providers.Singleton(PostgresTransaction, database, PostgresImportWork, ids)
    import_in_time = providers.Singleton(ImportInTime, import_questions, report_transaction, ids)
    read_import = providers.Factory(ReadImport, import_reader)

    # practice
    practice_reader = providers.Singleton(PostgresPracticeReader, database)
    practice_transaction = providers.Singleton(PostgresTransaction, database, PostgresPracticeWork, ids)
    create_practice_session = providers.Factory(CreatePracticeSession, ids, practice_transaction)
    answer_question = providers.Factory(AnswerQuestion, practice_transaction)
    pause_practice = providers.Factory(PausePractice, practice_transaction)
    resume_practice = providers.Factory(ResumePractice, practice_transaction)
    finish_practice = providers.Factory(FinishPractice, practice_transaction)
    read_practice_session = providers.Factory(ReadPracticeSession, practice_reader)
    list_practice_sessions = providers.Factory(ListPracticeSessions, practice_reader)
    review_practice = providers.Factory(ReviewPractice, practice_reader)
    summarise_practice = providers.Factory(SummarisePractice, practice_reader)
