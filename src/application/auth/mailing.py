"""Mail about accounts: who gets it, the one-time link that it brings, and how much of it anybody gets."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit

from application.auth.ports import MailWork, TokenSource
from application.jobs import Payload
from application.mail import Mail, Mailer, MailKind, MailNotSent, MailOrder
from application.ports import Transaction
from domain.auth.links import Link, LinkPurpose
from domain.auth.people import NO_PASSWORD, Role, User
from domain.auth.refresh import encode_token
from domain.auth.throttling import Admission, Quota

# What a link is good for and the page of the portal that uses it. A kind that is not here is a notice, without a link.
_LINKS = {
    MailKind.VERIFY_EMAIL: (LinkPurpose.VERIFY_EMAIL, "verify-email"),
    MailKind.CHANGE_EMAIL: (LinkPurpose.CHANGE_EMAIL, "change-email"),
    MailKind.RESET_PASSWORD: (LinkPurpose.RESET_PASSWORD, "reset-password"),
    MailKind.SET_PASSWORD: (LinkPurpose.SET_PASSWORD, "set-password"),
    MailKind.INVITATION: (LinkPurpose.INVITATION, "register"),
}

PER_PERSON_AND_KIND = Quota(name="mail", limit=5, window=timedelta(hours=1))

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who gets which mail: `owner_id` is the person or the invitation that it concerns, `counter` what counts it."""

    kind: MailKind
    owner_id: str
    counter: str
    role: Role
    to: str = field(repr=False)
    name: str = field(default="", repr=False)

    @property
    def counter_key(self) -> str:
        return f"{self.counter}:{self.kind}:{self.owner_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverMail:
    """Mail goes to living, enabled people and open invitations; who is unknown gets none, and nobody is told so.

    Its link is made now and its hash committed before it is sent, so that no token is ever stored; if sending fails,
    the next attempt makes a new link that replaces this one. Nobody gets more links of one kind than `quota` allows;
    what anybody may order who knows an address is counted apart, so that it keeps nothing else from its person.
    """

    transact: Transaction[MailWork]
    source: TokenSource
    mailer: Mailer
    base_url: str
    quota: Quota = PER_PERSON_AND_KIND

    async def __call__(self, payload: Payload) -> None:
        order, token = MailOrder.of(payload), self.source.new()

        async def prepare(work: MailWork) -> tuple[Envelope, bool] | None:
            envelope = await _address(work, order)
            if envelope is None:
                return None
            admitted = await self._take(work, envelope)
            if admitted and not await _keep_link(work, envelope, token):
                await self._give_back(work, envelope)
                return None
            return envelope, admitted

        prepared = await self.transact(prepare)
        if prepared is None:
            return
        envelope, admitted = prepared
        if admitted:
            await self._send(envelope, token)
        else:
            _log.warning("a %s mail was not sent: its quota is used up", envelope.kind)

    async def _send(self, envelope: Envelope, token: bytes) -> None:
        try:
            await self.mailer.send(self._written(envelope, encode_token(token)))
        except MailNotSent as error:
            _log.warning("a %s mail did not go out and is tried again: %s", envelope.kind, error)
            await self.transact(lambda work: self._give_back(work, envelope))
            raise

    def _written(self, envelope: Envelope, token: str) -> Mail:
        notice = Mail(
            kind=envelope.kind,
            to=envelope.to,
            name=envelope.name,
            portal=envelope.role.value,
            site=urlsplit(self.base_url).netloc,
        )
        if envelope.kind not in _LINKS:
            return notice
        purpose, _ = _LINKS[envelope.kind]
        url = link_url(self.base_url, envelope.role, envelope.kind, token)
        return replace(notice, url=url, token=token, life=purpose.life)

    async def _take(self, work: MailWork, envelope: Envelope) -> bool:
        """Counts this mail, if one more may be sent. Notices are not counted: every change is told, and nobody else
        can bring one about.
        """
        if envelope.kind not in _LINKS:
            return True
        key = envelope.counter_key
        counter = self.quota.current((await work.hold_attempts([key]))[key], work.now)
        if self.quota.admits(counter, work.now) is not Admission.ADMITTED:
            return False
        await work.keep_attempts([self.quota.taken(counter, work.now)])
        return True

    async def _give_back(self, work: MailWork, envelope: Envelope) -> None:
        """A mail that did not go out does not count, or a mail server that is away would use up everybody's quota."""
        if envelope.kind not in _LINKS:
            return
        key = envelope.counter_key
        counter = self.quota.current((await work.hold_attempts([key]))[key], work.now)
        await work.keep_attempts([self.quota.given_back(counter)])


def link_url(base_url: str, portal: Role, kind: MailKind, token: str) -> str:
    """The address of the page at the portal that uses the link."""
    _, page = _LINKS[kind]
    # In the fragment, which browsers keep to themselves: no server and no log on the way sees the token.
    return f"{base_url}/{portal}/{page}#token={token}"


async def _keep_link(work: MailWork, envelope: Envelope, token: bytes) -> bool:
    """Stores the link that the mail brings, if it brings one; False if its person has stopped it by now."""
    if envelope.kind not in _LINKS:
        return True
    purpose, _ = _LINKS[envelope.kind]
    link = Link.new(envelope.owner_id, purpose, email=envelope.to, token=token, now=work.now)
    if purpose is LinkPurpose.CHANGE_EMAIL:
        # It goes to an address that is not the account's, so it must still be wanted: see `ChangeEmail`.
        return await work.renew_link(link)
    await work.put_link(link)
    return True


async def _address(work: MailWork, order: MailOrder) -> Envelope | None:
    """Who gets what is ordered; None if there is nobody, or nothing to tell any more."""
    if order.kind is MailKind.INVITATION:
        return await _to_the_invited(work, order.invitation_id or "")
    user = await _hold_concerned(work, order)
    if user is None or not user.is_alive:
        return None
    if order.kind is MailKind.CHANGE_EMAIL and await work.find_user_by_email(order.email or "") is not None:
        return None
    if order.kind is MailKind.VERIFY_EMAIL and user.email_verified_at is not None:
        return None
    # Only what cannot open the account, or is to prove another address, ever goes elsewhere than to the person's own.
    may_go_elsewhere = order.kind is MailKind.CHANGE_EMAIL or order.kind not in _LINKS
    to = order.email if may_go_elsewhere and order.email is not None else user.email
    proved = to == user.email and user.email_verified_at is not None
    return Envelope(
        kind=_kind_for(user, order.kind),
        owner_id=user.id,
        counter="mail-by-address" if order.user_id is None else "mail",
        role=user.role,
        to=to,
        name=user.name if proved else "",
    )


async def _to_the_invited(work: MailWork, invitation_id: str) -> Envelope | None:
    invitation = await work.hold_invitation(invitation_id)
    if invitation is None or not invitation.is_open(work.now):
        return None
    return Envelope(
        kind=MailKind.INVITATION, owner_id=invitation.id, counter="mail", role=invitation.role, to=invitation.email
    )


async def _hold_concerned(work: MailWork, order: MailOrder) -> User | None:
    if order.user_id is not None:
        return await work.hold_user(order.user_id)
    found = await work.find_user_by_email(order.email or "")
    return None if found is None else await work.hold_user(found.id)


def _kind_for(user: User, kind: MailKind) -> MailKind:
    """Who has no password yet is asked to set one, and who has one to reset it, whatever was ordered."""
    if kind not in (MailKind.RESET_PASSWORD, MailKind.SET_PASSWORD):
        return kind
    return MailKind.SET_PASSWORD if user.password_hash == NO_PASSWORD else MailKind.RESET_PASSWORD
