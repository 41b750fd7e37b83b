"""How often what may be asked for, as the settings say. Routes name their quota in `opt["quota"]`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from domain.auth.guessing import SIGN_IN_QUOTA, GuessingRules
from domain.auth.throttling import Quota
from entrypoints.settings import Settings

_MINUTE = timedelta(minutes=1)
_TEN_MINUTES = timedelta(minutes=10)
_LINKS_PER_MINUTE = 60
_IMPORTS_PER_MINUTE = 120


def guessing_rules(settings: Settings) -> GuessingRules:
    """How many passwords may be guessed."""
    by_address = Quota(name=SIGN_IN_QUOTA, limit=settings.sign_in_failures_per_minute, window=_MINUTE)
    return GuessingRules(address=by_address)


def quotas_of(settings: Settings) -> Mapping[str, Quota]:
    """The quotas of routes, by name."""
    found = (
        Quota(name="registration", limit=settings.registrations_per_ten_minutes, window=_TEN_MINUTES),
        Quota(name="mail-request", limit=settings.mail_requests_per_ten_minutes, window=_TEN_MINUTES),
        Quota(name="link", limit=_LINKS_PER_MINUTE, window=_MINUTE),
        Quota(name="import", limit=_IMPORTS_PER_MINUTE, window=_MINUTE),
    )
    return {quota.name: quota for quota in found}
