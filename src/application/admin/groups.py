"""Session groups: people who share a session limit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from application.admin.auditing import act, require_admin
from application.admin.limit_ports import GroupWork, LimitReader, LimitSubject
from application.admin.limit_views import GroupView, MemberView
from application.admin.limits import Enforced, EnforceLimits, enforcement, limit_facts, replace_limit
from application.ports import IdGenerator, Transaction
from domain.auth.limits import (
    Limit,
    SessionGroup,
    SessionGroupMemberNotFound,
    SessionGroupNotFound,
    WhenFull,
    normalise_group_name,
)
from domain.auth.people import Actor, Facts, UserNotFound
from domain.errors import FieldProblem, InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroup:
    """A group as it is to be made."""

    name: str
    limit: Limit | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """What is to change about a group's limit; nothing that is not named. `undefine` takes it away."""

    max_sessions: int | None = None
    undefine: bool = False
    when_full: WhenFull | None = None

    def of(self, limit: Limit | None) -> Limit | None:
        """The limit after the change; refuses to say what happens at the limit where there is none."""
        if self.undefine:
            return None
        max_sessions = self.max_sessions or (limit.max_sessions if limit else None)
        if max_sessions is not None:
            kept = limit.when_full if limit else WhenFull.EVICT_OLDEST
            return Limit(max_sessions=max_sessions, when_full=self.when_full or kept)
        if self.when_full is not None:
            message = "The group defines no limit that could be full"
            raise InvalidInput(message, problems=(FieldProblem("/whenFull", "no_limit", message),))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """What is to change about a group, and why."""

    name: str | None = None
    limit: LimitChange = LimitChange()
    enforce_now: bool = False
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.name is None and self.limit == LimitChange() and not self.enforce_now:
            raise InvalidInput("Nothing is to be changed: name one of name, limit, whenFull and enforceNow")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup:
    """An administrator makes a group under a name that no other has."""

    transact: Transaction[GroupWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, new: NewGroup) -> GroupView:
        require_admin(actor)
        group_id, name = self.ids.new("sgr"), normalise_group_name(new.name)

        async def create(work: GroupWork) -> GroupView:
            group = SessionGroup(id=group_id, name=name, created_at=work.now, updated_at=work.now)
            await work.add_group(group)
            await replace_limit(work, LimitSubject.group(group.id), new.limit)
            after = _facts(group, new.limit)
            await work.audit(act("session_group.created", group.id, by=actor, after=after, reason=new.reason))
            return GroupView.of(group, new.limit, 0)

        return await self.transact(create)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    """An administrator renames a group or changes its limit.

    The limit acts at the next sign-in or refresh of the members; enforced, sessions that are too many end at once.
    """

    transact: Transaction[GroupWork]
    enforce: EnforceLimits

    async def __call__(self, actor: Actor, group_id: str, change: GroupChange) -> tuple[GroupView, Enforced]:
        require_admin(actor)
        name = None if change.name is None else normalise_group_name(change.name)

        async def apply(work: GroupWork) -> GroupView:
            group = await work.hold_group(group_id)
            if group is None:
                raise SessionGroupNotFound
            return await _change(work, actor, group, name or group.name, change)

        view = await self.transact(apply)
        if not change.enforce_now:
            return view, Enforced()
        return view, await self.enforce(actor, LimitSubject.group(group_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteGroup:
    """An administrator deletes a group: its limit counts no more for those who were in it."""

    transact: Transaction[GroupWork]

    async def __call__(self, actor: Actor, group_id: str, reason: str | None = None) -> None:
        require_admin(actor)

        async def delete(work: GroupWork) -> None:
            group = await work.hold_group(group_id)
            if group is None:
                raise SessionGroupNotFound
            members = await work.count_members(group_id)
            limit = await replace_limit(work, LimitSubject.group(group_id), None)
            await work.drop_group(group_id)
            before = {**_facts(group, limit), "member_count": members}
            await work.audit(act("session_group.deleted", group_id, by=actor, before=before, reason=reason))

        await self.transact(delete)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Somebody who is in the group, and whether this put them there."""

    member: MemberView
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMember:
    """An administrator puts somebody into a group; who is in it already stays as they are."""

    transact: Transaction[GroupWork]

    async def __call__(self, actor: Actor, group_id: str, user_id: str, reason: str | None = None) -> Added:
        require_admin(actor)

        async def add(work: GroupWork) -> Added:
            user = await work.hold_user(user_id)
            if await work.find_group(group_id) is None:
                raise SessionGroupNotFound
            if user is None or user.deleted_at is not None:
                raise UserNotFound
            known = await work.find_member(group_id, user_id)
            if known is not None:
                return Added(member=known, created=False)
            await work.add_member(group_id, user_id, work.now)
            after = {"user_id": user_id}
            await work.audit(act("session_group.member_added", group_id, by=actor, after=after, reason=reason))
            member = await work.find_member(group_id, user_id)
            assert member is not None
            return Added(member=member, created=True)

        return await self.transact(add)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMember:
    """An administrator takes somebody, deleted or not, out of a group."""

    transact: Transaction[GroupWork]

    async def __call__(self, actor: Actor, group_id: str, user_id: str, reason: str | None = None) -> None:
        require_admin(actor)

        async def remove(work: GroupWork) -> None:
            if await work.find_group(group_id) is None:
                raise SessionGroupNotFound
            if not await work.remove_member(group_id, user_id):
                raise SessionGroupMemberNotFound
            before = {"user_id": user_id}
            await work.audit(act("session_group.member_removed", group_id, by=actor, before=before, reason=reason))

        await self.transact(remove)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMembers:
    """An administrator sees who is in a group."""

    limits: LimitReader

    async def __call__(self, group_id: str, *, after: str | None, limit: int) -> tuple[MemberView, ...]:
        found = await self.limits.members(group_id, after=after, limit=limit)
        if found is None:
            raise SessionGroupNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ListGroupsOfUser:
    """An administrator sees which groups a person is in."""

    limits: LimitReader

    async def __call__(self, user_id: str, *, after: str | None, limit: int) -> tuple[GroupView, ...]:
        found = await self.limits.groups_of(user_id, after=after, limit=limit)
        if found is None:
            raise UserNotFound
        return found


async def _change(work: GroupWork, actor: Actor, group: SessionGroup, name: str, change: GroupChange) -> GroupView:
    subject = LimitSubject.group(group.id)
    before = await work.hold_limit(subject)
    limit = change.limit.of(before)
    is_same = (name, limit) == (group.name, before)
    changed = group if is_same else replace(group, name=name, updated_at=work.now)
    if not is_same:
        await work.save_group(changed)
        await replace_limit(work, subject, limit)
    if not is_same or change.enforce_now:
        action = "session_group.limit_enforced" if is_same else "session_group.changed"
        was, became = _facts(group, before), {**_facts(changed, limit), "enforce_now": change.enforce_now}
        await work.audit(act(action, group.id, by=actor, before=was, after=became, reason=change.reason))
    if change.enforce_now:
        await work.enqueue(enforcement(subject, keep=actor.session_id))
    return GroupView.of(changed, limit, await work.count_members(group.id))


def _facts(group: SessionGroup, limit: Limit | None) -> Facts:
    return {"name": group.name, **limit_facts(limit)}
