"""What docs/better-auth.md tells whoever moves an application here: the example runs, and people come along."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import psycopg

from entrypoints import settings
from tests.support.better_auth_door import PUBLIC, Door
from tests.support.postgres_user import eventually
from tests.support.real_client import PROJECT, put_in

_DOCUMENT = PROJECT / "docs" / "better-auth.md"
_EXAMPLE = PROJECT / "docs" / "examples" / "better-auth.mjs"
# As better-auth 1.7 wrote it.
_HASH = (
    "81db94b4d2d468bde70028134c790b16:6a4d5692110459a7aadef14dcb52b3ff6cfc90c7c045b9eb12b43a9e922681dd"
    "829ce07c29f19ca976061c04d785809bcbadff29f6d000eb7b6a5471d3114fed"
)
_ID, _PASSWORD = "kGx2bVw8PqYt5ZrNc7LmDf3HsJa9UeXo", "learnt-at-the-old-place"
_TABLES = """
create schema moved;
create table moved."user" (id text primary key, name text not null, email text not null unique,
    "emailVerified" boolean not null, image text, "createdAt" timestamptz not null, "updatedAt" timestamptz not null);
create table moved.account (id text primary key, "userId" text not null, "providerId" text not null,
    "accountId" text not null, password text, "createdAt" timestamptz not null, "updatedAt" timestamptz not null);
insert into moved."user" values
    (%(id)s, 'Olga', 'Olga@school.test', true, null, '2025-05-01 08:00Z', '2025-06-01 08:00Z'),
    ('guest', 'Guest', 'guest@school.test', false, null, '2025-05-01 08:00Z', '2025-05-01 08:00Z');
insert into moved.account values
    ('a', %(id)s, 'credential', %(id)s, %(hash)s, '2025-05-01 08:00Z', '2025-05-01 08:00Z'),
    ('b', 'guest', 'github', '77', null, '2025-05-01 08:00Z', '2025-05-01 08:00Z');
"""


def test_the_example_of_the_document_runs(door: Door, tmp_path: Path) -> None:
    put_in(tmp_path, _EXAMPLE)
    server = door.client.base.removesuffix("/api/auth")
    environment = os.environ | {"ACE_URL": server, "APP_ORIGIN": PUBLIC}
    done = subprocess.run(
        ("node", _EXAMPLE.name), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0].startswith("signed up as student-")
    assert told[2:] == [
        "devices: 1",
        "Ace knows Ada Lovelace",
        "signed out: true",
        "the old password: 401 INVALID_EMAIL_OR_PASSWORD",
    ]


def test_people_who_are_moved_as_the_document_says_sign_in_with_their_old_password(door: Door) -> None:
    """With the id that they had, by which the application's own tables name them."""
    (statement,) = re.findall(r"```sql\n(.*?)```", _DOCUMENT.read_text(), re.DOTALL)
    with psycopg.connect(door.owner_url) as connection:
        for part in _TABLES.strip().split(";\n"):
            connection.execute(part.encode().rstrip(b";"), {"id": _ID, "hash": _HASH} if "insert" in part else None)
        assert connection.execute(statement.encode()).rowcount == 1
    signed_in = door.browser().must("signIn.email", {"email": "olga@school.test", "password": _PASSWORD})
    user = signed_in["user"]
    assert (user["id"], user["name"], user["emailVerified"]) == (_ID, "Olga", True)
    assert user["createdAt"].isoformat() == "2025-05-01T08:00:00+00:00"
    with psycopg.connect(door.owner_url) as connection:
        row = connection.execute("select password_hash from users where id = %s", (_ID,)).fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$")


def test_who_had_no_password_comes_along_with_an_unusable_hash_and_sets_one_by_mail(door: Door) -> None:
    with psycopg.connect(door.owner_url) as connection:
        connection.execute(
            "insert into users (id, email, name, role, password_hash, created_at, updated_at)"
            " values ('socialOnly', 'social@school.test', 'Sol', 'student', '!', now(), now())"
        )
    browser = door.browser()
    for password in ("!", _PASSWORD):
        refused = browser.call("signIn.email", {"email": "social@school.test", "password": password})
        assert refused.refusal == (401, "INVALID_EMAIL_OR_PASSWORD")
    browser.must("requestPasswordReset", {"email": "social@school.test"})
    assert eventually(lambda: bool(door.mails_to("social@school.test")))
    (link,) = door.mails_to("social@school.test")
    page, _, token = link.partition("#token=")
    assert page == f"{PUBLIC}/student/set-password"
    browser.must("resetPassword", {"newPassword": _PASSWORD, "token": token})
    signed_in = browser.must("signIn.email", {"email": "social@school.test", "password": _PASSWORD})
    assert signed_in["user"]["id"] == "socialOnly"


def test_every_setting_that_the_document_names_is_one() -> None:
    known = {name for _, name, *_ in (*settings._FIELDS, *settings._BETTER_AUTH_FIELDS)}
    named = set(re.findall(r"ACE_[A-Z_]+[A-Z]", _DOCUMENT.read_text()))
    assert named
    assert named <= known
