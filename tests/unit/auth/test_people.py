"""Addresses, usernames and names as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.auth.people import Role, UserStatus, normalise_email, normalise_name, normalise_username
from domain.errors import InvalidInput
from tests.support.auth_builders import NOW, a_user


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace+exam@Example.ORG ", "ada.lovelace+exam@example.org"),
        ("o'neill@sub.example.co", "o'neill@sub.example.co"),
        ("x@xn--mller-kva.example", "x@xn--mller-kva.example"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_an_address_is_kept_trimmed_and_in_lower_case(typed: str, kept: str) -> None:
    assert normalise_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@localhost",
        "ada@@example.org",
        "ada@example..org",
        "ada@-example.org",
        "ada@example.org.",
        ".ada@example.org",
        "ada.@example.org",
        "a da@example.org",
        "ada@example.org\nbcc: eve@example.org",
        "ada@exam\0ple.org",
        "ada@müller.example",
        "а@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 64 + ".org",
        "a@" + ".".join(["b" * 60] * 5) + ".org",
    ],
)
def test_what_is_no_address_is_refused_with_the_field(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalise_email(typed)
    assert [problem.pointer for problem in refused.value.problems] == ["/email"]


@given(st.emails(domains=st.just("example.org")).filter(lambda address: address.isascii()))
def test_normalising_an_address_again_changes_nothing(address: str) -> None:
    once = normalise_email(address)
    assert normalise_email(once) == once
    assert normalise_email(address.upper()) == once


@pytest.mark.parametrize(
    ("typed", "kept"), [(None, None), ("", None), (" ", None), (" ada.l ", "ada.l"), ("Ada", "Ada")]
)
def test_a_username_is_optional(typed: str | None, kept: str | None) -> None:
    assert normalise_username(typed) == kept


@pytest.mark.parametrize("typed", ["ab", "a b c", "ada@home", "-ada", "ada.", "a" * 65, "ad\0a", "адa"])
def test_a_username_of_another_shape_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalise_username(typed)
    assert [problem.pointer for problem in refused.value.problems] == ["/username"]


def test_a_name_is_written_in_any_script() -> None:
    assert normalise_name("  Zoe\u0308 王 ") == "Zoë 王"
    assert normalise_name(None) == ""


@pytest.mark.parametrize("typed", ["a" * 201, "Ada\nLovelace", "Ada\0", "Ada\u2028L", "\udc80"])
def test_a_name_is_one_line_of_bounded_length(typed: str) -> None:
    with pytest.raises(InvalidInput):
        normalise_name(typed)


def test_a_disabled_or_deleted_person_is_not_alive() -> None:
    assert a_user().is_alive
    assert not a_user(status=UserStatus.DISABLED).is_alive
    assert not a_user(deleted_at=NOW).is_alive


def test_a_person_is_shown_without_the_password_hash() -> None:
    assert "kept:" not in repr(a_user())


def test_instructors_and_admins_are_staff() -> None:
    assert [role for role in Role if role.is_staff] == [Role.INSTRUCTOR, Role.ADMIN]


def test_a_name_of_a_million_marks_is_refused_before_it_is_composed() -> None:
    """Composing it would take minutes."""
    with pytest.raises(InvalidInput):
        normalise_name("a" + "\u0301\u0316" * 500_000)
