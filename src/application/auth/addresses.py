"""E-mail addresses: proving that one receives mail there, and moving to another one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from application.auth.events import AuthAct, AuthEvent, account_of
from application.auth.opening import Visit
from application.auth.policy import AuthPolicy
from application.auth.ports import AccountWork, AuthEvents, AuthReader, TokenSource
from application.auth.proving import ConfirmPassword, event_of, fresh_session, hold_unchanged
from application.auth.telling import telling
from application.mail import MailKind, order_mail
from application.ports import AuditEntry, Transaction
from domain.auth.links import Link, LinkInvalid, LinkPurpose, link_hash
from domain.auth.people import Actor, User, normalise_email
from domain.errors import FieldProblem, InvalidInput

PROVE_AN_ADDRESS = (LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL)
# What was mailed to an address is worthless once its person has another one.
_MAILED_TO_THE_OLD = (LinkPurpose.VERIFY_EMAIL, LinkPurpose.RESET_PASSWORD, LinkPurpose.SET_PASSWORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendVerification:
    """Whoever asks gets the same answer after the same work; only the mailbox learns whether there is an account."""

    transact: Transaction[AccountWork]
    events: AuthEvents

    async def __call__(self, email: str, visit: Visit) -> None:
        wanted = normalise_email(email)
        job = order_mail(MailKind.VERIFY_EMAIL, email=wanted, door=visit.door, callback=visit.callback)
        event = AuthEvent(act=AuthAct.VERIFICATION_REQUESTED, account=account_of(email), portal=visit.portal)
        with telling(self.events, event):
            await self.transact(lambda work: work.enqueue(job))


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEmail:
    """Whoever shows the link that was mailed to an address receives mail there: it is verified, or becomes the address
    of the account if that was asked for. The link is good once, at the portal of its person.
    """

    transact: Transaction[AccountWork]
    people: AuthReader
    events: AuthEvents

    async def __call__(self, token: str, visit: Visit) -> None:
        with telling(self.events, AuthEvent(act=AuthAct.EMAIL_VERIFIED, portal=visit.portal)) as record:
            token_hash = link_hash(token)
            found = await self.people.find_link(token_hash, PROVE_AN_ADDRESS)
            if found is None:
                raise LinkInvalid
            if found.purpose is LinkPurpose.CHANGE_EMAIL:
                record.event = replace(record.event, act=AuthAct.EMAIL_CHANGED)
            record.named(await self._use(found.owner_id, token_hash, visit))

    async def _use(self, owner_id: str, token_hash: bytes, visit: Visit) -> User:
        async def verify(work: AccountWork) -> User:
            # The person first, as in every change of an account, so that no two of them wait for each other.
            user = await work.hold_user(owner_id)
            link = await work.take_link(token_hash, PROVE_AN_ADDRESS)
            return await prove_address(work, user, link, visit)

        return await self.transact(verify)


async def prove_address(work: AccountWork, user: User | None, link: Link | None, visit: Visit) -> User:
    """What a link does that was taken, for its person who is held: the person as they are now."""
    if user is None or not user.is_alive or user.role is not visit.portal:
        raise LinkInvalid
    if link is None or link.owner_id != user.id or not link.is_good(work.now):
        raise LinkInvalid
    return await (_move if link.purpose is LinkPurpose.CHANGE_EMAIL else _verify)(work, user, link)


async def _verify(work: AccountWork, user: User, link: Link) -> User:
    if link.email != user.email:
        raise LinkInvalid
    verified = replace(user, email_verified_at=user.email_verified_at or work.now, updated_at=work.now)
    await work.save_user(verified)
    return verified


async def _move(work: AccountWork, user: User, link: Link) -> User:
    moved = replace(user, email=link.email, email_verified_at=work.now, updated_at=work.now)
    await work.save_user(moved)
    await work.drop_links(user.id, _MAILED_TO_THE_OLD)
    await work.enqueue(order_mail(MailKind.EMAIL_CHANGED, user_id=user.id, email=user.email))
    await work.audit(
        AuditEntry(
            actor_id=user.id,
            action="user.email_changed",
            subject=user.id,
            before={"email": user.email},
            after={"email": moved.email},
        )
    )
    return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """Where somebody wants to be reached from now on, and the proof of who asks."""

    new_email: str
    current_password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEmail:
    """Whoever signed in lately and knows the password may move to another address; a link to that address completes it.
    The old address is told at once. Whether the new one belongs to another account already is not told to anybody.

    What was asked for is a link that nobody knows; only while it is there does the mail bring one that is good. So
    whatever drops the link also stops a mail that has not gone out yet.
    """

    transact: Transaction[AccountWork]
    source: TokenSource
    confirm_password: ConfirmPassword
    policy: AuthPolicy
    events: AuthEvents

    async def __call__(self, actor: Actor, change: AddressChange, visit: Visit) -> None:
        with telling(self.events, event_of(actor, AuthAct.EMAIL_CHANGE_REQUESTED)):
            await self._change(actor, change, visit)

    async def _change(self, actor: Actor, change: AddressChange, visit: Visit) -> None:
        new_email, unknown = new_address(change.new_email), self.source.new()
        # Before the password: somebody who has to sign in again anyway is not counted as a guesser.
        await self.transact(lambda work: fresh_session(work, actor, self.policy))

        async def order(proven: User) -> bool | None:
            refuse_same(proven, new_email)

            async def write(work: AccountWork) -> bool | None:
                user = await hold_unchanged(work, actor, proven)
                if user is None:
                    return None
                await ask_to_move(work, user, new_email, unknown, visit)
                return True

            return await self.transact(write)

        await self.confirm_password(actor, change.current_password, visit, order)


async def ask_to_move(work: AccountWork, user: User, new_email: str, unknown: bytes, visit: Visit) -> None:
    """Puts it on record that a person who is held wants another address, and tells both addresses by mail."""
    await work.put_link(Link.new(user.id, LinkPurpose.CHANGE_EMAIL, email=new_email, token=unknown, now=work.now))
    await work.enqueue(
        order_mail(
            MailKind.CHANGE_EMAIL,
            user_id=user.id,
            email=new_email,
            door=visit.door,
            callback=visit.callback,
        )
    )
    await work.enqueue(order_mail(MailKind.EMAIL_CHANGING, user_id=user.id, email=user.email))


def new_address(text: str) -> str:
    """The address to move to; refuses what cannot receive mail."""
    try:
        return normalise_email(text)
    except InvalidInput as refusal:
        raise _wrong_address("invalid_email", refusal.detail) from None


def refuse_same(user: User, new_email: str) -> None:
    """Refuses the address that the account has already."""
    if user.email == new_email:
        raise _wrong_address("unchanged", "This is the address of the account already")


def _wrong_address(code: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=(FieldProblem("/newEmail", code, message),))
