"""The real client looks after an account: sessions, name and picture, password, address, the end of it."""

from __future__ import annotations

from datetime import timedelta

import jwt

from tests.support.better_auth_door import PASSWORD, Door

NEW_PASSWORD = "learn-something-every-week"


def test_a_person_lists_their_sessions_with_the_own_token_for_the_own_one_only(door: Door) -> None:
    """A token is stored as a hash, so nothing can tell another device's; what stands there revokes it as well."""
    laptop, phone = door.student("devices"), door.another("devices")
    sessions = laptop.must("listSessions")
    keys = ["expiresAt", "token", "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "id"]
    assert [list(session) for session in sessions] == [keys, keys]
    own = laptop.must("getSession")["session"]["token"]
    other = phone.must("getSession")["session"]["token"]
    listed = {session["token"] for session in sessions}
    assert own in listed
    assert other not in listed


def test_a_person_ends_one_other_session_by_what_the_list_says(door: Door) -> None:
    laptop, phone = door.student("ender"), door.another("ender")
    own = laptop.must("getSession")["session"]["token"]
    (handle,) = [one["token"] for one in laptop.must("listSessions") if one["token"] != own]
    assert laptop.must("revokeSession", {"token": handle}) == {"status": True}
    assert phone.must("getSession") is None
    assert laptop.must("getSession") is not None


def test_a_token_ends_the_session_of_its_owner_only(door: Door) -> None:
    laptop, phone, stranger = door.student("owner"), door.another("owner"), door.student("stranger")
    token = phone.must("getSession")["session"]["token"]
    assert stranger.must("revokeSession", {"token": token}) == {"status": True}
    assert phone.must("getSession") is not None
    assert laptop.must("revokeSession", {"token": token}) == {"status": True}
    assert phone.must("getSession") is None
    assert laptop.must("revokeSession", {"token": "nobody-has-this"}) == {"status": True}


def test_a_person_ends_all_others_or_all(door: Door) -> None:
    laptop, phone = door.student("cleaner"), door.another("cleaner")
    others = laptop.call("revokeOtherSessions")
    assert (others.data, others.wire.setCookies) == ({"status": True}, [])
    assert (phone.must("getSession"), len(laptop.must("listSessions"))) == (None, 1)
    assert laptop.must("revokeSessions") == {"status": True}
    assert laptop.call("listSessions").refusal == (401, "UNAUTHORIZED")


def test_signing_in_again_ends_the_session_that_the_browser_held(door: Door) -> None:
    browser = door.student("again")
    before = browser.must("getSession")["session"]["token"]
    after = browser.must("signIn.email", {"email": "again@school.test", "password": PASSWORD})["token"]
    assert before != after
    assert door.browser(cookies=False, origin=None, bearer=before).must("getSession") is None
    assert [session["token"] for session in browser.must("listSessions")] == [after]


def test_nobody_signed_in_is_told_so(door: Door) -> None:
    for call in ("listSessions", "revokeSessions", "revokeOtherSessions"):
        assert door.browser().call(call).refusal == (401, "UNAUTHORIZED")
    assert door.browser().must("getSession") is None


def test_a_person_changes_name_and_picture_and_the_client_reads_them(door: Door) -> None:
    browser = door.student("painter")
    changed = browser.call("updateUser", {"name": "Zoë 😀", "image": "https://school.test/z.png"})
    assert changed.data == {"status": True}
    assert [line.split("=")[0] for line in changed.wire.setCookies] == ["better-auth.session_token"]
    user = browser.must("getSession")["user"]
    assert (user["name"], user["image"]) == ("Zoë 😀", "https://school.test/z.png")
    browser.must("updateUser", {"image": None})
    assert browser.must("getSession")["user"]["image"] is None


def test_an_address_is_not_changed_this_way_and_nothing_is_not_a_change(door: Door) -> None:
    browser = door.student("mover")
    assert browser.call("updateUser", {"email": "x@school.test"}).refusal == (400, "EMAIL_CAN_NOT_BE_UPDATED")
    nothing = browser.fetch("/update-user", method="POST", body="{}", headers={"content-type": "application/json"})
    assert (nothing.status, nothing.text) == (400, '{"message":"No fields to update"}')


def test_a_changed_password_keeps_the_other_sessions(door: Door) -> None:
    laptop, phone = door.student("changer"), door.another("changer")
    given = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    changed = laptop.must("changePassword", given)
    assert (changed["token"], changed["user"]["email"]) == (None, "changer@school.test")
    assert phone.must("getSession") is not None
    assert laptop.call("changePassword", given).refusal == (400, "INVALID_PASSWORD")
    credentials = {"email": "changer@school.test", "password": PASSWORD}
    assert door.browser().call("signIn.email", credentials).refusal == (401, "INVALID_EMAIL_OR_PASSWORD")
    door.browser().must("signIn.email", credentials | {"password": NEW_PASSWORD})


def test_a_changed_password_ends_the_others_if_asked_and_opens_a_new_session(door: Door) -> None:
    laptop, phone = door.student("guard"), door.another("guard")
    before = laptop.must("getSession")["session"]["token"]
    given = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD, "revokeOtherSessions": True}
    changed = laptop.must("changePassword", given)
    assert phone.must("getSession") is None
    assert door.browser(cookies=False, origin=None, bearer=before).must("getSession") is None
    assert laptop.must("getSession")["session"]["token"] == changed["token"] != before


def test_a_forgotten_password_is_set_anew_by_mail_once(door: Door) -> None:
    laptop = door.student("forgetful")
    asked = laptop.must("requestPasswordReset", {"email": "forgetful@school.test", "redirectTo": "/new?step=2"})
    assert asked["status"] is True
    link = door.mailed_link("forgetful@school.test", containing="/reset-password/")
    followed = door.browser().fetch(link)
    token = link.removeprefix("/reset-password/").partition("?")[0]
    assert (followed.status, len(token), token.isalnum()) == (302, 24, True)
    assert followed.headers["location"].endswith(f"/new?step=2&token={token}")
    browser = door.browser()
    assert browser.must("resetPassword", {"newPassword": NEW_PASSWORD, "token": token}) == {"status": True}
    again = browser.call("resetPassword", {"newPassword": PASSWORD, "token": token})
    assert again.refusal == (400, "INVALID_TOKEN")
    assert laptop.must("getSession") is None
    browser.must("signIn.email", {"email": "forgetful@school.test", "password": NEW_PASSWORD})


def test_an_unknown_address_is_told_the_same_and_gets_no_mail(door: Door) -> None:
    door.student("known")
    told = [
        door.browser().call("requestPasswordReset", {"email": f"{name}@school.test"}).wire.text
        for name in ("known", "unknown")
    ]
    assert told[0] == told[1]
    door.mailed_link("known@school.test", containing="/reset-password/")
    assert door.mails_to("unknown@school.test") == []


def test_an_address_is_verified_by_mail_and_the_link_may_be_followed_twice(door: Door) -> None:
    browser = door.student("prover")
    address = {"email": "prover@school.test"}
    browser.must("sendVerificationEmail", {**address, "callbackURL": "/welcome"})
    link = door.mailed_link("prover@school.test", containing="callbackURL=%2Fwelcome")
    for _ in range(2):
        followed = door.browser().call("verifyEmail", {"query": {"token": _token(link)}})
        assert (followed.data, followed.wire.setCookies) == ({"status": True, "user": None}, [])
    assert door.browser().fetch(link).headers["location"] == "/welcome"
    assert browser.must("getSession")["user"]["emailVerified"] is True
    assert browser.call("sendVerificationEmail", address).refusal == (400, "EMAIL_ALREADY_VERIFIED")


def test_a_forged_link_verifies_nothing(door: Door) -> None:
    browser = door.student("forged")
    browser.must("sendVerificationEmail", {"email": "forged@school.test"})
    token = _token(door.mailed_link("forged@school.test", containing="/verify-email?"))
    for forged in (f"{token[:-6]}AAAAAA", "nonsense"):
        refused = door.browser().call("verifyEmail", {"query": {"token": forged}})
        assert refused.refusal == (401, "INVALID_TOKEN")
    assert browser.must("getSession")["user"]["emailVerified"] is False


def test_a_new_address_counts_when_its_owner_has_followed_the_link(door: Door) -> None:
    browser = door.student("moving")
    browser.must("changeEmail", {"newEmail": "Moved@school.test"})
    assert browser.must("getSession")["user"]["email"] == "moving@school.test"
    token = _token(door.mailed_link("moved@school.test", containing="/verify-email?"))
    changed = browser.must("verifyEmail", {"query": {"token": token}})
    assert (changed["user"]["email"], changed["user"]["emailVerified"]) == ("moved@school.test", True)
    door.browser().must("signIn.email", {"email": "moved@school.test", "password": PASSWORD})


def test_a_taken_address_is_told_the_same_and_its_owner_gets_no_link(door: Door) -> None:
    first, second = door.student("first"), door.student("second")
    assert second.must("changeEmail", {"newEmail": "first@school.test"}) == {"status": True}
    first.must("requestPasswordReset", {"email": "first@school.test"})
    door.mailed_link("first@school.test", containing="/reset-password/")
    assert not [url for url in door.mails_to("first@school.test") if "updateTo" in _claims(url)]


def test_a_deleted_person_is_gone_from_every_device_and_the_address_is_free(door: Door) -> None:
    laptop, phone = door.student("gone"), door.another("gone")
    assert laptop.call("deleteUser", {"password": "not-the-password"}).refusal == (400, "INVALID_PASSWORD")
    deleted = laptop.call("deleteUser", {"password": PASSWORD})
    assert (deleted.data, deleted.jar) == ({"success": True, "message": "User deleted"}, {})
    assert phone.must("getSession") is None
    credentials = {"email": "gone@school.test", "password": PASSWORD}
    assert door.browser().call("signIn.email", credentials).refusal == (401, "INVALID_EMAIL_OR_PASSWORD")
    user = door.student("gone").must("getSession")["user"]
    assert user["updatedAt"] - user["createdAt"] < timedelta(seconds=5)


def _token(link: str) -> str:
    return link.partition("token=")[2].partition("&")[0]


def _claims(link: str) -> dict[str, object]:
    """What the token of a verification link says; nothing of other links."""
    _, _, token = link.partition("/verify-email?token=")
    return jwt.decode(token.partition("&")[0], options={"verify_signature": False}) if token else {}
