"""Exam packages and enrolments over HTTP, conversation by conversation."""

from __future__ import annotations

from litestar import Router

from entrypoints.http.enrollment import administering, current, enrolling, packages, staff_packages, tiers

_CONVERSATIONS = (packages, staff_packages, tiers, enrolling, current, administering)
handlers = [
    Router("/", route_handlers=[each for part in _CONVERSATIONS for each in part.handlers], tags=["enrollment"])
]
