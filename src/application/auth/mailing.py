"""Mail about accounts: who gets it, the one-time link that it brings, and how much of it anybody gets."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit

from application.auth.mailed_links import MailedLink, MailedLinks, Occasion, brings_link, door_of_link
from application.auth.ports import MailWork
from application.jobs import Payload
from application.mail import Mail, Mailer, MailKind, MailNotSent, MailOrder
from application.ports import Transaction
from domain.auth.links import Link, LinkPurpose
from domain.auth.people import NO_PASSWORD, Role, User
from domain.auth.sessions import Door
from domain.auth.throttling import Admission, Quota

PER_PERSON_AND_KIND = Quota(name="mail", limit=5, window=timedelta(hours=1))

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who gets which mail: `owner_id` is the person or the invitation that it concerns, `counter` what counts it,
    `account` the address that the person has, `door` where its link is used.
    """

    kind: MailKind
    owner_id: str
    counter: str
    role: Role
    to: str = field(repr=False)
    account: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    door: Door = Door.PORTAL
    callback: str | None = None

    @property
    def counter_key(self) -> str:
        return f"{self.counter}:{self.kind}:{self.owner_id}"

    @property
    def occasion(self) -> Occasion:
        return Occasion(
            kind=self.kind,
            owner_id=self.owner_id,
            role=self.role,
            to=self.to,
            account=self.account,
            callback=self.callback,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A mail that may go out, with the link that it brings if it brings one."""

    envelope: Envelope
    link: MailedLink | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverMail:
    """Mail goes to living, enabled people and open invitations; who is unknown gets none, and nobody is told so.

    Its link is made now, as the door spells it that it was asked for at, and its hash committed before it is sent, so
    that no token is ever stored; if sending fails, the next attempt makes a new link that replaces this one. Nobody
    gets more links of one kind than `quota` allows; what anybody may order who knows an address is counted apart, so
    that it keeps nothing else from its person.
    """

    transact: Transaction[MailWork]
    mailer: Mailer
    portal_links: MailedLinks
    cookie_door_links: MailedLinks
    base_url: str
    quota: Quota = PER_PERSON_AND_KIND

    async def __call__(self, payload: Payload) -> None:
        order = MailOrder.of(payload)

        async def prepare(work: MailWork) -> Prepared | Envelope | None:
            envelope = await _address(work, order)
            if envelope is None:
                return None
            if not await self._take(work, envelope):
                return envelope
            link = self._new_link(work, envelope)
            if link is not None and not await _keep_link(work, link.kept):
                await self._give_back(work, envelope)
                return None
            return Prepared(envelope=envelope, link=link)

        prepared = await self.transact(prepare)
        if isinstance(prepared, Prepared):
            await self._send(prepared)
        elif prepared is not None:
            _log.warning("a %s mail was not sent: its quota is used up", prepared.kind)

    async def _send(self, prepared: Prepared) -> None:
        envelope = prepared.envelope
        try:
            await self.mailer.send(self._written(envelope, prepared.link))
        except MailNotSent as error:
            _log.warning("a %s mail did not go out and is tried again: %s", envelope.kind, error)
            await self.transact(lambda work: self._give_back(work, envelope))
            raise

    def _written(self, envelope: Envelope, link: MailedLink | None) -> Mail:
        notice = Mail(
            kind=envelope.kind,
            to=envelope.to,
            name=envelope.name,
            portal=envelope.role.value,
            site=urlsplit(self.base_url).netloc,
        )
        if link is None:
            return notice
        return replace(notice, url=link.url, token=link.token, life=link.life, used_once=link.used_once)

    def _new_link(self, work: MailWork, envelope: Envelope) -> MailedLink | None:
        if not brings_link(envelope.kind):
            return None
        links = self.cookie_door_links if envelope.door is Door.COOKIE else self.portal_links
        return links.new(envelope.occasion, work.now)

    async def _take(self, work: MailWork, envelope: Envelope) -> bool:
        """Counts this mail, if one more may be sent. Notices are not counted: every change is told, and nobody else
        can bring one about.
        """
        if not brings_link(envelope.kind):
            return True
        key = envelope.counter_key
        counter = self.quota.current((await work.hold_attempts([key]))[key], work.now)
        if self.quota.admits(counter, work.now) is not Admission.ADMITTED:
            return False
        await work.keep_attempts([self.quota.taken(counter, work.now)])
        return True

    async def _give_back(self, work: MailWork, envelope: Envelope) -> None:
        """A mail that did not go out does not count, or a mail server that is away would use up everybody's quota."""
        if not brings_link(envelope.kind):
            return
        key = envelope.counter_key
        counter = self.quota.current((await work.hold_attempts([key]))[key], work.now)
        await work.keep_attempts([self.quota.given_back(counter)])


async def _keep_link(work: MailWork, link: Link) -> bool:
    """Stores the link that the mail brings; False if its person has stopped it by now."""
    if link.purpose is LinkPurpose.CHANGE_EMAIL:
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
    may_go_elsewhere = order.kind is MailKind.CHANGE_EMAIL or not brings_link(order.kind)
    to = order.email if may_go_elsewhere and order.email is not None else user.email
    proved = to == user.email and user.email_verified_at is not None
    kind = _kind_for(user, order.kind)
    return Envelope(
        kind=kind,
        owner_id=user.id,
        counter="mail-by-address" if order.user_id is None else "mail",
        role=user.role,
        to=to,
        account=user.email,
        name=user.name if proved else "",
        door=door_of_link(kind, user.role, order.door),
        callback=order.callback,
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
