"""What a student has come to, over HTTP, conversation by conversation."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from litestar import Router

from entrypoints.http.progress import calibration, estimates, flags, history, profile, study_days

_CONVERSATIONS: Sequence[ModuleType] = (profile, study_days, flags, history, estimates, calibration)
handlers = [Router("/", route_handlers=[each for part in _CONVERSATIONS for each in part.handlers], tags=["progress"])]
