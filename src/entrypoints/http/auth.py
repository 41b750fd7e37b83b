"""Registration, sign-in and sessions over HTTP: the same routes at each of the three portals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from application.auth.opening import Grant
from application.auth.registering import RegisterStaff, RegisterStudent, Registration
from application.auth.signing_in import Credentials, SignIn, SignOut, SignOutEverywhere
from application.auth.staying import ReadProfile, Refreshed, RefreshSession
from domain.auth.limits import SessionLimitReached
from domain.auth.passwords import PasswordRefused
from domain.auth.people import Actor, EmailTaken, InvitationRequired, Role, UsernameTaken
from domain.auth.sessions import (
    Busy,
    InvalidCredentials,
    RefreshInvalid,
    RefreshReused,
    SessionEnded,
    TokenMissing,
    WrongPortal,
)
from domain.auth.throttling import TooManyAttempts
from entrypoints.http import authentication, rate_limits
from entrypoints.http.account_routes import AccountRoutes
from entrypoints.http.auth_bodies import (
    AccessBody,
    Delivery,
    LoginRequest,
    ProfileBody,
    RefreshRequest,
    RegisterRequest,
    RegisterStaffRequest,
    RevokedBody,
    SignedInBody,
    own_session_body,
    user_body,
)
from entrypoints.http.authentication import Container, CsrfRefused, OriginRefused
from entrypoints.http.injection import Injected
from entrypoints.http.portals import operation
from entrypoints.http.route_layers import RouteLayer
from entrypoints.http.session_cookies import SessionEdge


def _serving(role: Role, **more: str) -> Mapping[str, Any]:
    """What holds for every route of a portal, unless the route says otherwise."""
    return {"callers": (role,), **more}


_BEARER = "Bearer"
_REGISTRATION = (EmailTaken, UsernameTaken, PasswordRefused, OriginRefused, Busy)


class Portal(AccountRoutes):
    """The routes of one portal. Subclasses name its role, and say how one registers."""

    @post(
        "/login",
        summary="Sign in",
        operation_id=operation("login"),
        status_code=200,
        opt={
            "callers": (),
            "refusals": (
                InvalidCredentials,
                WrongPortal,
                SessionLimitReached,
                TooManyAttempts,
                OriginRefused,
                Busy,
            ),
        },
    )
    async def login(
        self,
        data: JSONBody[LoginRequest],
        sign_in: NamedDependency[SignIn[Grant]],
        session_edge: NamedDependency[SessionEdge],
    ) -> SignedInBody:
        """Sign in with e-mail address and password. A session that the same browser held at this portal ends, and so do
        the least recently used ones that the session limit leaves no room for.
        """
        visit = session_edge.visit(self.portal, remember=data.remember_me)
        grant = await sign_in(Credentials(email=data.email, password=data.password), visit)
        return _signed_in(session_edge, grant, data.delivery)

    @get(
        "/me",
        summary="Who is signed in",
        operation_id=operation("getProfile"),
        opt={"before_password_change": True},
    )
    async def me(self, actor: NamedDependency[Actor], read_profile: NamedDependency[ReadProfile]) -> ProfileBody:
        """Who is signed in, and through which session."""
        profile = await read_profile(actor)
        return ProfileBody(user=user_body(profile.person), session=own_session_body(profile.session))

    @post(
        "/refresh",
        summary="Renew the tokens",
        operation_id=operation("refresh"),
        status_code=200,
        opt={
            "callers": (),
            "refusals": (TokenMissing, RefreshInvalid, RefreshReused, SessionEnded, OriginRefused),
        },
    )
    async def refresh(
        self,
        refresh_session: NamedDependency[RefreshSession],
        session_edge: NamedDependency[SessionEdge],
        data: JSONBody[RefreshRequest | None] = None,
    ) -> AccessBody:
        """Exchange the refresh token, from its cookie or from the body, for the next pair of tokens.

        The same token again within seconds brings the same successor; later it ends the session.
        """
        if data is not None and data.refresh_token is not None:
            refreshed = await refresh_session(self.portal, data.refresh_token)
            return _refreshed(session_edge, refreshed, Delivery.BODY)
        if session_edge.received.refresh is None:
            raise TokenMissing
        refreshed = await refresh_session(self.portal, session_edge.received.refresh)
        return _refreshed(session_edge, refreshed, Delivery.COOKIE)

    @post(
        "/logout",
        summary="Sign out",
        operation_id=operation("logout"),
        status_code=204,
        response_description="Signed out",
        opt={"callers": (), "may_be_signed_in": True, "refusals": (CsrfRefused, OriginRefused)},
    )
    async def logout(self, sign_out: NamedDependency[SignOut], session_edge: NamedDependency[SessionEdge]) -> None:
        """Sign out: the session ends and the cookies are cleared. Without a session the cookies are cleared."""
        await sign_out(session_edge.held())
        session_edge.clear()

    @post(
        "/logout-all",
        summary="Sign out everywhere",
        operation_id=operation("logoutAll"),
        status_code=200,
        opt={"before_password_change": True},
    )
    async def logout_all(
        self,
        actor: NamedDependency[Actor],
        sign_out_everywhere: NamedDependency[SignOutEverywhere],
        session_edge: NamedDependency[SessionEdge],
    ) -> RevokedBody:
        """End every session of the caller on every device, this one included."""
        revoked = await sign_out_everywhere(actor)
        session_edge.clear()
        return RevokedBody(revoked=revoked)


class OpenPortal(Portal):
    """A portal where anybody may register."""

    @post(
        "/register",
        summary="Register",
        operation_id=operation("register"),
        opt={"callers": (), "quota": "registration", "refusals": _REGISTRATION},
    )
    async def register(
        self,
        data: JSONBody[RegisterRequest],
        register_student: Injected[RegisterStudent[Any, Grant]],
        session_edge: NamedDependency[SessionEdge],
    ) -> SignedInBody:
        """Register, and be signed in at once."""
        grant = await register_student(_registration(data), session_edge.visit(self.portal))
        return _signed_in(session_edge, grant, data.delivery)


class StaffPortal(Portal):
    """A portal where one registers with an invitation."""

    @post(
        "/register",
        summary="Register",
        operation_id=operation("register"),
        opt={"callers": (), "quota": "registration", "refusals": (InvitationRequired, *_REGISTRATION)},
    )
    async def register(
        self,
        data: JSONBody[RegisterStaffRequest],
        register_staff: Injected[RegisterStaff],
        session_edge: NamedDependency[SessionEdge],
    ) -> SignedInBody:
        """Register with an invitation, and be signed in at once."""
        grant = await register_staff(_registration(data, data.invitation), session_edge.visit(self.portal))
        return _signed_in(session_edge, grant, data.delivery)


class StudentAuth(OpenPortal):
    path = "/student/auth"
    tags = ("student-auth",)
    portal = Role.STUDENT
    opt = _serving(Role.STUDENT)


class InstructorAuth(StaffPortal):
    path = "/instructor/auth"
    tags = ("instructor-auth",)
    portal = Role.INSTRUCTOR
    opt = _serving(Role.INSTRUCTOR)


class AdminAuth(StaffPortal):
    path = "/admin/auth"
    tags = ("admin-auth",)
    portal = Role.ADMIN
    opt = _serving(Role.ADMIN)


class LegacyAuth(OpenPortal):
    """The students' portal under its old path, which answers say is deprecated."""

    path = "/auth"
    tags = ("legacy-auth",)
    portal = Role.STUDENT
    opt = _serving(Role.STUDENT, successor="/student/auth")


def _registration(data: RegisterRequest, invitation: str | None = None) -> Registration:
    return Registration(
        email=data.email,
        password=data.password,
        name=data.name,
        username=data.username,
        invitation=invitation,
    )


def _signed_in(edge: SessionEdge, grant: Grant, delivery: Delivery) -> SignedInBody:
    csrf, refresh_token = _deliver(edge, grant, delivery)
    return SignedInBody(
        access_token=grant.access_token,
        token_type=_BEARER,
        expires_in=grant.expires_in,
        csrf_token=csrf,
        refresh_token=refresh_token,
        user=user_body(grant.person),
        evicted_sessions=grant.evicted_sessions,
    )


def _refreshed(edge: SessionEdge, refreshed: Refreshed, delivery: Delivery) -> AccessBody:
    csrf, refresh_token = _deliver(edge, refreshed, delivery)
    return AccessBody(
        access_token=refreshed.access_token,
        token_type=_BEARER,
        expires_in=refreshed.expires_in,
        csrf_token=csrf,
        refresh_token=refresh_token,
    )


def _deliver(edge: SessionEdge, granted: Grant | Refreshed, delivery: Delivery) -> tuple[str, str | UnsetType]:
    """The CSRF token, and the refresh token if it is to be in the body; else the cookies are set."""
    csrf = edge.csrf_token(granted.session)
    if delivery is Delivery.BODY:
        return csrf, granted.refresh_token
    edge.hand_out(
        granted.session,
        access=granted.access_token,
        refresh=granted.refresh_token,
        csrf=csrf,
        access_seconds=granted.expires_in,
    )
    return csrf, UNSET


def middleware(container: Container) -> list[RouteLayer]:
    """Who asks, and how often."""
    return [*authentication.middleware(container), *rate_limits.middleware(container)]


handlers = [StudentAuth, InstructorAuth, AdminAuth, LegacyAuth]
dependencies = authentication.dependencies
