"""Passwords from end to end: what is accepted, how it is compared and kept, and how one gets another."""

from __future__ import annotations

import re

import httpx
import pytest
from argon2 import Type, extract_parameters
from msgspec import Struct

from application.auth.registering import NewUser
from application.mail import MailKind
from domain.auth.common_passwords import listed
from domain.auth.passwords import PasswordRefused, check_password
from domain.auth.people import NO_PASSWORD, Role
from entrypoints.container import Container
from entrypoints.http import account_bodies, admin_bodies, auth_bodies
from entrypoints.settings import Settings
from tests.support.auth_http import code
from tests.support.mailbox import OutboxMailbox
from tests.support.visitors import Visitor, visitor
from tests.support.whole_site import PASSWORD, SECRET, WholeSite

_NEW = "a wholly different sentence"


def refusal(answer: httpx.Response) -> tuple[int, str, list[str]]:
    return answer.status_code, code(answer), [error["code"] for error in answer.json()["errors"]]


async def reset_secret(mailbox: OutboxMailbox, person: Visitor) -> str:
    """The secret of a link that the person asks for."""
    assert (await person.post("request-password-reset", email=person.email)).status_code == 202
    mail = await mailbox.newest(MailKind.RESET_PASSWORD, person.email)
    assert mail.to == person.email
    return mail.secret


@pytest.mark.parametrize(("role", "least"), [(Role.STUDENT, 8), (Role.INSTRUCTOR, 15), (Role.ADMIN, 15)])
async def test_asvs_6_2_1_one_character_less_than_the_least_is_refused(
    whole_site: WholeSite, role: Role, least: int
) -> None:
    text = "xq7 vuz kfw jyt pmb"[:least]
    for password, accepted in ((text[:-1], False), (text, True)):
        new = NewUser(role=role, email=f"{role}{len(password)}@least.example", password=password)
        if accepted:
            await whole_site.container.create_user()(new)
        else:
            with pytest.raises(PasswordRefused):
                await whole_site.container.create_user()(new)


async def test_asvs_6_2_1_and_6_2_9_lengths_at_the_door(whole_site: WholeSite) -> None:
    for length, told in ((7, "too_short"), (8, None), (64, None), (128, None), (129, "too_long")):
        async with visitor(whole_site) as person:
            person.password = ("xq7 vuz kfw jyt " * 9)[:length]
            answer = await person.register()
            if told is None:
                assert answer.status_code == 201, (length, answer.text)
                assert (await person.sign_in()).status_code == 200
            else:
                assert refusal(answer) == (422, "auth.password_refused", [told])


async def test_asvs_6_2_2_and_6_2_3_and_7_4_3_a_change_takes_the_current_password_and_ends_the_other_sessions(
    whole_site: WholeSite, ada: Visitor
) -> None:
    async with visitor(whole_site, ada.email) as elsewhere:
        assert (await elsewhere.sign_in()).status_code == 200
        wrong = await ada.post("change-password", currentPassword="not the password", newPassword=_NEW)
        assert (wrong.status_code, code(wrong)) == (403, "auth.current_password_wrong")
        missing = await ada.post("change-password", newPassword=_NEW)
        assert missing.status_code == 422
        assert (await elsewhere.me()).status_code == 200
        done = await ada.post("change-password", currentPassword=PASSWORD, newPassword=_NEW)
        assert (done.status_code, done.json()) == (200, {"revoked": 1})
        assert code(await elsewhere.me()) == "auth.session_ended"
        assert (await ada.me()).status_code == 200
        assert code(await elsewhere.sign_in()) == "auth.invalid_credentials"
        elsewhere.password = _NEW
        assert (await elsewhere.sign_in()).status_code == 200


async def test_asvs_7_4_3_a_reset_ends_every_session_and_signs_nobody_in(ada: Visitor, mailbox: OutboxMailbox) -> None:
    secret = await reset_secret(mailbox, ada)
    before = ada.access
    done = await ada.post("reset-password", token=secret, password=_NEW)
    assert done.status_code == 204
    assert "set-cookie" not in done.headers
    assert ada.access == before
    assert code(await ada.me()) == "auth.session_ended"
    again = await ada.post("reset-password", token=secret, password="yet another sentence")
    assert (again.status_code, code(again)) == (422, "auth.link_invalid")
    ada.password = _NEW
    assert (await ada.sign_in()).status_code == 200


def test_asvs_6_2_4_none_of_the_passwords_that_are_tried_first_is_accepted() -> None:
    tried_first = [word for word in listed() if len(word) >= 8]
    assert len(tried_first) >= 3_000
    for word in tried_first:
        for spelling in (word, word.upper()):
            with pytest.raises(PasswordRefused):
                check_password(spelling, min_length=8, email="ada@example.org")


@pytest.mark.parametrize("password", ["password1", "qwertyuiop", "P@ssw0rd!", "ace-ace-ace", "Ace2026!", "{local}-1"])
async def test_asvs_6_1_2_and_6_2_4_and_6_2_11_what_is_guessed_first_is_refused_wherever_one_chooses(
    ada: Visitor, mailbox: OutboxMailbox, whole_site: WholeSite, password: str
) -> None:
    """When registering, when changing it, by a link, and when an operator makes the account."""
    async with visitor(whole_site) as newcomer:
        newcomer.password = password.format(local=newcomer.email.partition("@")[0])
        assert refusal(await newcomer.register())[:2] == (422, "auth.password_refused")
    word = password.format(local=ada.email.partition("@")[0])
    changed = await ada.post("change-password", currentPassword=PASSWORD, newPassword=word)
    assert refusal(changed)[:2] == (422, "auth.password_refused")
    reset = await ada.post("reset-password", token=await reset_secret(mailbox, ada), password=word)
    assert refusal(reset)[:2] == (422, "auth.password_refused")
    made = NewUser(
        role=Role.STUDENT, email=ada.email.replace("visitor", "made"), password=word.replace("visitor", "made")
    )
    with pytest.raises(PasswordRefused):
        await whole_site.container.create_user()(made)
    assert (await ada.sign_in()).status_code == 200


_UNUSUAL = (
    "onlysmallletters",
    "ALLCAPITALLETTERS",
    "🦦🦀🐙🦑🐳🦭🐡🦐",
    "  two  blanks at both ends  ",
    "42 17 99 63 08",
    "ποντίκι στο σπίτι",
    "'; drop table users; --",
    "<b>&amp;</b>\t\\n",
)


@pytest.mark.parametrize("password", _UNUSUAL)
async def test_asvs_6_2_5_and_6_2_8_any_characters_do_and_each_of_them_counts(
    whole_site: WholeSite, password: str
) -> None:
    async with visitor(whole_site) as person:
        person.password = password
        assert (await person.register()).status_code == 201
        assert (await person.sign_in()).status_code == 200
        others = {password.swapcase(), password.strip(), password + " ", password[:-1], password + "x"} - {password}
        for other in others:
            person.password = other
            assert code(await person.sign_in()) == "auth.invalid_credentials", other


async def test_asvs_6_2_8_the_end_of_a_long_password_counts(whole_site: WholeSite) -> None:
    """Beyond the 72 bytes that some hashes look at."""
    async with visitor(whole_site) as person:
        person.password = "a long walk on the beach " * 5
        assert (await person.register()).status_code == 201
        person.password = person.password[:-1] + "."
        assert code(await person.sign_in()) == "auth.invalid_credentials"


async def test_asvs_6_2_10_a_password_does_not_expire(ada: Visitor, whole_site: WholeSite) -> None:
    keeper = whole_site.database.keeper
    columns = keeper.execute("select column_name from information_schema.columns where table_name = 'users'").fetchall()
    assert not [name for (name,) in columns if re.search("password.*(at|expir|until|age)|expir", name)]
    keeper.execute(
        "update users set created_at = now() - interval '10 years', updated_at = now() - interval '10 years'"
        " where email = %s",
        (ada.email,),
    )
    assert (await ada.sign_in()).status_code == 200


async def test_asvs_6_4_1_whoever_gets_an_account_chooses_the_password_by_a_link_that_is_good_once(
    whole_site: WholeSite, mailbox: OutboxMailbox
) -> None:
    made = await whole_site.ask(
        "POST", "/admin/users", "admin", json={"email": "grace@example.org", "role": "instructor", "name": "Grace"}
    )
    assert made.status_code == 201, made.text
    mail = await mailbox.newest(MailKind.SET_PASSWORD, "grace@example.org")
    assert mail.to == "grace@example.org"
    kept = whole_site.database.keeper.execute("select password_hash from users where email = %s", (mail.to,))
    assert kept.fetchone() == (NO_PASSWORD,), "there is none that could be sent"
    async with visitor(whole_site, "grace@example.org", "instructor") as grace:
        assert code(await grace.sign_in()) == "auth.invalid_credentials"
        assert (await grace.post("reset-password", token=mail.secret, password=_NEW)).status_code == 204
        assert (await grace.post("reset-password", token=mail.secret, password=_NEW)).status_code == 422
        grace.password = _NEW
        assert (await grace.sign_in()).status_code == 200


async def test_asvs_6_4_2_there_are_no_hints_and_no_secret_questions(site: WholeSite) -> None:
    """Neither a column nor a field of a body has room for one."""
    columns = site.database.keeper.execute(
        "select column_name from information_schema.columns"
        " where table_schema = 'public' and table_name in ('users', 'invitations', 'one_time_links')"
    ).fetchall()
    names = [name for (name,) in columns]
    for body in (auth_bodies, account_bodies, admin_bodies):
        types = [each for each in vars(body).values() if isinstance(each, type) and issubclass(each, Struct)]
        names += [name for each in types for name in each.__struct_fields__]
    assert {"password_hash", "current_password"} <= set(names)
    assert not [name for name in names if re.search("hint|question|maiden|mother|pet_", name)]


async def test_asvs_11_4_2_passwords_are_kept_as_argon2id(ada: Visitor, whole_site: WholeSite) -> None:
    """With the parameters of the settings, which cannot be set below these."""
    kept = whole_site.database.keeper.execute("select password_hash from users where email = %s", (ada.email,))
    (password_hash,) = kept.fetchone() or ("",)
    assert password_hash.startswith("$argon2id$v=19$")
    hasher = Container(settings=Settings(secret_keys=(SECRET,))).password_hasher()
    parameters = extract_parameters(await hasher.hash(PASSWORD))
    hasher.close()
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)
