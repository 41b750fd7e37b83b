"""Accounts, sessions, mail and administration, by the names their callers ask for."""

from __future__ import annotations

from datetime import timedelta

from dependency_injector import providers

from adapters.mail.outbox import OutboxMailer
from adapters.mail.rendering import MailComposer
from adapters.mail.smtp import SmtpMailer, Tls
from adapters.postgres.admin import (
    PostgresAdminReader,
    PostgresAdminWork,
    PostgresDashboardReader,
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
    PostgresQuickRefresh,
    PostgresThrottleWork,
)
from adapters.postgres.enrollment.registering import PostgresRegistrationWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.security.verification_tokens import JwtVerificationTokens
from adapters.system.attempt_gate import LinesOfAttempts
from adapters.system.security_log import SecurityLog
from application.admin.dashboard import ReadDashboard
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
from application.auth.mailed_links import CookieDoorLinks, PortalLinks
from application.auth.mailing import DeliverMail
from application.auth.opening import EndHeldSession, IssueAccess, OpenSession
from application.auth.own_sessions import EndOwnSession, ListOwnSessions
from application.auth.passwords import ChangePassword, GiveResetLink, RequestPasswordReset, ResetPassword
from application.auth.policy import AuthPolicy
from application.auth.proving import ConfirmPassword
from application.auth.registering import CreateUser, EnsureUser, Examine, RegisterStaff, RegisterStudent
from application.auth.renewing import EndOthers
from application.auth.signing_in import SignIn, SignOut, SignOutEverywhere
from application.auth.staying import Authenticate, ReadProfile, RefreshSession, RefreshWithCare
from application.auth.throttling import GuardAttempts, TakeQuota
from application.enrollment.auto_enrolling import AutoEnroll
from application.mail import Mailer
from domain.auth.cookie_sessions import CookieLife
from entrypoints.container.foundations import Foundations
from entrypoints.quotas import guessing_rules, quotas_of
from entrypoints.settings import Environment, Settings


def _policy(settings: Settings) -> AuthPolicy:
    return AuthPolicy(
        access_seconds=settings.access_token_seconds,
        refresh_idle_seconds=settings.refresh_token_seconds,
        session_seconds=settings.session_seconds,
        student_min_length=settings.password_min_length,
        staff_min_length=settings.staff_password_min_length,
        fresh_seconds=settings.fresh_seconds,
        demo_accounts=settings.environment is not Environment.PRODUCTION,
        cookie_life=_cookie_life(settings),
    )


def _cookie_life(settings: Settings) -> CookieLife:
    door = settings.better_auth
    return CookieLife(
        lasts=timedelta(seconds=door.session_seconds),
        renewed_after=timedelta(seconds=door.update_age_seconds),
        absolute=timedelta(seconds=settings.session_seconds),
        fresh_for=timedelta(seconds=door.fresh_age_seconds),
    )


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


class Access(Foundations):
    """People: accounts and sessions, mail to them, and what administrators do about them."""

    # mail
    mailer = providers.Singleton(_mailer, Foundations.settings)
    mail_transaction = providers.Singleton(PostgresTransaction, Foundations.database, PostgresMailWork, Foundations.ids)
    verification_tokens = providers.Singleton(JwtVerificationTokens, Foundations.door_keys)
    portal_links = providers.Singleton(
        PortalLinks, source=Foundations.token_source, base_url=Foundations.settings.provided.base_url
    )
    cookie_door_links = providers.Singleton(
        CookieDoorLinks,
        source=Foundations.token_source,
        tokens=verification_tokens,
        base_url=Foundations.settings.provided.base_url,
    )
    deliver_mail = providers.Singleton(
        DeliverMail,
        transact=mail_transaction,
        mailer=mailer,
        portal_links=portal_links,
        cookie_door_links=cookie_door_links,
        base_url=Foundations.settings.provided.base_url,
    )

    # auth
    auth_policy = providers.Singleton(_policy, Foundations.settings)
    auth_reader = providers.Singleton(PostgresAuthReader, Foundations.database)
    auth_transaction = providers.Singleton(PostgresTransaction, Foundations.database, PostgresAuthWork, Foundations.ids)
    issue_access = providers.Singleton(
        IssueAccess, tokens=Foundations.access_tokens, ids=Foundations.ids, policy=auth_policy
    )
    end_held_session = providers.Singleton(EndHeldSession, tokens=Foundations.access_tokens)
    open_session = providers.Singleton(
        OpenSession,
        source=Foundations.token_source,
        issue_access=issue_access,
        end_held_session=end_held_session,
        ids=Foundations.ids,
        policy=auth_policy,
    )
    examine = providers.Singleton(Examine, hasher=Foundations.password_hasher, ids=Foundations.ids)
    auth_events = providers.Singleton(SecurityLog)
    throttle_transaction = providers.Singleton(
        PostgresTransaction, Foundations.database, PostgresThrottleWork, Foundations.ids
    )
    attempt_gate = providers.Singleton(LinesOfAttempts)
    guard_attempts = providers.Singleton(
        GuardAttempts,
        transact=throttle_transaction,
        gate=attempt_gate,
        hasher=Foundations.password_hasher,
        rules=providers.Singleton(guessing_rules, Foundations.settings),
    )
    take_quota = providers.Singleton(TakeQuota, transact=throttle_transaction)
    quotas = providers.Singleton(quotas_of, Foundations.settings)
    registration_transaction = providers.Singleton(
        PostgresTransaction, Foundations.database, PostgresRegistrationWork, Foundations.ids
    )
    auto_enroll = providers.Singleton(
        AutoEnroll, ids=Foundations.ids, packages=Foundations.settings.provided.auto_enroll_packages
    )
    register_student = providers.Factory(
        RegisterStudent,
        transact=registration_transaction,
        examine=examine,
        open_session=open_session,
        policy=auth_policy,
        events=auth_events,
        welcome=auto_enroll,
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
        hasher=Foundations.password_hasher,
        guard=guard_attempts,
        open_session=open_session,
        policy=auth_policy,
        events=auth_events,
    )
    sign_out = providers.Factory(
        SignOut, transact=auth_transaction, end_held_session=end_held_session, events=auth_events
    )
    sign_out_everywhere = providers.Factory(SignOutEverywhere, transact=auth_transaction, events=auth_events)
    authenticate = providers.Factory(
        Authenticate, tokens=Foundations.access_tokens, people=auth_reader, policy=auth_policy
    )
    quick_refresh = providers.Singleton(PostgresQuickRefresh, Foundations.database)
    refresh_with_care = providers.Factory(
        RefreshWithCare,
        transact=auth_transaction,
        source=Foundations.token_source,
        issue_access=issue_access,
        policy=auth_policy,
        events=auth_events,
    )
    refresh_session = providers.Factory(
        RefreshSession,
        quick=quick_refresh,
        with_care=refresh_with_care,
        source=Foundations.token_source,
        issue_access=issue_access,
        policy=auth_policy,
    )
    read_profile = providers.Factory(ReadProfile, people=auth_reader)

    # auth: one's own account
    account_transaction = providers.Singleton(
        PostgresTransaction, Foundations.database, PostgresAccountWork, Foundations.ids
    )
    confirm_password = providers.Singleton(
        ConfirmPassword, people=auth_reader, hasher=Foundations.password_hasher, guard=guard_attempts
    )
    change_password = providers.Factory(
        ChangePassword,
        transact=account_transaction,
        people=auth_reader,
        hasher=Foundations.password_hasher,
        confirm_password=confirm_password,
        aftermath=providers.Singleton(EndOthers),
        policy=auth_policy,
        events=auth_events,
    )
    request_password_reset = providers.Factory(RequestPasswordReset, transact=account_transaction, events=auth_events)
    reset_password = providers.Factory(
        ResetPassword,
        transact=account_transaction,
        people=auth_reader,
        hasher=Foundations.password_hasher,
        policy=auth_policy,
        events=auth_events,
    )
    give_reset_link = providers.Factory(
        GiveResetLink,
        transact=account_transaction,
        source=Foundations.token_source,
        base_url=Foundations.settings.provided.base_url,
    )
    resend_verification = providers.Factory(ResendVerification, transact=account_transaction, events=auth_events)
    verify_email = providers.Factory(VerifyEmail, transact=account_transaction, people=auth_reader, events=auth_events)
    change_email = providers.Factory(
        ChangeEmail,
        transact=account_transaction,
        source=Foundations.token_source,
        confirm_password=confirm_password,
        policy=auth_policy,
        events=auth_events,
    )
    list_own_sessions = providers.Factory(ListOwnSessions, people=auth_reader)
    end_own_session = providers.Factory(
        EndOwnSession, transact=account_transaction, policy=auth_policy, events=auth_events
    )

    # admin
    turnover = providers.Singleton(PostgresTurnover, Foundations.database)
    limit_transaction = providers.Singleton(
        PostgresTransaction, Foundations.database, PostgresLimitWork, Foundations.ids
    )
    enforce_limits = providers.Singleton(EnforceLimits, transact=limit_transaction, turnover=turnover)
    admin_transaction = providers.Singleton(
        PostgresTransaction, Foundations.database, PostgresAdminWork, Foundations.ids
    )
    end_every_session = providers.Singleton(EndEverySession, transact=admin_transaction, turnover=turnover)
    admin_reader = providers.Singleton(PostgresAdminReader, Foundations.database)
    read_user = providers.Factory(ReadUser, admin_reader=admin_reader)
    dashboard_reader = providers.Singleton(PostgresDashboardReader, Foundations.database)
    read_dashboard = providers.Factory(ReadDashboard, dashboard_reader)
    add_user = providers.Factory(AddUser, transact=admin_transaction, ids=Foundations.ids)
    change_user = providers.Factory(ChangeUser, transact=admin_transaction)
    delete_user = providers.Factory(DeleteUser, transact=admin_transaction)
    restore_user = providers.Factory(RestoreUser, transact=admin_transaction)
    unlock_user = providers.Factory(UnlockUser, transact=admin_transaction)
    send_password_link = providers.Factory(SendPasswordLink, transact=admin_transaction)
    list_sessions_of = providers.Factory(ListSessionsOf, admin_reader=admin_reader)
    end_session_of = providers.Factory(EndSessionOf, transact=admin_transaction)
    end_sessions_of = providers.Factory(EndSessionsOf, transact=admin_transaction)
    invite = providers.Factory(Invite, transact=admin_transaction, ids=Foundations.ids)
    withdraw_invitation = providers.Factory(WithdrawInvitation, transact=admin_transaction)

    # admin: session limits and groups
    limit_reader = providers.Singleton(PostgresLimitReader, Foundations.database)
    group_transaction = providers.Singleton(
        PostgresTransaction, Foundations.database, PostgresGroupWork, Foundations.ids
    )
    read_user_limits = providers.Factory(ReadUserLimits, limits=limit_reader)
    set_user_limit = providers.Factory(SetUserLimit, transact=limit_transaction)
    set_role_limit = providers.Factory(SetRoleLimit, transact=limit_transaction, enforce=enforce_limits)
    create_group = providers.Factory(CreateGroup, transact=group_transaction, ids=Foundations.ids)
    change_group = providers.Factory(ChangeGroup, transact=group_transaction, enforce=enforce_limits)
    delete_group = providers.Factory(DeleteGroup, transact=group_transaction)
    add_member = providers.Factory(AddMember, transact=group_transaction)
    remove_member = providers.Factory(RemoveMember, transact=group_transaction)
    list_members = providers.Factory(ListMembers, limits=limit_reader)
    list_groups_of_user = providers.Factory(ListGroupsOfUser, limits=limit_reader)
