"""What should become of one student's enrolments in one package, told without rows that replace each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from domain.enrollment.packages import Tier
from tests.support.enrollment_builders import ALL_TIERS, STANDARD

TIERS: Final = {tier.id: tier for tier in ALL_TIERS}
UNSAID: Final = "as the tier says"
# When it is to end: not said, for good, or in so many days.
Term = str | int | None


@dataclass(kw_only=True)
class Stretch:
    """From when until when, in which tier, and what it ended by."""

    tier: str
    since: datetime
    until: datetime | None
    ended: datetime | None = None
    reason: str | None = None


@dataclass(kw_only=True)
class Studies:
    """One student; every method answers with the refusal's code, or None. `acts` are what the audit log has to tell."""

    stretches: list[Stretch] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)

    def running(self, now: datetime) -> Stretch | None:
        """Ends what is over first."""
        for stretch in self.stretches:
            if stretch.ended is None and stretch.until is not None and stretch.until <= now:
                stretch.ended, stretch.reason = stretch.until, "expired"
        return next((stretch for stretch in self.stretches if stretch.ended is None), None)

    def enroll(self, tier_id: str | None, now: datetime) -> str | None:
        running, tier = self.running(now), TIERS.get(tier_id or STANDARD.id)
        if running and tier and running.tier == tier.id:
            return None
        refusal = _not_chosen(tier)
        if refusal is None and running:
            return "enrollment.exists"
        if refusal is None and tier:
            return self._come_to(tier, now)
        return refusal

    def upgrade(self, tier_id: str, now: datetime) -> str | None:
        running, tier = self.running(now), TIERS.get(tier_id)
        if running is None:
            return "enrollment.not_found"
        if tier and running.tier == tier.id:
            return None
        refusal = _not_chosen(tier)
        if refusal or tier is None:
            return refusal
        if tier.rank <= TIERS[running.tier].rank:
            return "enrollment.not_an_upgrade"
        if self._left(tier, now) == timedelta(0):
            return "enrollment.access_used_up"
        running.ended, running.reason = now, "tier_change"
        return self._come_to(tier, now)

    def cancel(self, now: datetime, reason: str = "cancelled") -> str | None:
        running = self.running(now)
        if running is None:
            return "enrollment.not_found"
        running.ended, running.reason = now, reason
        self.acts += ["enrollment.ended"] if reason == "admin" else []
        return None

    def admit(self, tier_id: str | None, term: Term, now: datetime) -> str | None:
        running, tier = self.running(now), TIERS.get(tier_id or STANDARD.id)
        if tier is None:
            return "enrollment.tier_unknown"
        if running:
            as_it_is = running.tier == tier.id and (term == UNSAID or _until(tier, now, term) == running.until)
            return None if as_it_is else "enrollment.exists"
        if _is_over(term):
            return "request.invalid"
        self._begin(tier, now, term)
        self.acts.append("enrollment.created")
        return None

    def change(self, tier_id: str | None, term: Term, now: datetime) -> str | None:
        if tier_id is None and term == UNSAID:
            return "request.invalid"
        running = self.running(now)
        if running is None:
            return "enrollment.not_found"
        tier = TIERS.get(tier_id or running.tier)
        if tier is None:
            return "enrollment.tier_unknown"
        if tier.id == running.tier and (term == UNSAID or _until(tier, now, term) == running.until):
            return None
        if _is_over(term):
            return "request.invalid"
        self._replace(running, tier, now, term)
        self.acts.append("enrollment.changed")
        return None

    def _come_to(self, tier: Tier, now: datetime) -> str | None:
        """Of their own accord: with the days that are left of those that the tier gives once."""
        left = self._left(tier, now)
        if left == timedelta(0):
            return "enrollment.access_used_up"
        self.stretches.append(Stretch(tier=tier.id, since=now, until=None if left is None else now + left))
        return None

    def _left(self, tier: Tier, now: datetime) -> timedelta | None:
        """An end that was told last and is still to come holds, whoever named it."""
        before = [stretch for stretch in self.stretches if stretch.tier == tier.id]
        told = before[-1].until if before else None
        if told is not None and told > now:
            return told - now
        if tier.access_days is None:
            return None
        spent = now - before[0].since if before else timedelta(0)
        return max(timedelta(days=tier.access_days) - spent, timedelta(0))

    def _replace(self, running: Stretch, tier: Tier, now: datetime, term: Term) -> None:
        running.ended, running.reason = now, "admin" if running.tier == tier.id else "tier_change"
        self._begin(tier, now, term)

    def _begin(self, tier: Tier, now: datetime, term: Term) -> None:
        self.stretches.append(Stretch(tier=tier.id, since=now, until=_until(tier, now, term)))


def _not_chosen(tier: Tier | None) -> str | None:
    if tier is None or not tier.active:
        return "enrollment.tier_unknown"
    return None if tier.self_service else "enrollment.tier_not_self_service"


def _until(tier: Tier, now: datetime, term: Term) -> datetime | None:
    days = tier.access_days if term == UNSAID else term
    return now + timedelta(days=days) if isinstance(days, int) else None


def _is_over(term: Term) -> bool:
    return isinstance(term, int) and term <= 0
