"""The API page: Swagger UI from the installed package, under a policy that lets it load nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from entrypoints.http.conditional import already_has, content_tag
from entrypoints.http.requests import ApiRequest

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE: Final = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ace API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
# The page sends the CSRF cookie's value along, so that cookie sign-in works from it as from a real client.
_START: Final = b"""'use strict';
function csrfToken() {
  const found = document.cookie.match(/(?:^|; )(?:__Host-)?ace_csrf=([^;]*)/);
  return found ? decodeURIComponent(found[1]) : null;
}
window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayOperationId: true,
  filter: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor: function (request) {
    const token = csrfToken();
    if (token && !['GET', 'HEAD'].includes((request.method || 'GET').toUpperCase())) {
      request.headers['X-CSRF-Token'] = token;
    }
    return request;
  },
});
"""
_FILES: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}


@get("/docs", include_in_schema=False)
async def show_docs() -> Response[bytes]:
    """The page itself."""
    headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
    return Response(_PAGE, media_type="text/html", headers=headers)


@get("/redoc", include_in_schema=False)
async def redirect_to_docs() -> Redirect:
    """Where people look for the page too."""
    return Redirect("/docs", status_code=308)


def docs_handlers() -> list[HTTPRouteHandler]:
    """The page and its files, each at an address of its own."""
    start = _file_handler("start.js", "text/javascript", lambda: _START)
    return [show_docs, redirect_to_docs, start, *(_package_file(name, kind) for name, kind in _FILES.items())]


def _package_file(name: str, media_type: str) -> HTTPRouteHandler:
    @cache
    def read() -> bytes:
        return (_package_folder() / name).read_bytes()

    return _file_handler(name, media_type, read)


def _file_handler(name: str, media_type: str, read: Any) -> HTTPRouteHandler:
    @get(f"/docs/{name}", include_in_schema=False)
    async def send_file(request: ApiRequest) -> Response[Any]:
        """One file of the page; the client keeps it and asks whether it is still the same."""
        content = read()
        headers = {"etag": content_tag(content), "cache-control": "public, no-cache"}
        if already_has(request, headers["etag"]):
            return Response(None, status_code=304, headers=headers)
        return Response(content, media_type=media_type, headers=headers)

    return send_file


@cache
def _package_folder() -> Path:
    """Found without importing the package, which would bring a template engine along."""
    spec = find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        raise RuntimeError("The package swagger-ui-py is not installed")
    return Path(spec.origin).parent / "static"
