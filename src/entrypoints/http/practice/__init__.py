"""Practice over HTTP, conversation by conversation."""

from __future__ import annotations

from litestar import Router

from entrypoints.http.practice import oversight, sessions, staff_templates, templates

_CONVERSATIONS = (templates, staff_templates, sessions, oversight)
handlers = [Router("/", route_handlers=[each for part in _CONVERSATIONS for each in part.handlers], tags=["practice"])]
