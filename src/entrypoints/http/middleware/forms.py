"""At which door a request has come in, as far as that decides how it is told what went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from litestar.types import HTTPScope, Receive, Send

from entrypoints.http.error_forms import ErrorForm
from entrypoints.http.exchange import HttpApp, exchange_of


class Forms:
    """Notes the form of errors of the door below whose path the request is, whether or not there is anything."""

    def __init__(self, app: HttpApp, forms: Mapping[str, ErrorForm]) -> None:
        self._app = app
        self._forms = forms
        self._prefixes = tuple(forms)

    def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["path"].startswith(self._prefixes):
            self._note(scope)
        return self._app(scope, receive, send)

    def _note(self, scope: HTTPScope) -> None:
        path = scope["path"]
        for prefix, form in self._forms.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                exchange_of(scope).form = form
