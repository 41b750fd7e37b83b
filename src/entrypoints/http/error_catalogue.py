"""docs/errors.md: every code that a client can meet, made from the refusals themselves."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from inspect import cleandoc

from domain.errors import DomainError, refusals
from entrypoints.http.problems import status_of

_LAYERS = ("domain", "application", "adapters", "entrypoints")
_HEAD = """\
# Errors

Every error is answered as `application/problem+json` (RFC 9457):

```json
{
  "type": "urn:ace:problem:request.invalid",
  "title": "The request breaks a rule",
  "status": 422,
  "detail": "/email: Expected `str`, got `int`",
  "code": "request.invalid",
  "instance": "4f0c2d1e9b7a4c55a1e0d3f2b6c7d8e9",
  "errors": [{"pointer": "/email", "code": "wrong_type", "message": "Expected `str`, got `int`"}]
}
```

`code` never changes its meaning; `instance` is the request id. `errors` names fields: a JSON pointer into the body,
`?name` for a query parameter, a header's name for a header. After a 503 the request may be sent again as it was.

| Code | Status | Title | Meaning |
|---|---|---|---|
"""


def render_error_catalogue() -> str:
    """The page, sorted by code."""
    return _HEAD + "".join(_row(refusal) for refusal in every_refusal())


def every_refusal() -> list[type[DomainError]]:
    """The refusals of the program. Each module is imported: a refusal is known from the moment its class exists."""
    for layer in _LAYERS:
        for module in pkgutil.walk_packages(import_module(layer).__path__, f"{layer}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    return [refusal for refusal in refusals() if refusal.__module__.partition(".")[0] in _LAYERS]


def _row(refusal: type[DomainError]) -> str:
    meaning = " ".join(cleandoc(refusal.__doc__ or "").split("\n\n")[0].split())
    return f"| `{refusal.code}` | {status_of(refusal)} | {_cell(refusal.title)} | {_cell(meaning)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
