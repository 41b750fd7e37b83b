"""At which door a request has come in, as far as that decides how it is told what went wrong."""

from __future__ import annotations

from collections.abc import Mapping

from litestar.types import HTTPScope, Receive, Send

from entrypoints.http.error_forms import ErrorForm
from entrypoints.http.exchange import HttpApp, exchange_of


class Forms:
    """Notes the form of errors of the door below whose path the request is, whether or not there is anything."""

    def __init__(self, app: HttpApp, forms: Mapping[str, ErrorForm]) -> None:
        self._app = app
        self._forms = forms

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        for prefix, form in self._forms.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                exchange_of(scope).form = form
        await self._app(scope, receive, send)
