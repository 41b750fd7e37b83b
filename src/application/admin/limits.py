"""Session limits as administrators define them, and their enforcement upon those who are signed in already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from application.admin.auditing import act, require_admin
from application.admin.limit_ports import LimitReader, LimitSubject, LimitWork, Turnover
from application.admin.limit_views import UserLimits
from application.auth.limiting import end_surplus
from application.jobs import FINISHING_SECONDS, JobName, Payload
from application.ports import Job, Transaction
from domain.auth.limits import Limit, LimitSource
from domain.auth.people import Actor, Facts, Role, UserNotFound
from domain.errors import OutcomeUnknown, StoreUnavailable

# How many people one request or job deals with, and how many of them are held at once: a sign-in of one of them waits
# for the whole handful, which takes a small part of the time that it may wait.
BATCH = 500
HANDFUL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOrder:
    """The limit that is to hold (None: none is defined), whether for those signed in too, and why."""

    limit: Limit | None
    enforce_now: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """How many sessions have ended, and whether these were all; the rest end soon, outside the request."""

    revoked: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUserLimits:
    """An administrator sees which limit counts for a person, and every one that is defined."""

    limits: LimitReader

    async def __call__(self, user_id: str) -> UserLimits:
        found = await self.limits.user_limits(user_id)
        if found is None:
            raise UserNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUserLimit:
    """An administrator defines a person's own limit, which counts before all others, or takes it away.

    It acts at the next sign-in or refresh; enforced, the sessions that are too many end with the change itself.
    """

    transact: Transaction[LimitWork]

    async def __call__(self, actor: Actor, user_id: str, order: LimitOrder) -> tuple[UserLimits, Enforced]:
        require_admin(actor)
        subject = LimitSubject.user(user_id)

        async def set_limit(work: LimitWork) -> tuple[UserLimits, Enforced]:
            user = await work.hold_user(user_id)
            if user is None or user.deleted_at is not None:
                raise UserNotFound
            await define(work, actor, subject, order)
            revoked = 0
            if order.enforce_now:
                revoked = await end_surplus(work, user_id, user.role, keep=actor.session_id)
            limits = await work.user_limits(user_id)
            assert limits is not None
            return limits, Enforced(revoked=revoked)

        return await self.transact(set_limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforceLimits:
    """People of a group or a role who have more live sessions than the limit that counts for each of them lose the
    surplus: the least recently seen first, those through which an exam is sat last, that of who orders it never.

    The unit of work that defines the limit orders it as a job too (`enforcement`), which cannot be lost. So many as
    `batch` are dealt with at once, in units of work of their own; jobs go on with the others.
    """

    transact: Transaction[LimitWork]
    turnover: Turnover
    batch: int = BATCH

    async def __call__(self, actor: Actor, subject: LimitSubject) -> Enforced:
        """The first batch. A sign-in that read the limit of before may be under way: it is let finish and counted."""
        try:
            await self.turnover()
            people, revoked = await self._enforce(subject, keep=actor.session_id, after=None)
        except (StoreUnavailable, OutcomeUnknown):
            # The limit is defined and its enforcement ordered: that the store fails now does not undo it.
            return Enforced(complete=False)
        return Enforced(revoked=revoked, complete=len(people) < self.batch)

    async def go_on(self, payload: Payload) -> None:
        """The next batch, as a job. Doing it again ends nothing more."""
        subject = LimitSubject(source=LimitSource(str(payload["scope"])), id=str(payload["subject_id"]))
        keep = str(payload["keep"])
        people, _ = await self._enforce(subject, keep=keep, after=str(payload["after"]))
        if len(people) == self.batch:
            await self.transact(lambda work: work.enqueue(enforcement(subject, keep=keep, after=people[-1])))

    async def _enforce(self, subject: LimitSubject, *, keep: str, after: str | None) -> tuple[Sequence[str], int]:
        people = await self.transact(lambda work: work.crowded(subject, after, self.batch))
        handfuls = [people[start : start + HANDFUL] for start in range(0, len(people), HANDFUL)]
        return people, sum([await self._end_surplus_of(handful, keep) for handful in handfuls])

    async def _end_surplus_of(self, people: Sequence[str], keep: str) -> int:
        async def end(work: LimitWork) -> int:
            held = [await work.hold_user(user_id) for user_id in people]
            return sum([await end_surplus(work, user.id, user.role, keep=keep) for user in held if user is not None])

        return await self.transact(end)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRoleLimit:
    """An administrator defines the limit of all who have a role and neither an own one nor one by their groups."""

    transact: Transaction[LimitWork]
    enforce: EnforceLimits

    async def __call__(self, actor: Actor, role: Role, order: LimitOrder) -> Enforced:
        require_admin(actor)
        subject = LimitSubject.role(role)

        async def set_limit(work: LimitWork) -> None:
            await define(work, actor, subject, order)
            if order.enforce_now:
                await work.enqueue(enforcement(subject, keep=actor.session_id))

        await self.transact(set_limit)
        return await self.enforce(actor, subject) if order.enforce_now else Enforced()


async def define(work: LimitWork, actor: Actor, subject: LimitSubject, order: LimitOrder) -> None:
    """Writes the limit and the record of it; what changes nothing and ends no sessions is not on record."""
    before = await replace_limit(work, subject, order.limit)
    if before == order.limit and not order.enforce_now:
        return
    action = "session_limit.enforced" if before == order.limit else "session_limit.changed"
    after = {**limit_facts(order.limit), "enforce_now": order.enforce_now}
    await work.audit(
        act(action, subject.audited_as, by=actor, before=limit_facts(before), after=after, reason=order.reason)
    )


async def replace_limit(work: LimitWork, subject: LimitSubject, limit: Limit | None) -> Limit | None:
    """Defines the limit, or that there is none, and returns what was defined before, whoever came in between."""
    if limit is not None and await work.add_limit(subject, limit):
        return None
    before = await work.hold_limit(subject)
    if limit is None:
        await work.drop_limit(subject)
    elif limit != before:
        await work.save_limit(subject, limit)
    return before


def limit_facts(limit: Limit | None) -> Facts:
    """A limit as the audit log tells it."""
    if limit is None:
        return {"limit": None, "when_full": None}
    return {"limit": limit.max_sessions, "when_full": limit.when_full.value}


def enforcement(subject: LimitSubject, *, keep: str, after: str = "") -> Job:
    """Orders the enforcement upon those whose ids come after `after`, all of them at first."""
    payload = {"scope": subject.source.value, "subject_id": subject.id, "keep": keep, "after": after}
    return Job(name=JobName.ENFORCE_LIMITS, payload=payload, delay_seconds=0 if after else FINISHING_SECONDS)
