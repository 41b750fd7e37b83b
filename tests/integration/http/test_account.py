"""One's own account over HTTP, at the three portals and under the students' old path."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from application.mail import MailKind
from domain.auth.links import LinkPurpose
from entrypoints.http.app import Application
from tests.support.account_builders import NEW_EMAIL, NEW_PASSWORD
from tests.support.account_http import OWN, PORTALS, PUBLIC, id_of, link, member, one, signed_in
from tests.support.auth_builders import EMAIL, PASSWORD
from tests.support.auth_http import ADA, browser, code, serving
from tests.support.mailbox import OutboxMailbox, mail_settings, site_mailbox
from tests.support.postgres import ClonedDatabase


@pytest.fixture(scope="module")
async def app(
    module_database: ClonedDatabase, log: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Application]:
    """The auth area, with an outbox of its own."""
    async with serving(module_database, log, **mail_settings(tmp_path_factory.mktemp("site"))) as app:
        yield app


@pytest.fixture
def mailbox(app: Application) -> OutboxMailbox:
    """What people are mailed, from now on."""
    mailbox = site_mailbox(app._container)
    for path in mailbox.folder.glob("*"):
        path.unlink()
    return mailbox


@pytest.mark.parametrize("portal", PORTALS)
async def test_a_forgotten_password_is_set_by_a_mailed_link(
    client: httpx.AsyncClient, app: Application, mailbox: OutboxMailbox, portal: str
) -> None:
    await member(app, portal)
    await signed_in(client, portal)
    asked = await client.post(f"{portal}/request-password-reset", json={"email": EMAIL.upper()})
    assert (asked.status_code, asked.content) == (202, b"")
    mail = await mailbox.newest(MailKind.RESET_PASSWORD)
    assert mail.to == EMAIL
    assert (mail.url or "").endswith(f"/{PORTALS[portal]}/reset-password#token={mail.token}")
    body = {"token": mail.secret, "password": NEW_PASSWORD}
    done = await client.post(f"{portal}/reset-password", json=body)
    assert (done.status_code, done.content) == (204, b"")
    assert "set-cookie" not in done.headers, "nobody is signed in by it"
    assert code(await client.get(f"{portal}/me")) == "auth.session_ended"
    assert (await mailbox.newest(MailKind.PASSWORD_CHANGED)).to == EMAIL
    again = await client.post(f"{portal}/reset-password", json=body)
    assert (again.status_code, code(again)) == (422, "auth.link_invalid")
    assert [error["pointer"] for error in again.json()["errors"]] == ["/token"]
    old = await client.post(f"{portal}/login", json={"email": EMAIL, "password": PASSWORD})
    assert code(old) == "auth.invalid_credentials"
    await signed_in(client, portal, password=NEW_PASSWORD)
    assert (await client.get(f"{portal}/me")).json()["user"]["emailVerified"] is True


@pytest.mark.parametrize("portal", PORTALS)
async def test_an_address_is_verified_and_another_one_moved_to_by_mailed_links(
    client: httpx.AsyncClient, app: Application, mailbox: OutboxMailbox, portal: str
) -> None:
    await member(app, portal)
    assert (await client.post(f"{portal}/resend-verification", json={"email": EMAIL})).status_code == 202
    token = (await mailbox.newest(MailKind.VERIFY_EMAIL)).secret
    verified = await client.post(f"{portal}/verify-email", json={"token": token})
    assert (verified.status_code, verified.content) == (204, b"")
    assert "set-cookie" not in verified.headers, "nobody is signed in by it"
    await signed_in(client, portal)
    assert (await client.get(f"{portal}/me")).json()["user"]["emailVerified"] is True
    body = {"newEmail": NEW_EMAIL, "currentPassword": PASSWORD}
    asked = await client.post(f"{portal}/change-email", json=body)
    assert (asked.status_code, asked.content) == (202, b"")
    assert (await mailbox.newest(MailKind.EMAIL_CHANGING)).to == EMAIL
    mail = await mailbox.newest(MailKind.CHANGE_EMAIL)
    assert mail.to == NEW_EMAIL
    assert (await client.get(f"{portal}/me")).json()["user"]["email"] == EMAIL
    assert (await client.post(f"{portal}/verify-email", json={"token": mail.secret})).status_code == 204
    assert (await client.get(f"{portal}/me")).json()["user"]["email"] == NEW_EMAIL
    assert (await mailbox.newest(MailKind.EMAIL_CHANGED)).to == EMAIL
    used = await client.post(f"{portal}/verify-email", json={"token": mail.secret})
    assert (used.status_code, code(used)) == (422, "auth.link_invalid")


async def test_who_registers_is_mailed_a_link_that_verifies(ada: httpx.AsyncClient, mailbox: OutboxMailbox) -> None:
    token = (await mailbox.newest(MailKind.VERIFY_EMAIL)).secret
    assert (await ada.post("/student/auth/verify-email", json={"token": token})).status_code == 204
    assert (await ada.get("/student/auth/me")).json()["user"]["emailVerified"] is True


@pytest.mark.parametrize("portal", PORTALS)
async def test_a_change_of_password_ends_the_other_sessions(
    client: httpx.AsyncClient, app: Application, portal: str
) -> None:
    await member(app, portal)
    await signed_in(client, portal)
    async with browser(app) as other:
        await signed_in(other, portal)
        changed = await client.post(f"{portal}/change-password", json=OWN["change-password"])
        assert (changed.status_code, changed.json()) == (200, {"revoked": 1})
        assert code(await other.get(f"{portal}/me")) == "auth.session_ended"
        assert (await client.get(f"{portal}/me")).status_code == 200
        await signed_in(other, portal, password=NEW_PASSWORD)


async def test_a_wrong_current_password_and_a_locked_account_are_answered_alike(
    ada: httpx.AsyncClient, cloned: ClonedDatabase
) -> None:
    wrong = OWN["change-password"] | {"currentPassword": "a guess"}
    answers = [await ada.post("/student/auth/change-password", json=wrong) for _ in range(5)]
    answers.append(await ada.post("/student/auth/change-password", json=OWN["change-password"]))
    answers.append(await ada.post("/student/auth/change-email", json=OWN["change-email"]))
    assert {answer.status_code for answer in answers} == {403}
    assert len({tuple(sorted((answer.json() | {"instance": ""}).items())) for answer in answers}) == 1
    assert code(answers[0]) == "auth.current_password_wrong"
    assert one(cloned, b"select count(*) from audit_log where action like 'user.%changed'") == 0


@pytest.mark.parametrize("route", ["request-password-reset", "resend-verification"])
async def test_who_asks_for_mail_learns_nothing_about_accounts(
    ada: httpx.AsyncClient, cloned: ClonedDatabase, app: Application, route: str
) -> None:
    """One answer and one job, whoever has the address, has had it, or nobody."""
    await member(app, "/student/auth", "gone@example.org")
    cloned.keeper.execute("update users set deleted_at = now() where email = 'gone@example.org'")
    told, before = set(), one(cloned, b"select count(*) from procrastinate_jobs")
    for number, email in enumerate((EMAIL, "gone@example.org", "nobody@example.org"), before + 1):
        answer = await ada.post(f"/student/auth/{route}", json={"email": email})
        changing = {"x-request-id", "date", "ratelimit"}
        headers = sorted((name, value) for name, value in answer.headers.items() if name not in changing)
        told.add((answer.status_code, answer.content, tuple(headers)))
        assert one(cloned, b"select count(*) from procrastinate_jobs") == number
    assert len(told) == 1
    refused = await ada.post(f"/student/auth/{route}", json={"email": "nobody"})
    assert (refused.status_code, code(refused)) == (422, "request.invalid")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/email"]


async def test_moving_to_an_address_in_use_is_answered_alike_and_refused_at_the_end(
    ada: httpx.AsyncClient, app: Application, mailbox: OutboxMailbox
) -> None:
    await member(app, "/student/auth", NEW_EMAIL)
    asked = await ada.post("/student/auth/change-email", json=OWN["change-email"])
    assert (asked.status_code, asked.content) == (202, b"")
    assert MailKind.CHANGE_EMAIL not in {mail.kind for mail in await mailbox.mails()}
    token = await link(app, LinkPurpose.CHANGE_EMAIL, await id_of(ada, "/student/auth"), NEW_EMAIL)
    for _ in range(2):
        taken = await ada.post("/student/auth/verify-email", json={"token": token})
        assert (taken.status_code, code(taken)) == (409, "user.email_taken")


async def test_asvs_7_5_1_moving_takes_a_sign_in_that_is_not_long_ago(
    ada: httpx.AsyncClient, cloned: ClonedDatabase
) -> None:
    cloned.keeper.execute("update auth_sessions set auth_time = auth_time - interval '3601 seconds'")
    stale = await ada.post("/student/auth/change-email", json=OWN["change-email"])
    assert (stale.status_code, code(stale)) == (403, "auth.reauthentication_required")
    await ada.post("/student/auth/refresh")
    assert code(await ada.post("/student/auth/change-email", json=OWN["change-email"])) == code(stale)
    await signed_in(ada, "/student/auth")
    assert (await ada.post("/student/auth/change-email", json=OWN["change-email"])).status_code == 202
    same = await ada.post("/student/auth/change-email", json=OWN["change-email"] | {"newEmail": EMAIL.upper()})
    assert (same.status_code, code(same)) == (422, "request.invalid")
    assert [error["code"] for error in same.json()["errors"]] == ["unchanged"]


@pytest.mark.parametrize("portal", PORTALS)
async def test_asvs_7_5_2_own_sessions_are_seen_and_ended(
    client: httpx.AsyncClient, app: Application, cloned: ClonedDatabase, portal: str
) -> None:
    await member(app, portal)
    await signed_in(client, portal)
    async with browser(app) as other:
        await signed_in(other, portal)
        listed = (await client.get(f"{portal}/sessions")).json()
        assert set(listed) == {"items"}
        assert [item["current"] for item in listed["items"]] == [False, True]
        newest, mine = listed["items"]
        assert set(mine) == {
            *("id", "current", "door", "audience", "ip", "userAgent", "createdAt", "lastSeenAt", "expiresAt")
        }
        assert (mine["door"], mine["audience"], mine["ip"]) == ("portal", PORTALS[portal], "127.0.0.1")
        ended = await client.delete(f"{portal}/sessions/{newest['id']}")
        assert (ended.status_code, ended.content) == (204, b"")
        assert "set-cookie" not in ended.headers
        assert code(await other.get(f"{portal}/me")) == "auth.session_ended"
        again = await client.delete(f"{portal}/sessions/{newest['id']}")
        assert (again.status_code, code(again)) == (404, "auth.session_not_found")
        await signed_in(other, portal)
        cloned.keeper.execute("update auth_sessions set auth_time = auth_time - interval '3601 seconds'")
        stale = await client.delete(f"{portal}/sessions/{await _current(other, portal)}")
        assert (stale.status_code, code(stale)) == (403, "auth.reauthentication_required")
    left = await client.delete(f"{portal}/sessions/{mine['id']}")
    assert left.status_code == 204
    assert not client.cookies, "as by signing out"


async def _current(client: httpx.AsyncClient, portal: str) -> str:
    items = (await client.get(f"{portal}/sessions")).json()["items"]
    found: str = next(item["id"] for item in items if item["current"])
    return found


async def test_sessions_of_others_do_not_exist(ada: httpx.AsyncClient, app: Application) -> None:
    async with browser(app) as bob:
        await bob.post("/student/auth/register", json={"email": "bob@example.org", "password": PASSWORD})
        told = [
            await ada.delete(f"/student/auth/sessions/{session_id}")
            for session_id in (await _current(bob, "/student/auth"), "ses_none")
        ]
        assert {(answer.status_code, code(answer)) for answer in told} == {(404, "auth.session_not_found")}
        foreign, missing = ({**answer.json(), "instance": None} for answer in told)
        assert foreign == missing
        assert (await bob.get("/student/auth/me")).status_code == 200


async def test_the_old_paths_say_what_replaces_them(ada: httpx.AsyncClient) -> None:
    answers = {route: await ada.post(f"/auth/{route}", json=body) for route, body in (PUBLIC | OWN).items()}
    answers["sessions"] = await ada.get("/auth/sessions")
    answers["sessions/ses_none"] = await ada.delete("/auth/sessions/ses_none")
    for route, answer in answers.items():
        assert answer.headers["deprecation"].startswith("@")
        assert answer.headers["link"] == f'</student/auth/{route}>; rel="successor-version"'
    assert "deprecation" not in (await ada.get("/student/auth/sessions")).headers


async def test_who_has_a_temporary_password_changes_it_first(client: httpx.AsyncClient, app: Application) -> None:
    """Which routes that leaves open is asked of every route by the test of roles."""
    await member(app, "/admin/auth", must_change_password=True)
    await signed_in(client, "/admin/auth")
    assert (await client.get("/admin/auth/me")).json()["user"]["mustChangePassword"] is True
    for answer in (await client.get("/admin/auth/sessions"), await client.post("/admin/auth/change-email", json={})):
        assert (answer.status_code, code(answer)) == (403, "auth.password_change_required")
    assert (await client.post("/admin/auth/refresh")).status_code == 200
    assert (await client.post("/admin/auth/change-password", json=OWN["change-password"])).status_code == 200
    assert (await client.get("/admin/auth/me")).json()["user"]["mustChangePassword"] is False
    assert (await client.get("/admin/auth/sessions")).status_code == 200


async def test_a_student_who_was_made_admin_needs_a_password_that_is_long_enough(
    ada: httpx.AsyncClient, cloned: ClonedDatabase
) -> None:
    """A student's eight characters open nothing at the portal of admins but their own change."""
    short = {"currentPassword": PASSWORD, "newPassword": "8 chars."}
    assert (await ada.post("/student/auth/change-password", json=short)).status_code == 200
    cloned.keeper.execute("update users set role = 'admin'")
    await signed_in(ada, "/admin/auth", password="8 chars.")
    assert code(await ada.get("/admin/auth/sessions")) == "auth.password_change_required"
    longer = {"currentPassword": "8 chars.", "newPassword": NEW_PASSWORD}
    assert (await ada.post("/admin/auth/change-password", json=longer)).status_code == 200
    assert (await ada.get("/admin/auth/sessions")).status_code == 200


@pytest.mark.parametrize("leave", ["logout", "logout-all"])
async def test_who_has_a_temporary_password_may_leave(client: httpx.AsyncClient, app: Application, leave: str) -> None:
    await member(app, "/student/auth", must_change_password=True)
    await signed_in(client, "/student/auth")
    assert (await client.post(f"/student/auth/{leave}")).is_success
    assert not client.cookies


async def test_a_reset_makes_the_temporary_password_ones_own(client: httpx.AsyncClient, app: Application) -> None:
    await member(app, "/student/auth", must_change_password=True)
    await signed_in(client, "/student/auth")
    token = await link(app, LinkPurpose.SET_PASSWORD, await id_of(client, "/student/auth"))
    await client.post("/student/auth/reset-password", json={"token": token, "password": NEW_PASSWORD})
    await signed_in(client, "/student/auth", password=NEW_PASSWORD)
    assert (await client.get("/student/auth/sessions")).status_code == 200


@pytest.mark.parametrize("portal", ["/instructor/auth", "/admin/auth"])
async def test_staff_register_with_an_invitation(
    client: httpx.AsyncClient, app: Application, cloned: ClonedDatabase, portal: str
) -> None:
    cloned.keeper.execute(
        "insert into invitations (id, email, role, created_at, expires_at)"
        " values ('inv_1', %s, %s, now(), now() + interval '7 days')",
        (EMAIL, PORTALS[portal].value),
    )
    body = ADA | {"invitation": await link(app, LinkPurpose.INVITATION, "inv_1"), "name": "Ada"}
    other = "/admin/auth" if portal == "/instructor/auth" else "/instructor/auth"
    refused = [
        (await client.post(f"{portal}/register", json=ADA), 403, "auth.invitation_required"),
        (await client.post(f"{portal}/register", json=body | {"invitation": "guessed"}), 422, "auth.link_invalid"),
        (await client.post(f"{portal}/register", json=body | {"email": "b@example.org"}), 422, "auth.link_invalid"),
        (await client.post(f"{other}/register", json=body), 422, "auth.link_invalid"),
        (await client.post(f"{portal}/register", json=body | {"password": "short"}), 422, "auth.password_refused"),
    ]
    for answer, status, problem in refused:
        assert (answer.status_code, code(answer)) == (status, problem)
        if problem == "auth.link_invalid":
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/invitation"]
    registered = await client.post(f"{portal}/register", json=body)
    assert registered.status_code == 201, registered.text
    user = registered.json()["user"]
    assert (user["role"], user["emailVerified"]) == (PORTALS[portal], True)
    assert (await client.get(f"{portal}/me")).status_code == 200
    again = await client.post(f"{portal}/register", json=body)
    assert (again.status_code, code(again)) == (422, "auth.link_invalid")
    assert one(cloned, b"select accepted_by from invitations") == user["id"]


async def test_neither_password_nor_token_nor_address_is_logged(
    ada: httpx.AsyncClient,
    app: Application,
    mailbox: OutboxMailbox,
    log: list[bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    app.log.flush()
    log.clear()
    await ada.post("/student/auth/change-email", json=OWN["change-email"])
    moving = (await mailbox.newest(MailKind.CHANGE_EMAIL)).secret
    await ada.post("/student/auth/request-password-reset", json={"email": EMAIL})
    resetting = (await mailbox.newest(MailKind.RESET_PASSWORD)).secret
    await ada.post("/student/auth/reset-password", json={"token": resetting, "password": "short"})
    await ada.post("/student/auth/change-password", json=OWN["change-password"])
    await ada.post("/student/auth/verify-email", json={"token": moving})
    await ada.post("/student/auth/verify-email", json={"token": "nonsense-token"})
    app.log.flush()
    # Whoever serves silences what the library of jobs tells of each; here it is heard.
    heard = [record.getMessage() for record in caplog.records if not record.name.startswith("procrastinate")]
    told = b"".join(log).decode() + "".join(heard)
    assert "/student/auth/change-password" in told
    secrets = (PASSWORD, NEW_PASSWORD, EMAIL, NEW_EMAIL, moving, resetting, "nonsense-token", *ada.cookies.values())
    assert not [secret for secret in secrets if secret in told]
