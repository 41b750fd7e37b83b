"""A claim to a session as parameters of the statement that asks whether it stands."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from application.auth.claimants import Claimant

_REMEMBERED: Final = 20_000


def claim_params(claim: Claimant | None) -> dict[str, Any]:
    """For `open_sessions`; all null where nothing is left to be asked."""
    if claim is None:
        return {"claim_session_id": None, "claim_role": None, "claim_from": None, "claim_until": None}
    return {
        "claim_session_id": claim.session_id,
        "claim_role": claim.role.value,
        "claim_from": _written(claim.valid_from),
        "claim_until": _written(claim.valid_until),
    }


@lru_cache(_REMEMBERED)
def _written(moment: datetime) -> str:
    """As PostgreSQL reads it. A claim is shown again and again, and its times are written once."""
    return str(moment)
