"""Accounts and sessions at this door: those of the students' portal, told as the platform's clients know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from application.auth.naming import FindAddress
from application.auth.opening import Grant, HeldTokens, Visit
from application.auth.own_sessions import ListOwnSessions
from application.auth.passwords import ChangePassword, PasswordChange
from application.auth.ports import AccountWork
from application.auth.registering import RegisterStudent
from application.auth.signing_in import Credentials, SignIn, SignOut, SignOutEverywhere
from application.auth.staying import ReadProfile, RefreshSession
from application.progress.profile import ChangeStudentProfile, ReadStudentProfile
from domain.auth.limits import SessionLimitReached
from domain.auth.passwords import PasswordRefused
from domain.auth.people import Actor, EmailTaken, Role, UsernameTaken, UserNotFound
from domain.auth.sessions import (
    Busy,
    CurrentPasswordWrong,
    InvalidCredentials,
    RefreshInvalid,
    RefreshReused,
    SessionEnded,
    WrongPortal,
)
from domain.auth.throttling import TooManyAttempts
from entrypoints.http.authentication import OriginRefused
from entrypoints.http.injection import Injected
from entrypoints.http.practice_platform.auth_bodies import (
    PlatformLogin,
    PlatformLogout,
    PlatformPasswordChange,
    PlatformProfile,
    PlatformProfileChange,
    PlatformSession,
    PlatformSignedIn,
    PlatformTokens,
    RefreshTokenRequest,
    SignupRequest,
)
from entrypoints.http.practice_platform.fields import MessageBody
from entrypoints.http.session_cookies import SessionEdge

_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,)}
_BEFORE_A_CHANGE: Final = {**_STUDENTS, "before_password_change": True}


@post(
    "/auth/signup",
    summary="Register",
    operation_id="platformSignup",
    status_code=200,
    opt={
        "quota": "registration",
        "refusals": (EmailTaken, UsernameTaken, PasswordRefused, OriginRefused, Busy),
    },
)
async def signup(
    data: JSONBody[SignupRequest],
    register_student: Injected[RegisterStudent[Any, Grant]],
    session_edge: NamedDependency[SessionEdge],
) -> PlatformSignedIn:
    """Register as a student, and be signed in at once. A mail asks for the proof that the address is one's own."""
    return PlatformSignedIn.granted(await register_student(data.registration(), _visit(session_edge)))


@post(
    "/auth/login",
    summary="Sign in",
    operation_id="platformLogin",
    status_code=200,
    opt={
        "refusals": (InvalidCredentials, WrongPortal, SessionLimitReached, TooManyAttempts, OriginRefused, Busy),
    },
)
async def login(
    data: JSONBody[PlatformLogin],
    find_address: Injected[FindAddress],
    sign_in: Injected[SignIn[Grant]],
    session_edge: NamedDependency[SessionEdge],
) -> PlatformSignedIn:
    """Sign in with a password and the e-mail address or the username. An account that does not exist, or is locked, is
    answered as a wrong password is.
    """
    credentials = Credentials(email=await find_address(data.email), password=data.password)
    return PlatformSignedIn.granted(await sign_in(credentials, _visit(session_edge)))


@get("/auth/me", summary="Who is signed in", operation_id="platformMe", opt={**_STUDENTS, "refusals": (UserNotFound,)})
async def me(
    actor: NamedDependency[Actor],
    read_profile: Injected[ReadProfile],
    read_student_profile: Injected[ReadStudentProfile],
) -> PlatformProfile:
    """Who is signed in, what they say about themselves and what they have done so far."""
    own = await read_profile(actor)
    return PlatformProfile.of(own.person, await read_student_profile(actor))


@post(
    "/auth/refresh",
    summary="Renew the tokens",
    operation_id="platformRefresh",
    status_code=200,
    opt={"refusals": (RefreshInvalid, RefreshReused, SessionEnded, OriginRefused)},
)
async def refresh(data: JSONBody[RefreshTokenRequest], refresh_session: Injected[RefreshSession]) -> PlatformTokens:
    """Exchange the refresh token for the next pair. The same token again within seconds brings the same successor;
    later it ends the session.
    """
    return PlatformTokens.of(await refresh_session(Role.STUDENT, data.refresh_token))


@post(
    "/auth/logout",
    summary="Sign out",
    operation_id="platformLogout",
    status_code=200,
    opt=_BEFORE_A_CHANGE,
)
async def logout(
    sign_out: Injected[SignOut],
    session_edge: NamedDependency[SessionEdge],
    data: JSONBody[PlatformLogout | None] = None,
) -> MessageBody:
    """Sign out: the bearer's session ends at once, and so does that of the refresh token."""
    refresh_token = None if data is None else data.refresh_token
    await sign_out(replace(session_edge.held(), refresh=refresh_token))
    return MessageBody(message="Logged out successfully")


@post(
    "/auth/logout-all",
    summary="Sign out everywhere",
    operation_id="platformLogoutAll",
    status_code=200,
    opt=_BEFORE_A_CHANGE,
)
async def logout_all(actor: NamedDependency[Actor], sign_out_everywhere: Injected[SignOutEverywhere]) -> MessageBody:
    """End every session of the caller at every door, this one included."""
    await sign_out_everywhere(actor)
    return MessageBody(message="Logged out from all devices")


@post(
    "/auth/change-password",
    summary="Change the password",
    operation_id="platformChangePassword",
    status_code=200,
    opt={**_BEFORE_A_CHANGE, "refusals": (CurrentPasswordWrong, PasswordRefused, TooManyAttempts, Busy)},
)
async def change_password(
    data: JSONBody[PlatformPasswordChange],
    actor: NamedDependency[Actor],
    change_password: Injected[ChangePassword[AccountWork, int]],
    session_edge: NamedDependency[SessionEdge],
) -> MessageBody:
    """Change the caller's password. Every other session of the caller ends; this one stays."""
    await change_password(actor, PasswordChange(current=data.old_password, new=data.new_password), _visit(session_edge))
    return MessageBody(message="Password changed successfully")


@patch(
    "/auth/profile",
    summary="Change one's profile",
    operation_id="platformChangeProfile",
    opt={**_STUDENTS, "refusals": (UserNotFound, UsernameTaken)},
)
async def change_profile(
    data: JSONBody[PlatformProfileChange],
    actor: NamedDependency[Actor],
    read_profile: Injected[ReadProfile],
    change_student_profile: Injected[ChangeStudentProfile],
) -> MessageBody:
    """Change the username, or what one says about oneself."""
    change = data.change((await read_profile(actor)).person)
    if change is not None:
        await change_student_profile(actor, change)
    return MessageBody(message="Profile updated successfully")


@get("/auth/sessions", summary="List own sessions", operation_id="platformSessions", opt=_STUDENTS)
async def own_sessions(
    actor: NamedDependency[Actor], list_own_sessions: Injected[ListOwnSessions]
) -> list[PlatformSession]:
    """Everywhere the caller is signed in, under every door, the newest first."""
    return [PlatformSession.of(session, actor.user_id) for session in await list_own_sessions(actor)]


def _visit(edge: SessionEdge) -> Visit:
    """Who comes with no cookie that would be looked at: a session that a browser holds is not replaced here."""
    return replace(edge.visit(Role.STUDENT), held=HeldTokens())


handlers: Sequence[ControllerRouterHandler] = [
    signup,
    login,
    me,
    refresh,
    logout,
    logout_all,
    change_password,
    change_profile,
    own_sessions,
]
