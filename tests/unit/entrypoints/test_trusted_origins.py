"""`ACE_TRUSTED_ORIGINS`: what names somebody, and what would trust everybody."""

from __future__ import annotations

import pytest

from entrypoints.http.better_auth.origins import TrustedOrigins
from entrypoints.settings import Settings, SettingsError, load


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://app.example.org", "https://app.example.org"),
        ("HTTPS://App.Example.org:443/", "https://app.example.org"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("https://*.Example.com/", "https://*.example.com"),
        ("*.example.com", "*.example.com"),
        ("http://localhost:*", "http://localhost:*"),
        ("myapp://", "myapp://"),
        ("myapp://Host/Path", "myapp://Host/Path"),
        ("exp://10.0.0.*:*/**", "exp://10.0.0.*:*/**"),
    ],
)
def test_an_entry_is_kept_in_the_form_in_which_it_is_compared(text: str, expected: str) -> None:
    assert load({"ACE_TRUSTED_ORIGINS": f" {text} ,"}).trusted_origins == (expected,)


@pytest.mark.parametrize(
    "text",
    ["*", "**", "*.*", "https://*", "http://*:3000", "*:3000", "https://*/", "https://*.example.com/x", "example.org",
     "https://app.example.org/x", "https://user@app.example.org", "https://", "/page", "https://a b"],
)  # fmt: skip
def test_what_names_nobody_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="ACE_TRUSTED_ORIGINS"):
        load({"ACE_TRUSTED_ORIGINS": text})


def test_several_entries_are_trusted_each() -> None:
    settings: Settings = load({"ACE_TRUSTED_ORIGINS": "https://a.example.org,myapp://"})
    origins = TrustedOrigins(settings)
    for url in ("https://a.example.org/x", "myapp://back", settings.base_url):
        assert origins.allows(url, "http://elsewhere.test")
    assert not origins.allows("https://b.example.org", "http://elsewhere.test")
