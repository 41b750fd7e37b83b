"""What is sent to the account routes of this door and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from application.auth.opening import Grant
from application.auth.registering import Registration
from application.auth.staying import Refreshed
from application.auth.views import LiveSession, PersonView
from application.progress.profile_views import ProfileView
from domain.progress.profile import ProfileChange
from entrypoints.http.auth_bodies import Email, Password, Secret, Username
from entrypoints.http.fields import Text, When
from entrypoints.http.practice_platform.fields import PlatformBody, PlatformRequest
from entrypoints.http.refusals import invalid

_BEARER: Final = "bearer"
_SECRET_EXAMPLE: Final = "Zb0mS8VqT1c2pQ6yLr4uXw"  # noqa: S105 - of nobody
_NO_USERNAME: Final = "Null where none was chosen, at another door"


class SignupRequest(PlatformRequest):
    """Who registers, and with which password from now on."""

    email: Email
    password: Password
    username: Annotated[Username, Meta(description="Unique without regard to case; others may sign in by it")]

    example: ClassVar[Mapping[str, Any]] = {
        "email": "ada@example.org",
        "password": "a long sentence is easy to keep",
        "username": "ada",
    }

    def registration(self) -> Registration:
        """Nobody is asked for a name here, so the username is what they are called elsewhere, too."""
        if not self.username.strip():
            raise invalid("/username", "too_short", "A username is needed here")
        return Registration(email=self.email, password=self.password, name=self.username, username=self.username)


class PlatformLogin(PlatformRequest):
    """Who signs in."""

    email: Annotated[str, Meta(min_length=1, max_length=320, description="The e-mail address, or the username")]
    password: Annotated[str, Meta(max_length=1024)]

    example: ClassVar[Mapping[str, Any]] = {"email": "ada", "password": "a long sentence is easy to keep"}


class RefreshTokenRequest(PlatformRequest):
    """A refresh token."""

    refresh_token: Secret

    example: ClassVar[Mapping[str, Any]] = {"refresh_token": _SECRET_EXAMPLE}


class PlatformLogout(PlatformRequest):
    """The refresh token of the session that ends, if it is another one than that of the bearer."""

    refresh_token: Annotated[Secret | None, Meta(description="Absent or null: the bearer's session alone ends")] = None

    example: ClassVar[Mapping[str, Any]] = {"refresh_token": _SECRET_EXAMPLE}


class PlatformPasswordChange(PlatformRequest):
    """The present password and the next one."""

    old_password: Annotated[str, Meta(max_length=1024)]
    new_password: Password

    example: ClassVar[Mapping[str, Any]] = {
        "old_password": "a long sentence is easy to keep",
        "new_password": "another sentence, and longer still",
    }


class PlatformProfileChange(PlatformRequest):
    """What is to be changed. Absent or null leaves it as it is."""

    username: Annotated[Username | None, Meta(description="Unique without regard to case; empty takes it away")] = None
    bio: Annotated[Text | None, Meta(description="At most 2,000 characters; empty takes it away")] = None
    email: Annotated[
        Email | None, Meta(description="As it is: an address is changed by a link that is mailed to it, elsewhere")
    ] = None

    example: ClassVar[Mapping[str, Any]] = {"username": "ada_l", "bio": "Counting on it."}

    def change(self, person: PersonView) -> ProfileChange | None:
        """None: the address is what it was, and nothing else is named. Refuses another one: a token is not enough to
        move an account, the mailbox has to be shown too.
        """
        if self.email is not None and self.email.strip().lower() != person.email:
            raise invalid("/email", "not_changed_here", "Change the address at POST /student/auth/change-email")
        if self.email is not None and self.username is None and self.bio is None:
            return None
        return ProfileChange(username=self.username, bio=self.bio)


class PlatformUser(PlatformBody):
    """Who is signed in."""

    id: str
    email: str
    username: Annotated[str | None, Meta(description=_NO_USERNAME)]
    is_verified: bool

    example: ClassVar[Mapping[str, Any]] = {
        "id": "usr_01m7y0w5089re0wwbvvzgw20sf",
        "email": "ada@example.org",
        "username": "ada",
        "is_verified": False,
    }

    @classmethod
    def of(cls, person: PersonView) -> PlatformUser:
        return cls(id=person.id, email=person.email, username=person.username, is_verified=person.email_verified)


class PlatformTokens(PlatformBody):
    """The next pair of tokens. The refresh token is another one each time: keep the one that came last."""

    access_token: Annotated[str, Meta(description="To be sent as `Authorization: Bearer …`, good for minutes")]
    token_type: str
    refresh_token: Annotated[str, Meta(description="Good once, for the next pair")]

    example: ClassVar[Mapping[str, Any]] = {
        "access_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c3JfMDEifQ.c2lnbmVk",
        "token_type": _BEARER,
        "refresh_token": _SECRET_EXAMPLE,
    }

    @classmethod
    def of(cls, refreshed: Refreshed) -> PlatformTokens:
        return cls(access_token=refreshed.access_token, token_type=_BEARER, refresh_token=refreshed.refresh_token)


class PlatformSignedIn(PlatformTokens, kw_only=True):
    """Signed in: the tokens of the new session, and whose it is."""

    user: PlatformUser

    example: ClassVar[Mapping[str, Any]] = {**PlatformTokens.example, "user": PlatformUser.example}

    @classmethod
    def granted(cls, grant: Grant) -> PlatformSignedIn:
        return cls(
            access_token=grant.access_token,
            token_type=_BEARER,
            refresh_token=grant.refresh_token,
            user=PlatformUser.of(grant.person),
        )


class PlatformProfile(PlatformBody):
    """Who one is, what one says about oneself, and what one has done so far."""

    id: str
    email: str
    username: Annotated[str | None, Meta(description=_NO_USERNAME)]
    is_active: bool
    is_verified: bool
    is_admin: Annotated[bool, Meta(description="Always false: this door is for students")]
    created_at: When
    bio: Annotated[str | None, Meta(description="Null where nothing is said")]
    avatar_url: Annotated[str | None, Meta(description="The address of a picture; null: there is none")]
    study_streak_current: Annotated[int, Meta(description="Days in a row, up to today or yesterday")]
    study_streak_longest: Annotated[int, Meta(description="The most days there ever were in a row")]
    total_exams_taken: Annotated[int, Meta(description="Exams that were finished; practice is no exam")]
    total_questions_answered: Annotated[int, Meta(description="In practice and exams")]
    last_activity_date: Annotated[date | None, Meta(description="The last day of study; null: there was none yet")]

    example: ClassVar[Mapping[str, Any]] = {
        **PlatformUser.example,
        "is_active": True,
        "is_admin": False,
        "created_at": "2026-03-02T08:15:00Z",
        "bio": "Counting on it.",
        "avatar_url": None,
        "study_streak_current": 3,
        "study_streak_longest": 8,
        "total_exams_taken": 1,
        "total_questions_answered": 120,
        "last_activity_date": "2026-03-11",
    }

    @classmethod
    def of(cls, person: PersonView, view: ProfileView) -> PlatformProfile:
        return cls(
            id=person.id,
            email=person.email,
            username=person.username,
            is_active=True,
            is_verified=person.email_verified,
            is_admin=False,
            created_at=person.created_at,
            bio=view.student.bio or None,
            avatar_url=view.avatar_url,
            study_streak_current=view.streak_current,
            study_streak_longest=view.streak_longest,
            total_exams_taken=view.student.exams_finished,
            total_questions_answered=view.student.questions_answered,
            last_activity_date=view.last_activity_date,
        )


class PlatformSession(PlatformBody):
    """Somewhere one is signed in, under whichever door."""

    id: str
    user_id: str
    created_at: When
    last_active: When
    expires_at: When
    ip_address: Annotated[str | None, Meta(description="Null where it is not known")]
    user_agent: Annotated[str | None, Meta(description="Null where none was sent")]
    is_current: Annotated[bool, Meta(description="Whether it is the one that asks")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": "ses_01m7y0w5089re0wwbvvzgw20sf",
        "user_id": "usr_01m7y0w5089re0wwbvvzgw20sf",
        "created_at": "2026-03-02T08:15:00Z",
        "last_active": "2026-03-02T09:40:00Z",
        "expires_at": "2026-03-09T09:40:00Z",
        "ip_address": "192.0.2.7",
        "user_agent": "curl/8.5.0",
        "is_current": True,
    }

    @classmethod
    def of(cls, session: LiveSession, user_id: str) -> PlatformSession:
        return cls(
            id=session.id,
            user_id=user_id,
            created_at=session.created_at,
            last_active=session.last_seen_at,
            expires_at=session.expires_at,
            ip_address=session.ip or None,
            user_agent=session.user_agent or None,
            is_current=session.current,
        )
