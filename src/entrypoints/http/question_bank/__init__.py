"""The question bank over HTTP, conversation by conversation."""

from __future__ import annotations

from litestar import Router

from entrypoints.http.question_bank import authoring, exports, imports, near_duplicates, papers, reading, taxonomy

_CONVERSATIONS = (taxonomy, reading, authoring, papers, imports, near_duplicates, exports)
handlers = [
    Router("/", route_handlers=[each for part in _CONVERSATIONS for each in part.handlers], tags=["question_bank"])
]
