"""A student's own profile."""

from __future__ import annotations

from dataclasses import dataclass, replace

from application.ports import AuditEntry, Transaction
from application.progress.ports.profile import ProfileReader, ProfileWork
from application.progress.profile_views import ProfileOwner, ProfileView
from domain.auth.people import Actor, User, UserNotFound
from domain.progress.profile import ProfileChange, ProfileChanged, profile_version


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStudentProfile:
    """Students see what they say about themselves, what they have done so far, and how their streak stands today."""

    profile_reader: ProfileReader

    async def __call__(self, actor: Actor) -> ProfileView:
        found = await self.profile_reader.profile(actor.user_id)
        if found is None:
            raise UserNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStudentProfile:
    """Students change what they say about themselves, and the clock that their days go by.

    Another time zone or start of the day is chosen once in 24 hours, and no day that was credited is told anew.
    Nobody else may have the username; a change of it is kept in the audit log, because others know people by it.
    """

    transact: Transaction[ProfileWork]

    async def __call__(self, actor: Actor, change: ProfileChange, expected: int | None = None) -> ProfileView:
        async def carry_out(work: ProfileWork) -> ProfileView:
            student = await work.hold_progress(actor.user_id)
            user = await work.hold_user(actor.user_id)
            if user is None:
                raise UserNotFound
            version = profile_version(student, user.updated_at)
            if expected not in (None, version):
                raise ProfileChanged(version)
            person, became = change.applied_to_person(user, work.now), change.applied_to(student, work.now)
            if person is not user or became is not student:
                became = replace(became, version=student.version + 1)
                await work.save_progress(became)
            if person is not user:
                await _save_person(work, user, person)
            days = await work.study_days(user.id)
            return ProfileView.of(became, ProfileOwner.of(person), days=days, now=work.now)

        return await self.transact(carry_out)


async def _save_person(work: ProfileWork, before: User, after: User) -> None:
    await work.save_user(after)
    if after.username != before.username:
        await work.audit(
            AuditEntry(
                actor_id=after.id,
                action="user.username_changed",
                subject=after.id,
                before={"username": before.username},
                after={"username": after.username},
            )
        )
