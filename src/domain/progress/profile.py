"""What students say about themselves, and the clock that their days go by."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.auth.people import User, normalise_name, normalise_username
from domain.errors import DomainError, FieldProblem, InvalidInput, Kind
from domain.progress.days import LATEST_START, known_zone
from domain.progress.students import StudentProgress

LONGEST_BIO: Final = 2000
LONGEST_URL: Final = 2000
BETWEEN_ZONES: Final = timedelta(hours=24)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LINE_BREAKS: Final = frozenset("\n\r\t")
# A host is named, nobody signs in, and nothing in it has to be spelt otherwise to be part of an address.
_HTTPS = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?#][!#-;=?-Z\[\]_a-z~]*)?")


class TimeZoneChangedRecently(DomainError):
    """Whoever could move the start of the day at will would never miss one: it moves once in 24 hours."""

    code = "profile.time_zone_changed_recently"
    kind = Kind.TOO_MANY
    title = "Time zone and start of the day change once in 24 hours"


class ProfileChanged(DomainError):
    """`If-Match` names another state than the current one, whose tag the ETag header of the answer tells."""

    code = "profile.precondition_failed"
    kind = Kind.PRECONDITION_FAILED
    title = "The profile is not as If-Match expects it"

    def __init__(self, current_version: int) -> None:
        self.current_version = current_version
        super().__init__()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChange:
    """What is to be changed. None leaves it as it is; an empty username, name, text or address takes it away."""

    username: str | None = None
    name: str | None = None
    bio: str | None = None
    avatar_url: str | None = None
    time_zone: str | None = None
    day_start_hour: int | None = None

    def __post_init__(self) -> None:
        if all(getattr(self, each.name) is None for each in fields(self)):
            raise InvalidInput("Nothing is to be changed: name what shall be different")

    def applied_to_person(self, user: User, now: datetime) -> User:
        """The person as changed; the very same where nothing differs."""
        changed = replace(
            user,
            username=user.username if self.username is None else normalise_username(self.username),
            name=user.name if self.name is None else normalise_name(self.name),
            image=user.image if self.avatar_url is None else normalise_avatar(self.avatar_url),
        )
        return user if changed == user else replace(changed, updated_at=now)

    def applied_to(self, student: StudentProgress, now: datetime) -> StudentProgress:
        """The row as changed; the very same where nothing differs. Days that were credited stay what they are."""
        changed = replace(
            student,
            bio=student.bio if self.bio is None else normalise_bio(self.bio),
            time_zone=student.time_zone if self.time_zone is None else self.time_zone,
            day_start_hour=student.day_start_hour if self.day_start_hour is None else self.day_start_hour,
        )
        if _clock(changed) == _clock(student):
            return changed if changed != student else student
        _check_clock(changed)
        _refuse_too_soon(student, now)
        return replace(changed, time_zone_changed_at=now, credited_from=None, credited_until=None)


def normalise_bio(text: str) -> str:
    """A text of several lines: composed (NFC) and trimmed."""
    too_long = _wrong("/bio", "too_long", f"A text about oneself has at most {LONGEST_BIO} characters")
    if len(text) > LONGEST_BIO:
        raise too_long
    if any(unicodedata.category(each) in {"Cc", "Cs"} and each not in _LINE_BREAKS for each in text):
        raise _wrong("/bio", "invalid_bio", "A text about oneself has no control characters")
    bio = unicodedata.normalize("NFC", text).strip()
    if len(bio) > LONGEST_BIO:
        raise too_long
    return bio


def normalise_avatar(text: str) -> str | None:
    """The address of a picture, which nobody but a browser asks for; None when there is none."""
    url = text.strip()
    if not url:
        return None
    if len(url) > LONGEST_URL or not _HTTPS.fullmatch(url):
        raise _wrong(
            "/avatarUrl",
            "invalid_url",
            f"The address of a picture begins with https:// and has at most {LONGEST_URL} characters",
        )
    return url


def shown_avatar(image: str | None) -> str | None:
    """The person's picture where its address is one that a profile may have; through other doors it may be any text."""
    is_safe = image is not None and len(image) <= LONGEST_URL and _HTTPS.fullmatch(image) is not None
    return image if is_safe else None


def profile_version(student: StudentProgress, changed_at: datetime) -> int:
    """A number that moves with whatever the profile shows of the row and of the person, who was changed at that time,
    perhaps elsewhere: the version of the row and the microseconds of that time since 1970. Neither goes back.
    """
    return student.version + (changed_at - _EPOCH) // timedelta(microseconds=1)


def clock_changeable_at(student: StudentProgress, now: datetime) -> datetime | None:
    """When the student may go by another clock; None: at any time from now on."""
    if student.time_zone_changed_at is None:
        return None
    changeable_at = student.time_zone_changed_at + BETWEEN_ZONES
    return changeable_at if changeable_at > now else None


def _clock(student: StudentProgress) -> tuple[str, int]:
    return student.time_zone, student.day_start_hour


def _check_clock(student: StudentProgress) -> None:
    if not known_zone(student.time_zone):
        raise _wrong("/timeZone", "unknown_zone", "This is no name of a time zone, as Europe/Berlin is one")
    if not 0 <= student.day_start_hour <= LATEST_START:
        raise _wrong("/dayStartHour", "out_of_range", f"A day begins at an hour from 0 to {LATEST_START}")


def _refuse_too_soon(student: StudentProgress, now: datetime) -> None:
    """Refuses with the time that is still to wait."""
    changeable_at = clock_changeable_at(student, now)
    if changeable_at is not None:
        raise TimeZoneChangedRecently(retry_after_seconds=-(-(changeable_at - now) // timedelta(seconds=1)))


def _wrong(pointer: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=(FieldProblem(pointer, code, message),))
