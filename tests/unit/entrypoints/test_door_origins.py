"""Whom the better-auth door trusts: entries of every kind, and addresses that are made to look like them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.better_auth.origins import TrustedOrigins, own_origin

OWN = "https://ace.example.org"
APP = "https://app.example.org"


@dataclass(frozen=True)
class OriginSettings:
    """What is set about origins."""

    trusted_origins: tuple[str, ...] = ()
    public_url: str | None = OWN

    @property
    def base_url(self) -> str:
        return self.public_url or "http://127.0.0.1:8000"


def trusting(*entries: str) -> TrustedOrigins:
    return TrustedOrigins(OriginSettings(entries))


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        (APP, APP),
        (APP, f"{APP}/some/page?with=more#x"),
        (APP, "HTTPS://APP.Example.org:443/"),
        (APP, f"{APP}/a page/ä"),
        ("http://[::1]:3000", "http://[::1]:3000/x"),
        ("https://*.example.com", "https://a.b.example.com/x"),
        ("http://localhost:*", "http://localhost:5173"),
        ("https://app?.example.com", "https://app1.example.com"),
        ("*.example.com", "http://a.example.com/x"),
        ("myapp://", "myapp://anything/at?all"),
        ("myapp://host/cb", "MYAPP://Host/cb/deeper"),
        ("myapp://host/cb", "myapp://host/./cb"),
        ("exp://10.0.0.*:*/**", "exp://10.0.0.7:19000/--/x"),
    ],
)
def test_an_entry_trusts_what_it_means(entry: str, url: str) -> None:
    assert trusting(entry).trusts(url, OWN)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        (APP, "http://app.example.org"),
        (APP, "https://app.example.org:8443"),
        (APP, "https://app.example.org.evil.test"),
        (APP, "https://app.example.org@evil.test"),
        (APP, "https://evil.test\\@app.example.org"),
        (APP, "https:/app.example.org"),
        (APP, "https:app.example.org"),
        (APP, "https://app.example.org\t.evil.test"),
        (APP, "https://app.example.org:99999"),
        (APP, "https://app%2eexample.org"),
        (APP, f"{APP}/a\\b"),
        (APP, f"{APP}/a\nb"),
        (APP, "null"),
        (APP, ""),
        (APP, "app.example.org"),
        ("https://*.example.com", "https://example.com"),
        ("https://*.example.com", "https://evil.test/.example.com"),
        ("https://*.example.com", "https://evil.test?.example.com"),
        ("https://*.example.com", "https://evil.test#.example.com"),
        ("https://*.example.com", "https://evil.test\x00.example.com"),
        ("https://*.example.com", "https://a.example.com.evil.test"),
        ("*.example.com", "javascript://a.example.com/%0aalert(1)"),
        ("myapp://host/cb", "myapp://host/cb/../evil"),
        ("myapp://host/cb", "myapp://host/cb/%2e%2e/evil"),
        ("myapp://host/cb", "myapp://host/cbx"),
        ("myapp://host", "myapp://other"),
        ("myapp://", "otherapp://"),
        ("myapp://", "myapp://somebody@evil.test"),
        ("myapp://", "myapp://host:99999"),
        ("*.example.com", "myapp://a.example.com@evil.test"),
        ("javascript://", "javascript://x"),
        ("data://", "data:text/html,x"),
    ],
)
def test_what_only_looks_like_an_entry_is_not_trusted(entry: str, url: str) -> None:
    assert not trusting(entry).trusts(url, OWN)


def test_our_own_origin_is_trusted_and_so_is_the_one_that_was_asked() -> None:
    origins = trusting()
    assert origins.allows(OWN, "http://127.0.0.1")
    assert origins.allows("http://ace.test", "http://ace.test")
    assert not origins.allows("http://ace.test", OWN)


@pytest.mark.parametrize("path", ["/", "/a/b", "/a-b_c.d+e/@f", "/a?b=c&d=%2F", "/..", "/a?next=/b"])
def test_a_plain_path_of_ours_is_trusted_as_a_page_and_never_as_an_origin(path: str) -> None:
    assert trusting().trusts(path, OWN)
    assert not trusting().allows(path, OWN)


@pytest.mark.parametrize(
    "path", ["//evil.test", "/\\evil.test", "/%2fevil.test", "/%5cevil.test", "/%2Fevil.test", "/a\n", "/a b", "/a?b\r",
             "/\t/evil.test", "/a#b", "/ä", "/a?b=<", "/" + "a" * 5_000]
)  # fmt: skip
def test_a_path_that_could_lead_elsewhere_is_not_trusted(path: str) -> None:
    assert not trusting().trusts(path, OWN)


@given(st.text(st.sampled_from("htps:/\\.@#?%2fapexmlorg \t\n\x00evi[]0"), max_size=40))
def test_whatever_is_trusted_leads_to_the_trusted_host(text: str) -> None:
    """However it is spelt, a reader of addresses finds the trusted host in it, or no host."""
    for url in (text, f"{APP}{text}", f"https://{text}{APP.removeprefix('https://')}"):
        if trusting(APP).trusts(url, OWN):
            assert urlsplit(url).hostname in {None, "app.example.org", "ace.example.org"}
            assert urlsplit(url).hostname is not None or url.startswith("/")
            assert "\\" not in url


def test_without_a_public_address_we_are_what_the_caller_calls_us() -> None:
    settings = OriginSettings(public_url=None)
    assert own_origin(settings, https=False, host="ACE.test:80") == "http://ace.test"
    assert own_origin(settings, https=True, host="ace.test:8443") == "https://ace.test:8443"
    assert own_origin(settings, https=False, host="no host/at all") == settings.base_url
    assert own_origin(OriginSettings(), https=False, host="evil.test") == OWN
