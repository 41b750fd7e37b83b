"""A student's own badges."""

from __future__ import annotations

from dataclasses import dataclass

from application.progress.ports.profile import ProfileReader
from application.progress.profile_views import BadgesView
from domain.auth.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBadges:
    """Students see which badges they have earned, when and by what, and how far they are from the others."""

    profile_reader: ProfileReader

    async def __call__(self, actor: Actor) -> BadgesView:
        return await self.profile_reader.badges(actor.user_id)
