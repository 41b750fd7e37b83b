"""Where the links of the better-auth door lead: addresses as browsers and clients of the door write them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from entrypoints.http.better_auth.origins import TrustedOrigins
from entrypoints.http.better_auth.redirects import as_location, with_error, with_parameter
from entrypoints.settings import Settings

BASE = "http://127.0.0.1:4567/api/auth"
OURS = "http://127.0.0.1:4567"
APP = "https://app.example.com"


@pytest.mark.parametrize(
    ("callback", "leads_to"),
    [
        ("/r", f"{OURS}/r?token=a"),
        ("/r?", f"{OURS}/r?token=a"),
        ("/r?a", f"{OURS}/r?a=&token=a"),
        ("/r?a=&&b", f"{OURS}/r?a=&b=&token=a"),
        ("/r?x=1&token=z", f"{OURS}/r?x=1&token=a"),
        ("/r?token=1&token=2&z=3", f"{OURS}/r?token=a&z=3"),
        ("/r?a=%41%zz&b=~*'()!", f"{OURS}/r?a=A%25zz&b=%7E*%27%28%29%21&token=a"),
        ("/a/./b/../c", f"{OURS}/a/c?token=a"),
        ("/a/..", f"{OURS}/?token=a"),
        ("/..", f"{OURS}/?token=a"),
        ("/a/.", f"{OURS}/a/?token=a"),
        ("/a/%2e%2E/b", f"{OURS}/b?token=a"),
        ("/.//evil.test", f"{OURS}//evil.test?token=a"),
        (APP, f"{APP}/?token=a"),
        (f"{APP}?", f"{APP}/?token=a"),
        (f"{APP}/a b?q=ä+b%20c", f"{APP}/a%20b?q=%C3%A4+b+c&token=a"),
        ("HTTPS://APP.example.com:443/../x#frag", f"{APP}/x?token=a#frag"),
        (f"{APP}/?a=b#c?d", f"{APP}/?a=b&token=a#c?d"),
        (f"{APP}/x?a=%E4&b=%C3%A4", f"{APP}/x?a=%EF%BF%BD&b=%C3%A4&token=a"),
        (f"{APP}/x?a=b=c&&=d", f"{APP}/x?a=b%3Dc&=d&token=a"),
        (f'{APP}/"<>`{{}}|^', f"{APP}/%22%3C%3E%60%7B%7D|^?token=a"),
        (f"{APP}?x#é", f"{APP}/?x=&token=a#%C3%A9"),
        ("http://app.example.com:8080/x;y=1", "http://app.example.com:8080/x;y=1?token=a"),
        ("myapp://reset", "myapp://reset?token=a"),
        ("myapp://reset/a b?x=ä", "myapp://reset/a%20b?x=%C3%A4&token=a"),
        ("myapp:cb", "myapp:cb?token=a"),
        ("exp://192.168.0.1:8081/--/x", "exp://192.168.0.1:8081/--/x?token=a"),
    ],
)
def test_a_callback_gets_a_parameter(callback: str, leads_to: str) -> None:
    """As `new URL(callback, base)` and `searchParams.set` of a browser make it."""
    assert with_parameter(callback, BASE, "token", "a") == leads_to


@pytest.mark.parametrize(
    ("callback", "told"),
    [
        ("/in", "/in?error=X"),
        ("/in?a=1", "/in?a=1&error=X"),
        (f"{APP}?", f"{APP}?&error=X"),
        ("myapp:", "myapp:?error=X"),
    ],
)
def test_an_error_is_put_at_the_end_of_a_callback_as_it_was_given(callback: str, told: str) -> None:
    assert with_error(callback, "X") == told


def test_a_header_takes_an_address_that_is_not_ascii() -> None:
    assert as_location("/in?a=ä\r\n€ x") == "/in?a=%C3%A4%0D%0A%E2%82%AC x"
    assert as_location("https://app.example.com/a%20b?q={x}#y") == "https://app.example.com/a%20b?q={x}#y"


_PLAIN = st.sampled_from(["/", "..", ".", "+", "@", "token", "a", "-"])
_IN_QUERY = st.sampled_from(["&", "=", "+", "token", "error", "/", "@", "%41", "%2f", "a", "."])
_FREE = st.sampled_from(
    ["/", "..", "%2e", "?", "#", "&", "=", "+", "%", ":", "@", " ", "ä", "token", "evil.test", "'", "{"]
)
_OF_OURS = st.builds(
    lambda path, query: f"/a{path}{query}",
    st.lists(_PLAIN, max_size=8).map("".join),
    st.lists(_IN_QUERY, max_size=8).map(lambda found: "?" + "".join(found) if found else ""),
)
_OF_OTHERS = st.builds(
    lambda start, rest: start + rest,
    st.sampled_from([f"{APP}/", f"{APP}?", f"{APP}#", "HTTPS://APP.example.com:443/"]),
    st.lists(_FREE, max_size=8).map("".join),
)
_OF_APPS = st.builds(
    lambda start, rest: start + rest,
    st.sampled_from(["myapp:", "myapp://", "myapp:/"]),
    st.lists(_FREE.filter(lambda piece: piece != " "), max_size=8).map("".join),
)


@given(_OF_OURS | _OF_OTHERS | _OF_APPS, st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_wherever_a_trusted_callback_leads_the_parameter_is_there_once(callback: str, value: str) -> None:
    """And it leads to us, or to an origin or an app that is trusted; the address is plain ASCII."""
    trusted = TrustedOrigins(Settings(trusted_origins=(APP, "myapp:"), public_url=OURS))
    assume(trusted.trusts(callback, OURS))
    address = with_parameter(callback, BASE, "token", value)
    assert address.isascii()
    assert address.isprintable()
    parts = urlsplit(address)
    assert (f"{parts.scheme}://{parts.netloc}" in {OURS, APP}) or parts.scheme == "myapp"
    assert [found for name, found in parse_qsl(parts.query, keep_blank_values=True) if name == "token"] == [value]
    assert trusted.trusts(address, OURS)
