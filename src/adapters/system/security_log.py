"""Security events as lines of the log `ace.security`, so that an operator can send them somewhere else."""

from __future__ import annotations

import logging
from typing import Final

from application.auth.events import AuthEvent
from application.auth.ports import AuthEvents
from application.request_context import request_context
from domain.auth.sessions import MAX_USER_AGENT_LENGTH

LOGGER: Final = "ace.security"
_log = logging.getLogger(LOGGER)


class SecurityLog(AuthEvents):
    """One line for each event, with its parts in the `fields` of the record: no client has a word in its message."""

    def record(self, event: AuthEvent) -> None:
        request = request_context.get()
        parts = {
            "event": event.act.value,
            "outcome": event.outcome.value,
            "userId": event.user_id,
            "account": event.account,
            "sessionId": event.session_id,
            "portal": event.portal and event.portal.value,
            "ip": request.ip,
            "userAgent": _printable(request.user_agent or ""),
        }
        fields = {name: value for name, value in parts.items() if value}
        _log.info("%s %s", event.act.value, event.outcome.value, extra={"fields": fields})


def _printable(user_agent: str) -> str:
    """JSON escapes the ends of lines that it knows; programs that read logs know more of them."""
    return "".join(each if each.isprintable() else "\ufffd" for each in user_agent[:MAX_USER_AGENT_LENGTH])
