"""Exams over HTTP: the rules that were frozen when a session began."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from domain.enrollment.settings import Navigation, OverduePolicy
from entrypoints.http.enrollment.settings_bodies import PackageScoringBody
from entrypoints.http.fields import MarkedBody, When


class ExamRulesBody(MarkedBody):
    """What the package said of its exams when the session began. It stays so, whatever becomes of the package."""

    time_limit_seconds: Annotated[int | None, Meta(description="Null: only the window ends the session")]
    window_opens_at: Annotated[When | None, Meta(description="From when on exams began; null: at any time")]
    window_closes_at: Annotated[When | None, Meta(description="When it ends at the latest; null: never")]
    window_extends: Annotated[bool, Meta(description="Whether extra time moves the end of the window too")]
    overdue_policy: OverduePolicy
    latency_seconds: Annotated[int, Meta(description="How long after the deadline what arrives still counts")]
    grace_seconds: Annotated[int, Meta(description="Under `grace`: how long it may still be handed in, late")]
    navigation: Navigation
    pause_allowed: Annotated[bool, Meta(description="Whether its student may pause it, where no time is running")]
    certainty: Annotated[bool, Meta(description="Whether answers say how sure one is")]
    scoring: PackageScoringBody
    allow_negative_total: Annotated[bool, Meta(description="Whether a total may be below 0")]
    cbm_official: Annotated[bool, Meta(description="Whether marks by certainty decide")]
    pass_mark: Annotated[Decimal, Meta(description="In percent, as a decimal string")]

    example: ClassVar[Mapping[str, Any]] = {
        "timeLimitSeconds": 5400,
        "windowOpensAt": None,
        "windowClosesAt": "2026-03-02T18:00:00Z",
        "windowExtends": False,
        "overduePolicy": "auto_submit",
        "latencySeconds": 60,
        "graceSeconds": 86_400,
        "navigation": "free",
        "pauseAllowed": False,
        "certainty": False,
        "scoring": PackageScoringBody.example,
        "allowNegativeTotal": False,
        "cbmOfficial": False,
        "passMark": "70",
    }
