"""Addresses that browsers are sent to: the page that a link leads back to, with what happened in its query.

A callback has passed the check of origins before it comes here: it is a path of ours or the address of a trusted one.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

# scheme, authority, path, query and fragment, by RFC 3986, appendix B.
_PARTS: Final = re.compile(
    r"(?:(?P<scheme>[^:/?#]+):)?(?P<authority>//[^/?#]*)?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?",
    re.DOTALL,
)
_HOSTED: Final = {"http": "80", "https": "443"}
_KEPT: Final = "!$%&'()*+,;=:@/[]\\^|~"
_HERE: Final = frozenset({".", "%2e"})
_UP: Final = frozenset({"..", ".%2e", "%2e.", "%2e%2e"})


def with_parameter(callback: str, base_url: str, name: str, value: str) -> str:
    """The absolute address of a callback with this parameter in its query, once, whatever was there before. It is
    written as browsers write addresses, and its query as they write forms.
    """
    found = _PARTS.fullmatch(callback)
    assert found is not None, "every text has this shape"
    scheme, authority, path = found["scheme"], found["authority"] or "", found["path"]
    if scheme is None:
        ours = urlsplit(base_url)
        scheme, authority = ours.scheme, f"//{ours.netloc}"
    scheme = scheme.lower()
    if scheme in _HOSTED:
        authority, path = _host(authority, _HOSTED[scheme]), path or "/"
    query = _form(_with(parse_qsl(found["query"] or "", keep_blank_values=True), name, value))
    fragment = quote(found["fragment"] or "", safe=f"{_KEPT}#?{{}}")
    return f"{scheme}:{authority}{_path(path)}?{query}{fragment}"


def with_error(callback: str, code: str) -> str:
    """A callback as it was given, with the code of an error at its end."""
    return f"{callback}{'&' if '?' in callback else '?'}error={code}"


def as_location(address: str) -> str:
    """An address as a header takes it: what is not ASCII, or would end the header, is percent-encoded."""
    return quote(address, safe=f'{_KEPT}#?{{}}<>"` ')


def _host(authority: str, default_port: str) -> str:
    who, at, host = authority.rpartition("@")
    return f"{who}{at}{host.lower().removesuffix(f':{default_port}')}"


def _path(path: str) -> str:
    """A path without steps that lead nowhere or up."""
    kept: list[str] = []
    steps = path.split("/")
    for number, step in enumerate(steps):
        is_last = number == len(steps) - 1
        if step.lower() in _UP:
            del kept[max(1, len(kept) - 1) :]
        elif step.lower() not in _HERE:
            kept.append(step)
            continue
        if is_last:
            kept.append("")
    return quote("/".join(kept), safe=_KEPT)


def _with(pairs: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    """The pairs with this one in the place of the first that had its name, or at the end."""
    place = next((number for number, (known, _) in enumerate(pairs) if known == name), len(pairs))
    others = [pair for pair in pairs[place:] if pair[0] != name]
    return [*pairs[:place], (name, value), *others]


def _form(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{_form_text(name)}={_form_text(value)}" for name, value in pairs)


def _form_text(text: str) -> str:
    return quote_plus(text, safe="*").replace("~", "%7E")
