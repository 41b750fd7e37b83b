"""What anybody may ask the door: whether it is there, and what a link that failed has failed of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import urlencode

from entrypoints.http.better_auth.endpoint import Ask, Endpoint, Reply
from entrypoints.http.better_auth.tools import Tools

_CODE: Final = re.compile(r"['A-Za-z0-9_-]+")
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><title>Error</title></head>
<body>
<h1>Something went wrong</h1>
<p>Code: {code}</p>
{description}<p><a href="/">Go to the start page</a></p>
</body>
</html>
"""


def endpoints(tools: Tools) -> Sequence[Endpoint]:
    """GET /ok and GET /error."""

    async def show_error(ask: Ask) -> Reply:
        code, description = _code(ask), _first(ask, "error_description")
        if tools.settings.environment == "production":
            told = {"error": code} | ({"error_description": description} if description else {})
            return Reply(body=b"", status=302, media_type=None, headers=(("location", f"/?{urlencode(told)}"),))
        return Reply(body=error_page(code, description).encode(), media_type="text/html")

    return (
        Endpoint(path="/ok", methods=("GET",), run=_say_ok),
        Endpoint(path="/error", methods=("GET",), run=show_error),
    )


def error_page(code: str, description: str) -> str:
    """The page, where nothing of what came along is anything but text."""
    told = f"<p>{escape(description)}</p>\n" if description else ""
    return _PAGE.format(code=escape(code), description=told)


async def _say_ok(_: Ask) -> Reply:
    return Reply(body={"ok": True})


def _code(ask: Ask) -> str:
    code = _first(ask, "error")
    return code if _CODE.fullmatch(code) else "UNKNOWN"


def _first(ask: Ask, name: str) -> str:
    """The text of a parameter, the first where it came several times."""
    found = ask.query.get(name, "")
    return str(found[0] if isinstance(found, list) else found)
