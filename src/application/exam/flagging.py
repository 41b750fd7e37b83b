"""Remarks of staff about a session."""

from __future__ import annotations

from dataclasses import dataclass

from application.exam.overseen import FlagView
from application.exam.ports.overseeing import OverseeWork
from application.exam.settling import hold
from application.ports import AuditEntry, IdGenerator, Transaction
from domain.auth.people import Actor
from domain.exam.flags import RESOLVED, Flag, resolution_of, type_of
from domain.question_bank.authority import require_admin


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSession:
    """An admin remarks something about a session, whatever state it is in. Remarks are never changed."""

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(
        self, actor: Actor, user_id: str, session_id: str, type_: str, note: str | None = None
    ) -> FlagView:
        require_admin(actor)
        about, said = type_of(type_), _said(note)

        async def add(work: OverseeWork) -> FlagView:
            await hold(work, lambda: self.ids.new("evt"), user_id, session_id)
            flag = Flag(
                user_id=user_id,
                session_id=session_id,
                id=self.ids.new("flg"),
                type=about,
                note=said,
                created_at=work.now,
                created_by=actor.user_id,
            )
            await work.add_flag(flag)
            await work.audit(_entry(actor, "flagged", flag, {"flag_id": flag.id, "type": about}))
            return FlagView.of(flag)

        return await self.transact(add)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveFlag:
    """An admin settles a remark by another one. Once settled it stays so: the first who did it stands."""

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(
        self, actor: Actor, user_id: str, session_id: str, flag_id: str, note: str | None = None
    ) -> FlagView:
        require_admin(actor)
        said = _said(note)

        async def settle(work: OverseeWork) -> FlagView:
            await hold(work, lambda: self.ids.new("evt"), user_id, session_id)
            flags = await work.flags(user_id, session_id)
            settled = resolution_of(flags, flag_id)
            flag = next(flag for flag in flags if flag.id == flag_id)
            if settled is None:
                settled = Flag(
                    user_id=user_id,
                    session_id=session_id,
                    id=self.ids.new("flg"),
                    type=RESOLVED,
                    note=said,
                    resolves=flag_id,
                    created_at=work.now,
                    created_by=actor.user_id,
                )
                await work.add_flag(settled)
                await work.audit(_entry(actor, "flag_resolved", settled, {"flag_id": flag_id, "type": flag.type}))
            return FlagView.of(flag, settled)

        return await self.transact(settle)


def _said(note: str | None) -> str | None:
    return (note or "").strip() or None


def _entry(actor: Actor, action: str, flag: Flag, after: dict[str, object]) -> AuditEntry:
    return AuditEntry(
        actor_id=actor.user_id,
        action=f"exam_session.{action}",
        subject=flag.session_id,
        after={"user_id": flag.user_id, **after},
        reason=flag.note,
    )
