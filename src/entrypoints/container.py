"""The composition root: which adapter serves which port, and every use case by the name its callers ask for.

Providers of use cases are named like their class in snake case; handlers receive them by that name.
"""

from __future__ import annotations

from functools import partial

from dependency_injector import containers, providers

from adapters.files.demo_files import demo_file
from adapters.files.question_files import QuestionFilesByFormat
from adapters.mail.outbox import OutboxMailer
from adapters.mail.rendering import MailComposer
from adapters.mail.smtp import SmtpMailer, Tls
from adapters.postgres.admin import (
    PostgresAdminReader,
    PostgresAdminWork,
    PostgresGroupWork,
    PostgresLimitReader,
    PostgresLimitWork,
    PostgresTurnover,
)
from adapters.postgres.auth import (
    PostgresAccountWork,
    PostgresAuthReader,
    PostgresAuthWork,
    PostgresMailWork,
    PostgresThrottleWork,
)
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
from adapters.postgres.question_bank.imports import PostgresImportReader, PostgresImportTransaction, PostgresImportWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.security.access_tokens import JwtAccessTokens
from adapters.security.csrf_tokens import HmacCsrfTokens
from adapters.security.passwords import ArgonPasswordHasher
from adapters.security.token_source import SystemTokenSource
from adapters.system.attempt_gate import LinesOfAttempts
from adapters.system.clock import TimeOrderedIds
from adapters.system.security_log import SecurityLog
from adapters.system.threads import AsyncioThreads
from application.admin.groups import (
    AddMember,
    ChangeGroup,
    CreateGroup,
    DeleteGroup,
    ListGroupsOfUser,
    ListMembers,
    RemoveMember,
)
from application.admin.inviting import Invite, WithdrawInvitation
from application.admin.limits import EnforceLimits, ReadUserLimits, SetRoleLimit, SetUserLimit
from application.admin.people import (
    AddUser,
    ChangeUser,
    DeleteUser,
    ReadUser,
    RestoreUser,
    SendPasswordLink,
    UnlockUser,
)
from application.admin.sessions import EndEverySession, EndSessionOf, EndSessionsOf, ListSessionsOf
from application.auth.addresses import ChangeEmail, ResendVerification, VerifyEmail
from application.auth.mailing import DeliverMail
from application.auth.opening import EndHeldSession, IssueAccess, OpenSession
from application.auth.own_sessions import EndOwnSession, ListOwnSessions
from application.auth.passwords import ChangePassword, GiveResetLink, RequestPasswordReset, ResetPassword
from application.auth.policy import AuthPolicy
from application.auth.proving import ConfirmPassword
from application.auth.registering import CreateUser, EnsureUser, Examine, RegisterStaff, RegisterStudent
from application.auth.signing_in import SignIn, SignOut, SignOutEverywhere
from application.auth.staying import Authenticate, ReadProfile, RefreshSession
from application.auth.throttling import GuardAttempts, TakeQuota
from application.enrollment.defining import DefinePackage
from application.enrollment.enrolling import CancelEnrollment, Enroll
from application.jobs import JobName, Task
from application.mail import Mailer
from application.practice.reading import ListPracticeSessions, ReadPracticeSession, ReviewPractice, SummarisePractice
from application.practice.sitting import AnswerQuestion, FinishPractice, PausePractice, ResumePractice
from application.practice.starting import CreatePracticeSession
from application.question_bank.imports import ImportQuestions, ReadImport
from application.question_bank.long_imports import ImportInTime
from entrypoints.quotas import guessing_rules, quotas_of
from entrypoints.settings import Environment, Settings

IMPORT_SECONDS = 900.0


def _policy(settings: Settings) -> AuthPolicy:
    return AuthPolicy(
        access_seconds=settings.access_token_seconds,
        refresh_idle_seconds=settings.refresh_token_seconds,
        session_seconds=settings.session_seconds,
        student_min_length=settings.password_min_length,
        staff_min_length=settings.staff_password_min_length,
        fresh_seconds=settings.fresh_seconds,
        demo_accounts=settings.environment is not Environment.PRODUCTION,
    )


def _database(settings: Settings) -> Database:
    return Database(
        settings.database_url or "",
        pool_min=settings.db_pool_min,
        pool_max=settings.db_pool_max,
        prepare_threshold=settings.db_prepare_threshold,
    )


def _job_worker(
    settings: Settings,
    housekeeping: Housekeeping,
    deliver_mail: DeliverMail,
    enforce_limits: EnforceLimits,
    end_every_session: EndEverySession,
) -> JobWorker:
    tasks: dict[str, Task] = {
        **housekeeping.tasks(),
        JobName.SEND_MAIL: deliver_mail,
        JobName.ENFORCE_LIMITS: enforce_limits.go_on,
        JobName.END_SESSIONS: end_every_session.finish,
    }
    return JobWorker(settings.database_url or "", tasks, periodic=HOUSEKEEPING_SCHEDULE)


def _mailer(settings: Settings) -> Mailer:
    composer, server = MailComposer(settings.sender), settings.mail_server
    if server is None:
        return OutboxMailer(
            settings.outbox,
            composer,
            telling=settings.environment is not Environment.PRODUCTION,
            log_links=settings.environment is Environment.DEVELOPMENT,
        )
    by_starttls = Tls.REQUIRED if settings.keeps_mail_secret else Tls.IF_OFFERED
    tls = Tls.FROM_THE_START if server.tls else by_starttls
    return SmtpMailer(composer, server.host, server.port, tls=tls, credentials=server.credentials)


class Container(containers.DeclarativeContainer):
    """One per process. Nothing is connected when it is made; `database` is opened by whoever serves."""

    settings = providers.Dependency(instance_of=Settings)

    # Adapters
    database = providers.Singleton(_database, settings)
    check_readiness = providers.Callable(partial, readiness, database)
    ids = providers.Singleton(TimeOrderedIds)
    threads = providers.Singleton(AsyncioThreads)
    password_hasher = providers.Singleton(
        ArgonPasswordHasher,
        memory_kib=settings.provided.argon2_memory_kib,
        passes=settings.provided.argon2_passes,
        lanes=settings.provided.argon2_lanes,
    )
    token_source = providers.Singleton(SystemTokenSource)
    access_tokens = providers.Singleton(JwtAccessTokens, settings.provided.secret_keys)
    csrf_tokens = providers.Singleton(HmacCsrfTokens, settings.provided.secret_keys)
    question_files = providers.Singleton(QuestionFilesByFormat)
    demo_file = providers.Callable(demo_file)

    # mail
    mailer = providers.Singleton(_mailer, settings)
    mail_transaction = providers.Singleton(PostgresTransaction, database, PostgresMailWork, ids)
    deliver_mail = providers.Singleton(
        DeliverMail,
        transact=mail_transaction,
        source=token_source,
        mailer=mailer,
        base_url=settings.provided.base_url,
    )

    # jobs
    turnover = providers.Singleton(PostgresTurnover, database)
    limit_transaction = providers.Singleton(PostgresTransaction, database, PostgresLimitWork, ids)
    enforce_limits = providers.Singleton(EnforceLimits, transact=limit_transaction, turnover=turnover)
    housekeeping = providers.Singleton(Housekeeping, database, ids)
    admin_transaction = providers.Singleton(PostgresTransaction, database, PostgresAdminWork, ids)
    end_every_session = providers.Singleton(EndEverySession, transact=admin_transaction, turnover=turnover)
    job_worker = providers.Singleton(
        _job_worker, settings, housekeeping, deliver_mail, enforce_limits, end_every_session
    )

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
    auth_events = providers.Singleton(SecurityLog)
    throttle_transaction = providers.Singleton(PostgresTransaction, database, PostgresThrottleWork, ids)
    attempt_gate = providers.Singleton(LinesOfAttempts)
    guard_attempts = providers.Singleton(
        GuardAttempts,
        transact=throttle_transaction,
        gate=attempt_gate,
        hasher=password_hasher,
        rules=providers.Singleton(guessing_rules, settings),
    )
    take_quota = providers.Singleton(TakeQuota, transact=throttle_transaction)
    quotas = providers.Singleton(quotas_of, settings)
    register_student = providers.Factory(
        RegisterStudent,
        transact=auth_transaction,
        examine=examine,
        open_session=open_session,
        policy=auth_policy,
        events=auth_events,
    )
    register_staff = providers.Factory(
        RegisterStaff,
        transact=auth_transaction,
        people=auth_reader,
        examine=examine,
        open_session=open_session,
        policy=auth_policy,
        events=auth_events,
    )
    create_user = providers.Factory(CreateUser, transact=auth_transaction, examine=examine, policy=auth_policy)
    ensure_user = providers.Factory(EnsureUser, people=auth_reader, create_user=create_user)
    sign_in = providers.Factory(
        SignIn,
        transact=auth_transaction,
        people=auth_reader,
        hasher=password_hasher,
        guard=guard_attempts,
        open_session=open_session,
        policy=auth_policy,
        events=auth_events,
    )
    sign_out = providers.Factory(
        SignOut, transact=auth_transaction, end_held_session=end_held_session, events=auth_events
    )
    sign_out_everywhere = providers.Factory(SignOutEverywhere, transact=auth_transaction, events=auth_events)
    authenticate = providers.Factory(Authenticate, tokens=access_tokens, people=auth_reader, policy=auth_policy)
    refresh_session = providers.Factory(
        RefreshSession,
        transact=auth_transaction,
        source=token_source,
        issue_access=issue_access,
        policy=auth_policy,
        events=auth_events,
    )
    read_profile = providers.Factory(ReadProfile, people=auth_reader)

    # auth: one's own account
    account_transaction = providers.Singleton(PostgresTransaction, database, PostgresAccountWork, ids)
    confirm_password = providers.Singleton(
        ConfirmPassword, people=auth_reader, hasher=password_hasher, guard=guard_attempts
    )
    change_password = providers.Factory(
        ChangePassword,
        transact=account_transaction,
        people=auth_reader,
        hasher=password_hasher,
        confirm_password=confirm_password,
        policy=auth_policy,
        events=auth_events,
    )
    request_password_reset = providers.Factory(RequestPasswordReset, transact=account_transaction, events=auth_events)
    reset_password = providers.Factory(
        ResetPassword,
        transact=account_transaction,
        people=auth_reader,
        hasher=password_hasher,
        policy=auth_policy,
        events=auth_events,
    )
    give_reset_link = providers.Factory(
        GiveResetLink, transact=account_transaction, source=token_source, base_url=settings.provided.base_url
    )
    resend_verification = providers.Factory(ResendVerification, transact=account_transaction, events=auth_events)
    verify_email = providers.Factory(VerifyEmail, transact=account_transaction, people=auth_reader, events=auth_events)
    change_email = providers.Factory(
        ChangeEmail,
        transact=account_transaction,
        source=token_source,
        confirm_password=confirm_password,
        policy=auth_policy,
        events=auth_events,
    )
    list_own_sessions = providers.Factory(ListOwnSessions, people=auth_reader)
    end_own_session = providers.Factory(
        EndOwnSession, transact=account_transaction, policy=auth_policy, events=auth_events
    )

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

    # admin
    admin_reader = providers.Singleton(PostgresAdminReader, database)
    read_user = providers.Factory(ReadUser, admin_reader=admin_reader)
    add_user = providers.Factory(AddUser, transact=admin_transaction, ids=ids)
    change_user = providers.Factory(ChangeUser, transact=admin_transaction)
    delete_user = providers.Factory(DeleteUser, transact=admin_transaction)
    restore_user = providers.Factory(RestoreUser, transact=admin_transaction)
    unlock_user = providers.Factory(UnlockUser, transact=admin_transaction)
    send_password_link = providers.Factory(SendPasswordLink, transact=admin_transaction)
    list_sessions_of = providers.Factory(ListSessionsOf, admin_reader=admin_reader)
    end_session_of = providers.Factory(EndSessionOf, transact=admin_transaction)
    end_sessions_of = providers.Factory(EndSessionsOf, transact=admin_transaction)
    invite = providers.Factory(Invite, transact=admin_transaction, ids=ids)
    withdraw_invitation = providers.Factory(WithdrawInvitation, transact=admin_transaction)

    # admin: session limits and groups
    limit_reader = providers.Singleton(PostgresLimitReader, database)
    group_transaction = providers.Singleton(PostgresTransaction, database, PostgresGroupWork, ids)
    read_user_limits = providers.Factory(ReadUserLimits, limits=limit_reader)
    set_user_limit = providers.Factory(SetUserLimit, transact=limit_transaction)
    set_role_limit = providers.Factory(SetRoleLimit, transact=limit_transaction, enforce=enforce_limits)
    create_group = providers.Factory(CreateGroup, transact=group_transaction, ids=ids)
    change_group = providers.Factory(ChangeGroup, transact=group_transaction, enforce=enforce_limits)
    delete_group = providers.Factory(DeleteGroup, transact=group_transaction)
    add_member = providers.Factory(AddMember, transact=group_transaction)
    remove_member = providers.Factory(RemoveMember, transact=group_transaction)
    list_members = providers.Factory(ListMembers, limits=limit_reader)
    list_groups_of_user = providers.Factory(ListGroupsOfUser, limits=limit_reader)
