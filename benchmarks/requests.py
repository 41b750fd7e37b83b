"""Whole requests as bytes, as a page of our own sends them to a server that is reached by https."""

from __future__ import annotations

import json
from dataclasses import dataclass

from benchmarks.site import PUBLIC_HOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Somebody who is signed in; `refresh` is empty where nobody will ask for it."""

    access: str
    csrf: str
    refresh: str = ""

    @property
    def reading(self) -> str:
        return (
            f"cookie: __Host-ace_access={self.access}; __Host-ace_csrf={self.csrf}\r\nsec-fetch-site: same-origin\r\n"
        )

    @property
    def writing(self) -> str:
        return f"{self.reading}x-csrf-token: {self.csrf}\r\n"


def get(path: str, head: str = "") -> bytes:
    return _request("GET", path, head)


def post(path: str, body: bytes, head: str = "") -> bytes:
    return _with_body("POST", path, body, head)


def put(path: str, body: bytes, head: str = "") -> bytes:
    return _with_body("PUT", path, body, head)


def rotation(token: str) -> bytes:
    return post("/student/auth/refresh", f'{{"refreshToken":"{token}"}}'.encode())


def sign_in(body: bytes) -> bytes:
    return post("/student/auth/login", body)


def credentials(email: str, password: str) -> bytes:
    """The body of a sign-in."""
    return json.dumps({"email": email, "password": password, "delivery": "body"}).encode()


def _with_body(method: str, path: str, body: bytes, head: str) -> bytes:
    return _request(method, path, f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n") + body


def _request(method: str, path: str, head: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nhost: {PUBLIC_HOST}\r\naccept: application/json\r\n{head}\r\n".encode()
