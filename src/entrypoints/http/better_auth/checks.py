"""Who may send a request, and where it may lead to, before anybody asks what it wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entrypoints.http.better_auth.endpoint import Headers
from entrypoints.http.better_auth.errors import Refused, refused
from entrypoints.http.better_auth.origins import TrustedOrigins

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FETCH_METADATA: Final = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")
# The name in the body, what it is called in refusals, and their code.
_CALLBACKS: Final = (
    ("callbackURL", "callbackURL", "INVALID_CALLBACK_URL"),
    ("redirectTo", "redirectURL", "INVALID_REDIRECT_URL"),
    ("errorCallbackURL", "errorCallbackURL", "INVALID_ERROR_CALLBACK_URL"),
    ("newUserCallbackURL", "newUserCallbackURL", "INVALID_NEW_USER_CALLBACK_URL"),
)


class Checks:
    """The checks of one request that was sent to the origin `own`."""

    def __init__(self, origins: TrustedOrigins, headers: Headers, own: str) -> None:
        self._origins = origins
        self._headers = headers
        self._own = own

    def check_sender(self) -> None:
        """Browsers send cookies by themselves, so that with any cookie a trusted page must have asked."""
        if "cookie" in self._headers:
            self._check_origin()

    def check_form(self) -> None:
        """Nor does a foreign page sign anybody in who has no cookie yet. Who says nothing of itself is no browser."""
        if "cookie" in self._headers:
            return
        if any(self._headers.get(name) for name in _FETCH_METADATA):
            site, mode = self._headers.get("sec-fetch-site"), self._headers.get("sec-fetch-mode")
            if (site, mode) == ("cross-site", "navigate"):
                raise refused(403, "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED")
            self._check_origin()
        elif self._sender():
            self._check_origin()

    def check_destinations(self, body: object, query: Mapping[str, object]) -> None:
        """Every page that the answer or a mail will lead to is a trusted one."""
        fields: Mapping[str, object] = body if isinstance(body, dict) else {}
        for name, label, code in _CALLBACKS:
            given = fields.get(name)
            if name == "callbackURL" and _is_nothing(given):
                given = query.get(name)
            if _is_nothing(given):
                continue
            if not isinstance(given, str):
                raise Refused(400, f"Invalid {label}: expected a string")
            if not self._origins.trusts(given, self._own):
                raise refused(403, code)

    def check_link(self, query: Mapping[str, object]) -> None:
        """The page that a link leads back to is a trusted one."""
        callback = query.get("callbackURL")
        if isinstance(callback, str) and callback and not self._origins.trusts(callback, self._own):
            raise refused(403, "INVALID_CALLBACK_URL")

    def _sender(self) -> str:
        return self._headers.get("origin") or self._headers.get("referer")

    def _check_origin(self) -> None:
        sender = self._sender()
        if sender in ("", "null"):
            raise refused(403, "MISSING_OR_NULL_ORIGIN")
        if not self._origins.allows(sender, self._own):
            raise refused(403, "INVALID_ORIGIN")


def _is_nothing(value: object) -> bool:
    """What the door's clients send for no page."""
    return value is None or value is False or (isinstance(value, int | float | str) and not value)
