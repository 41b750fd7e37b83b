"""What people do about their own account over HTTP: addresses, passwords, sessions; the same routes at each portal."""

from __future__ import annotations

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import convert

from application.auth.addresses import AddressChange, ChangeEmail, ResendVerification, VerifyEmail
from application.auth.own_sessions import EndOwnSession, ListOwnSessions
from application.auth.passwords import ChangePassword, PasswordChange, RequestPasswordReset, ResetPassword
from application.auth.ports import AccountWork
from domain.auth.links import LinkInvalid
from domain.auth.passwords import PasswordRefused
from domain.auth.people import Actor, EmailTaken
from domain.auth.sessions import Busy, CurrentPasswordWrong, ReauthenticationRequired, SessionNotFound
from domain.auth.throttling import TooManyAttempts
from entrypoints.http.account_bodies import (
    ChangeEmailRequest,
    ChangePasswordRequest,
    LiveSessionBody,
    LiveSessionsBody,
    MailRequest,
    ResetPasswordRequest,
    VerifyEmailRequest,
)
from entrypoints.http.auth_bodies import RevokedBody
from entrypoints.http.authentication import OriginRefused
from entrypoints.http.portals import PortalRoutes, operation
from entrypoints.http.replies import without_body
from entrypoints.http.session_cookies import SessionEdge

_MAIL_IS_DUE = "A mail is sent if there is an account that it can go to"


class AccountRoutes(PortalRoutes):
    """Routes for people who have an account at the portal. What is mailed to them is used without being signed in."""

    @post(
        "/verify-email",
        summary="Verify an e-mail address",
        operation_id=operation("verifyEmail"),
        status_code=204,
        response_description="The address is verified",
        opt={"callers": (), "quota": "link", "refusals": (LinkInvalid, EmailTaken, OriginRefused)},
    )
    async def verify_email(
        self,
        data: JSONBody[VerifyEmailRequest],
        verify_email: NamedDependency[VerifyEmail],
        session_edge: NamedDependency[SessionEdge],
    ) -> None:
        """Show the link that was mailed to an address: the account's own, or the one that it moves to by this. Once."""
        await verify_email(data.token, session_edge.visit(self.portal))

    @post(
        "/resend-verification",
        summary="Ask for another verification mail",
        operation_id=operation("resendVerification"),
        status_code=202,
        response_description=_MAIL_IS_DUE,
        opt={"callers": (), "quota": "mail-request", "refusals": (OriginRefused,)},
    )
    async def resend_verification(
        self,
        data: JSONBody[MailRequest],
        resend_verification: NamedDependency[ResendVerification],
        session_edge: NamedDependency[SessionEdge],
    ) -> Response[None]:
        """Ask for the mail that verifies an address. The answer does not tell whether there is such an account."""
        await resend_verification(data.email, session_edge.visit(self.portal))
        return without_body(202)

    @post(
        "/request-password-reset",
        summary="Ask for a password reset",
        operation_id=operation("requestPasswordReset"),
        status_code=202,
        response_description=_MAIL_IS_DUE,
        opt={"callers": (), "quota": "mail-request", "refusals": (OriginRefused,)},
    )
    async def request_password_reset(
        self,
        data: JSONBody[MailRequest],
        request_password_reset: NamedDependency[RequestPasswordReset],
        session_edge: NamedDependency[SessionEdge],
    ) -> Response[None]:
        """Ask for a link that sets a new password. The answer does not tell whether there is such an account."""
        await request_password_reset(data.email, session_edge.visit(self.portal))
        return without_body(202)

    @post(
        "/reset-password",
        summary="Set a password by a link",
        operation_id=operation("resetPassword"),
        status_code=204,
        response_description="The password is set, and every session has ended",
        opt={"callers": (), "quota": "link", "refusals": (LinkInvalid, PasswordRefused, OriginRefused, Busy)},
    )
    async def reset_password(
        self,
        data: JSONBody[ResetPasswordRequest],
        reset_password: NamedDependency[ResetPassword],
        session_edge: NamedDependency[SessionEdge],
    ) -> None:
        """Set a password with the link that was mailed, once. Every session ends, a lockout too; nobody is signed in.

        A password that is refused leaves the link good.
        """
        await reset_password(data.token, data.password, session_edge.visit(self.portal))

    @post(
        "/change-password",
        summary="Change the password",
        operation_id=operation("changePassword"),
        status_code=200,
        opt={
            "before_password_change": True,
            "refusals": (CurrentPasswordWrong, PasswordRefused, TooManyAttempts, Busy),
        },
    )
    async def change_password(
        self,
        data: JSONBody[ChangePasswordRequest],
        actor: NamedDependency[Actor],
        change_password: NamedDependency[ChangePassword[AccountWork, int]],
        session_edge: NamedDependency[SessionEdge],
    ) -> RevokedBody:
        """Change the caller's password. Every other session of the caller ends; this one stays."""
        change = PasswordChange(current=data.current_password, new=data.new_password)
        return RevokedBody(revoked=await change_password(actor, change, session_edge.visit(self.portal)))

    @post(
        "/change-email",
        summary="Move to another e-mail address",
        operation_id=operation("changeEmail"),
        status_code=202,
        response_description="A link is sent to the new address if it can be had",
        opt={"quota": "mail-request", "refusals": (CurrentPasswordWrong, ReauthenticationRequired, Busy)},
    )
    async def change_email(
        self,
        data: JSONBody[ChangeEmailRequest],
        actor: NamedDependency[Actor],
        change_email: NamedDependency[ChangeEmail],
        session_edge: NamedDependency[SessionEdge],
    ) -> Response[None]:
        """Ask for a link at another address; using it makes that the account's own. Needs a sign-in not long ago.

        The answer does not tell whether the address belongs to another account. A notice goes to the present address.
        """
        change = AddressChange(new_email=data.new_email, current_password=data.current_password)
        await change_email(actor, change, session_edge.visit(self.portal))
        return without_body(202)

    @get("/sessions", summary="List own sessions", operation_id=operation("listOwnSessions"))
    async def own_sessions(
        self, actor: NamedDependency[Actor], list_own_sessions: NamedDependency[ListOwnSessions]
    ) -> LiveSessionsBody:
        """Everywhere the caller is signed in, under every door, the newest first; all of it, for there is a limit."""
        found = await list_own_sessions(actor)
        return LiveSessionsBody(items=[convert(each, LiveSessionBody, from_attributes=True) for each in found])

    @delete(
        "/sessions/{session_id:str}",
        summary="End one of the own sessions",
        operation_id=operation("endOwnSession"),
        response_description="The session has ended",
        opt={"refusals": (SessionNotFound, ReauthenticationRequired)},
    )
    async def end_own_session(
        self,
        session_id: FromPath[str],
        actor: NamedDependency[Actor],
        end_own_session: NamedDependency[EndOwnSession],
        session_edge: NamedDependency[SessionEdge],
    ) -> None:
        """End one of the caller's sessions: the one in use as if by signing out, another one soon after a sign-in."""
        await end_own_session(actor, session_id)
        if session_id == actor.session_id:
            session_edge.clear_current()
