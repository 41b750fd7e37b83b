"""Exams over HTTP, conversation by conversation."""

from __future__ import annotations

from typing import Any

from litestar import Router

from entrypoints.http.exam import (
    accommodations,
    authorising,
    flags,
    interventions,
    monitor,
    oversight,
    regrading,
    results,
    sitting,
    starting,
    statistics,
    suggestions,
)

_CONVERSATIONS: tuple[Any, ...] = (
    monitor,
    starting,
    authorising,
    sitting,
    results,
    oversight,
    interventions,
    regrading,
    flags,
    accommodations,
    statistics,
    suggestions,
)
handlers = [Router("/", route_handlers=[each for part in _CONVERSATIONS for each in part.handlers], tags=["exams"])]
