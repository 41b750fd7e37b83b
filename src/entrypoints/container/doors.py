"""The better-auth door and the practice platform's: the use cases of the portals with what these doors do otherwise."""

from __future__ import annotations

import operator
from dataclasses import replace

from dependency_injector import providers

from adapters.postgres.auth import PostgresDoorWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.security.signatures import HmacSignatures
from application.auth.cookie_sessions import AuthenticateBySecret, ReadCookieSession
from application.auth.door_addresses import ChangeEmailWhileFresh, ConfirmAddress
from application.auth.naming import FindAddress
from application.auth.opening import OpenCookieSession, Opened, Opener, OpenNothing
from application.auth.own_account import ChangeOwnPerson, DeleteOwnAccount
from application.auth.own_sessions import EndOtherSessions, EndSessionByToken
from application.auth.passwords import ChangePassword, CheckResetLink, ResetPassword, VerifyOwnPassword
from application.auth.policy import AuthPolicy
from application.auth.registering import RegisterStudent
from application.auth.renewing import BeginAnew, KeepSessions
from application.auth.signing_in import SignIn
from entrypoints.container.examining import Examining
from entrypoints.settings import Settings


def _policy(policy: AuthPolicy, settings: Settings) -> AuthPolicy:
    """Students choose their password by the rules of the door that they come through."""
    return replace(policy, student_min_length=settings.better_auth.min_password_length)


def _after_verification(settings: Settings, open_session: OpenCookieSession) -> Opener[Opened]:
    """Whether the link in a mail signs in is for the installation to say."""
    return open_session if settings.better_auth.auto_sign_in_after_verification else OpenNothing()


class Doors(Examining):
    """Doors that are not the portals. They translate; what they do is done by the same use cases."""

    # better-auth: sessions
    door_signatures = providers.Singleton(HmacSignatures, Examining.door_keys)
    door_policy = providers.Singleton(_policy, Examining.auth_policy, Examining.settings)
    open_cookie_session = providers.Singleton(
        OpenCookieSession,
        source=Examining.token_source,
        end_held_session=Examining.end_held_session,
        ids=Examining.ids,
        policy=door_policy,
    )
    sign_in_by_cookie = providers.Factory(
        SignIn,
        transact=Examining.auth_transaction,
        people=Examining.auth_reader,
        hasher=Examining.password_hasher,
        guard=Examining.guard_attempts,
        open_session=open_cookie_session,
        policy=door_policy,
        events=Examining.auth_events,
        verified_only=Examining.settings.provided.better_auth.require_email_verification,
    )
    register_by_cookie = providers.Factory(
        RegisterStudent,
        transact=Examining.registration_transaction,
        examine=Examining.examine,
        open_session=open_cookie_session,
        policy=door_policy,
        events=Examining.auth_events,
        welcome=Examining.auto_enroll,
        asks_for_proof=False,
    )
    register_unverified = providers.Factory(
        RegisterStudent,
        transact=Examining.registration_transaction,
        examine=Examining.examine,
        open_session=providers.Singleton(OpenNothing),
        policy=door_policy,
        events=Examining.auth_events,
        welcome=Examining.auto_enroll,
    )
    authenticate_by_secret = providers.Factory(
        AuthenticateBySecret,
        transact=Examining.auth_transaction,
        people=Examining.auth_reader,
        policy=door_policy,
    )
    read_cookie_session = providers.Factory(
        ReadCookieSession,
        transact=Examining.auth_transaction,
        people=Examining.auth_reader,
        policy=door_policy,
    )
    end_session_by_token = providers.Factory(
        EndSessionByToken, transact=Examining.auth_transaction, events=Examining.auth_events
    )
    end_other_sessions = providers.Factory(
        EndOtherSessions, transact=Examining.auth_transaction, events=Examining.auth_events
    )

    # better-auth: one's own account
    door_transaction = providers.Singleton(PostgresTransaction, Examining.database, PostgresDoorWork, Examining.ids)
    change_password_keeping = providers.Factory(
        ChangePassword,
        transact=Examining.account_transaction,
        people=Examining.auth_reader,
        hasher=Examining.password_hasher,
        confirm_password=Examining.confirm_password,
        aftermath=providers.Singleton(KeepSessions),
        policy=door_policy,
        events=Examining.auth_events,
    )
    change_password_anew = providers.Factory(
        ChangePassword,
        transact=door_transaction,
        people=Examining.auth_reader,
        hasher=Examining.password_hasher,
        confirm_password=Examining.confirm_password,
        aftermath=providers.Singleton(BeginAnew, open_session=open_cookie_session),
        policy=door_policy,
        events=Examining.auth_events,
    )
    verify_own_password = providers.Factory(
        VerifyOwnPassword, confirm_password=Examining.confirm_password, events=Examining.auth_events
    )
    check_reset_link = providers.Factory(
        CheckResetLink, transact=Examining.account_transaction, people=Examining.auth_reader
    )
    reset_password_at_door = providers.Factory(
        ResetPassword,
        transact=Examining.account_transaction,
        people=Examining.auth_reader,
        hasher=Examining.password_hasher,
        policy=door_policy,
        events=Examining.auth_events,
        keep_sessions=providers.Callable(
            operator.not_, Examining.settings.provided.better_auth.revoke_sessions_on_reset
        ),
        proves_address=False,
    )
    confirm_address = providers.Factory(
        ConfirmAddress,
        transact=door_transaction,
        tokens=Examining.verification_tokens,
        events=Examining.auth_events,
        open_session=providers.Callable(_after_verification, Examining.settings, open_cookie_session),
    )
    change_email_while_fresh = providers.Factory(
        ChangeEmailWhileFresh,
        transact=Examining.account_transaction,
        source=Examining.token_source,
        policy=door_policy,
        events=Examining.auth_events,
    )
    change_own_person = providers.Factory(ChangeOwnPerson, transact=Examining.account_transaction)
    delete_own_account = providers.Factory(
        DeleteOwnAccount,
        transact=Examining.account_transaction,
        confirm_password=Examining.confirm_password,
        policy=door_policy,
        events=Examining.auth_events,
    )

    # the practice platform
    find_address = providers.Factory(FindAddress, people=Examining.auth_reader)
