"""The same about addresses at the cookie door, whose links say themselves what they are for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from application.auth.addresses import PROVE_AN_ADDRESS, ask_to_move, new_address, prove_address, refuse_same
from application.auth.events import AuthAct, AuthEvent
from application.auth.opening import CookieGrant, Opened, Opener, Visit
from application.auth.policy import AuthPolicy
from application.auth.ports import (
    AccountWork,
    AuthEvents,
    DoorWork,
    TokenSource,
    VerificationClaims,
    VerificationTokens,
)
from application.auth.proving import event_of, lately_signed_in
from application.auth.telling import telling
from application.auth.views import PersonView
from application.ports import Transaction
from domain.auth.limits import SessionLimitReached
from domain.auth.links import LinkExpired, LinkOfAnother, link_hash
from domain.auth.people import Actor, User, UserNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What became of an address: `verified` is false if it was verified before and nothing was done, `moved` true if it
    is another one than the account had. `grant` is the session that it opened, if it opened one.
    """

    person: PersonView
    verified: bool
    moved: bool = False
    grant: CookieGrant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAddress:
    """Whoever shows the link that was mailed to an address receives mail there, as `VerifyEmail` has it.

    A link that verifies an address may be followed again: it does nothing and succeeds while the address is verified.
    Where the installation wants it (`open_session`), a link that was good signs its person in, if they are not already.
    Where another site has led to it, whoever is signed in stays so: nobody becomes somebody else by a stranger's link.

    Refuses `LinkInvalid`, `LinkExpired`, `UserNotFound` when nobody has the address any more, `LinkOfAnother` when
    somebody else is signed in who asks for a change of address, and `EmailTaken`.
    """

    transact: Transaction[DoorWork]
    tokens: VerificationTokens
    events: AuthEvents
    open_session: Opener[Opened]

    async def __call__(self, token: str, visit: Visit, actor: Actor | None = None) -> Confirmed:
        with telling(self.events, AuthEvent(act=AuthAct.EMAIL_VERIFIED, portal=visit.portal)) as record:
            claims = self.tokens.read(token)
            if claims.update_to is not None:
                record.event = replace(record.event, act=AuthAct.EMAIL_CHANGED)
            confirmed = await self._confirm(token, claims, visit, actor)
            record.event = replace(record.event, user_id=confirmed.person.id)
            return confirmed

    async def _confirm(self, token: str, claims: VerificationClaims, visit: Visit, actor: Actor | None) -> Confirmed:
        token_hash, moves = link_hash(token), claims.update_to is not None

        async def confirm(work: DoorWork) -> Confirmed:
            user = await _hold_holder(work, claims)
            if moves and actor is not None and actor.user_id != user.id:
                raise LinkOfAnother
            if not moves and user.email_verified_at is not None:
                return Confirmed(person=PersonView.of(user), verified=False)
            link = await work.take_link(token_hash, PROVE_AN_ADDRESS)
            proven = await prove_address(work, user, link, visit)
            grant = await self._open(work, proven, visit, actor)
            return Confirmed(person=PersonView.of(proven), verified=True, moved=moves, grant=grant)

        return await self.transact(confirm)

    async def _open(self, work: DoorWork, user: User, visit: Visit, actor: Actor | None) -> CookieGrant | None:
        if actor is not None and (visit.foreign or actor.user_id == user.id):
            return None
        try:
            async with work.savepoint():
                opened = await self.open_session(work, user, visit)
                return opened if isinstance(opened, CookieGrant) else None
        except SessionLimitReached:
            # The address is verified all the same.
            return None


async def _hold_holder(work: DoorWork, claims: VerificationClaims) -> User:
    """The person who has the address that the token names, held. A token is judged before anybody is looked for."""
    if claims.expires_at <= work.now.timestamp():
        raise LinkExpired
    found = await work.find_user_by_email(claims.email)
    user = None if found is None else await work.hold_user(found.id)
    if user is None or user.email != claims.email or user.deleted_at is not None:
        raise UserNotFound
    return user


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEmailWhileFresh:
    """Whoever signed in lately through the cookie door may move to another address, without a password. Everything else
    is as `ChangeEmail` has it: a link to that address completes it, and the old address is told at once.
    """

    transact: Transaction[AccountWork]
    source: TokenSource
    policy: AuthPolicy
    events: AuthEvents

    async def __call__(self, actor: Actor, new_email: str, visit: Visit) -> None:
        with telling(self.events, event_of(actor, AuthAct.EMAIL_CHANGE_REQUESTED)):
            wanted, unknown = new_address(new_email), self.source.new()

            async def ask(work: AccountWork) -> None:
                user = await lately_signed_in(work, actor, self.policy)
                refuse_same(user, wanted)
                await ask_to_move(work, user, wanted, unknown, visit)

            await self.transact(ask)
