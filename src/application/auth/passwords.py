"""Passwords that change: by who knows the present one, and by who receives mail at the account's address."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Generic

from application.auth.events import AuthAct, AuthEvent, account_of
from application.auth.mailed_links import link_url
from application.auth.opening import Visit
from application.auth.policy import AuthPolicy
from application.auth.ports import AccountWork, AuthEvents, AuthReader, PasswordHasher, TokenSource
from application.auth.proving import ConfirmPassword, canonical_current, event_of, hold_unchanged, told_at
from application.auth.renewing import (
    SET_A_PASSWORD,
    Aftermath,
    DoneT,
    EndOthers,
    KeepSessions,
    Renewal,
    WorkT,
    renew_password,
)
from application.auth.telling import telling
from application.mail import MailKind, order_mail
from application.ports import AuditEntry, Transaction
from domain.auth.links import Link, LinkInvalid, LinkPurpose, link_hash
from domain.auth.passwords import PasswordRefused, check_password
from domain.auth.people import Actor, Role, User, UserNotFound, normalise_email
from domain.auth.refresh import encode_token
from domain.auth.sessions import SessionEnd, SessionEnded
from domain.auth.throttling import account_key
from domain.errors import DomainError, FieldProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChange:
    """The present password and the next one."""

    current: str = field(repr=False)
    new: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword(Generic[WorkT, DoneT]):
    """Whoever knows the present password may choose another one. At the portals every other session ends, under every
    door; so does whatever was mailed for another password or address. The owner is told by mail.
    """

    transact: Transaction[WorkT]
    people: AuthReader
    hasher: PasswordHasher
    confirm_password: ConfirmPassword
    aftermath: Aftermath[WorkT, DoneT]
    policy: AuthPolicy
    events: AuthEvents

    async def __call__(self, actor: Actor, change: PasswordChange, visit: Visit) -> DoneT:
        """What became of the sessions."""
        with telling(self.events, event_of(actor, AuthAct.PASSWORD_CHANGE_REFUSED)) as record:
            done = await self._change(actor, change, visit)
            record.event = replace(record.event, act=AuthAct.PASSWORD_CHANGED)
            return done

    async def _change(self, actor: Actor, change: PasswordChange, visit: Visit) -> DoneT:
        password = await self._check(actor, change)

        async def replace_password(proven: User) -> DoneT | None:
            password_hash = await self.hasher.hash(password)

            async def write(work: WorkT) -> DoneT | None:
                user = await hold_unchanged(work, actor, proven)
                if user is None:
                    return None
                reason = SessionEnd.PASSWORD_CHANGED
                renewal = Renewal(user=user, reason=reason, visit=visit, session_id=actor.session_id)
                return await renew_password(work, password_hash, renewal, self.aftermath)

            return await self.transact(write)

        return await self.confirm_password(actor, change.current, visit, replace_password)

    async def _check(self, actor: Actor, change: PasswordChange) -> str:
        current, user = canonical_current(change.current), await self.people.find_user(actor.user_id)
        if user is None:
            raise SessionEnded
        try:
            password = _checked(change.new, user, self.policy)
        except DomainError as refusal:
            raise told_at("/newPassword", refusal) from None
        if password == current:
            message = "This is the present password"
            raise PasswordRefused(message, problems=(FieldProblem("/newPassword", "unchanged", message),))
        return password


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOwnPassword:
    """Whoever is signed in may have their password checked, for a page that wants to be sure who sits there. A wrong
    one counts like a failed sign-in.
    """

    confirm_password: ConfirmPassword
    events: AuthEvents

    async def __call__(self, actor: Actor, password: str, visit: Visit) -> None:
        with telling(self.events, event_of(actor, AuthAct.PASSWORD_CONFIRMED)):
            await self.confirm_password(actor, password, visit, _right)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPasswordReset:
    """Whoever asks gets the same answer after the same work; only the mailbox learns whether there is an account."""

    transact: Transaction[AccountWork]
    events: AuthEvents

    async def __call__(self, email: str, visit: Visit) -> None:
        wanted = normalise_email(email)
        job = order_mail(MailKind.RESET_PASSWORD, email=wanted, door=visit.door, callback=visit.callback)
        event = AuthEvent(act=AuthAct.RESET_REQUESTED, account=account_of(email), portal=visit.portal)
        with telling(self.events, event):
            await self.transact(lambda work: work.enqueue(job))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword:
    """Whoever shows the link that was mailed to the account's address may set a password, once. Every session ends
    unless the door keeps them, the lockout ends as well, and the address is verified, unless that is a thing of its own
    at the door. Nobody is signed in by it, and the owner is told by mail.

    A link that is not good costs no hash, and a password that is refused leaves the link good.
    """

    transact: Transaction[AccountWork]
    people: AuthReader
    hasher: PasswordHasher
    policy: AuthPolicy
    events: AuthEvents
    keep_sessions: bool = False
    proves_address: bool = True

    async def __call__(self, token: str, new_password: str, visit: Visit) -> None:
        with telling(self.events, AuthEvent(act=AuthAct.PASSWORD_RESET, portal=visit.portal)) as record:
            token_hash = link_hash(token)
            _, owner = await _find_link(self.people, token_hash, visit)
            record.named(owner)
            await self._reset(owner, token_hash, new_password, visit)

    async def _reset(self, owner: User, token_hash: bytes, new_password: str, visit: Visit) -> None:
        password_hash = await self.hasher.hash(_checked(new_password, owner, self.policy))
        aftermath: Aftermath[AccountWork, int] = KeepSessions() if self.keep_sessions else EndOthers()

        async def reset(work: AccountWork) -> int:
            # The person first, as in every change of an account, so that no two of them wait for each other.
            user = await work.hold_user(owner.id)
            link = await work.take_link(token_hash, SET_A_PASSWORD)
            if user is None or link is None or not (link.is_good(work.now) and _may_use(user, link.email, visit)):
                raise LinkInvalid
            if self.proves_address:
                user = replace(user, email_verified_at=user.email_verified_at or work.now)
            await work.clear_attempts([account_key(user.email)])
            renewal = Renewal(user=user, reason=SessionEnd.PASSWORD_RESET, visit=visit)
            return await renew_password(work, password_hash, renewal, aftermath)

        await self.transact(reset)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResetLink:
    """Whether a link that sets a password is still good can be asked before one is chosen. That uses nothing up."""

    transact: Transaction[AccountWork]
    people: AuthReader

    async def __call__(self, token: str, visit: Visit) -> None:
        """Refuses `LinkInvalid` as the use of the link would."""
        link, _ = await _find_link(self.people, link_hash(token), visit)

        async def judge(work: AccountWork) -> None:
            if not link.is_good(work.now):
                raise LinkInvalid

        await self.transact(judge)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveResetLink:
    """The operator hands somebody a link to set a password, where mail does not reach. It replaces the one that was
    mailed, is good for as long, and is on record.
    """

    transact: Transaction[AccountWork]
    source: TokenSource
    base_url: str

    async def __call__(self, email: str) -> str:
        wanted, token = normalise_email(email), self.source.new()

        async def give(work: AccountWork) -> Role:
            found = await work.find_user_by_email(wanted)
            user = None if found is None else await work.hold_user(found.id)
            if user is None or not user.is_alive:
                raise UserNotFound("Nobody who may sign in has this address")
            link = Link.new(user.id, LinkPurpose.RESET_PASSWORD, email=user.email, token=token, now=work.now)
            await work.put_link(link)
            await work.audit(AuditEntry(actor_id=None, action="user.reset_link_given", subject=user.id))
            return user.role

        return link_url(self.base_url, await self.transact(give), MailKind.RESET_PASSWORD, encode_token(token))


async def _find_link(people: AuthReader, token_hash: bytes, visit: Visit) -> tuple[Link, User]:
    """A link that was not used yet, with its person; whether it is too old is judged where it is used."""
    link = await people.find_link(token_hash, SET_A_PASSWORD)
    user = None if link is None else await people.find_user(link.owner_id)
    if link is None or user is None or not _may_use(user, link.email, visit):
        raise LinkInvalid
    return link, user


def _may_use(user: User, mailed_to: str, visit: Visit) -> bool:
    """A link is good for a living person who still has the address it was mailed to, at the portal of that person."""
    return user.is_alive and user.email == mailed_to and user.role is visit.portal


async def _right(_: User) -> bool:
    return True


def _checked(password: str, user: User, policy: AuthPolicy) -> str:
    return check_password(
        password, min_length=policy.min_length(user.role), email=user.email, name=user.name, username=user.username
    )
