"""The list of passwords that are tried first."""

import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from domain.auth.common_passwords import folded, is_common, listed
from domain.auth.passwords import MAX_PASSWORD_LENGTH, SHORTEST_PASSWORD

ROOT = Path(__file__).parents[3]


def test_the_list_is_long_enough_and_every_line_of_it_counts() -> None:
    """At least 3,000 that any policy of ours would otherwise accept, each in the form in which it is compared, once."""
    passwords = listed()
    assert len(passwords) == len(set(passwords)) >= 3_000
    assert all(password == folded(password) for password in passwords)
    assert all(SHORTEST_PASSWORD <= len(password) <= MAX_PASSWORD_LENGTH for password in passwords)


def test_no_line_has_the_marks_of_a_web_page() -> None:
    """Nobody types `&hearts:`."""
    assert [password for password in listed() if re.search(r"&#?\w+[:;]", password)] == []


def test_what_everybody_would_guess_is_on_it_and_stands_near_the_top() -> None:
    top = listed()[:500]
    for guess in ("password", "12345678", "qwertyuiop", "iloveyou", "passw0rd", "letmein123", "samantha", "pakistan"):
        assert guess in top


def test_a_password_is_looked_up_as_a_whole() -> None:
    assert is_common("football")
    assert not is_common("footbal")
    assert not is_common("football ")
    assert not is_common("footballfootball2")


@pytest.mark.parametrize(
    ("text", "form"), [("ＰＡＳＳword", "password"), ("STRASSE", "strasse"), ("Straße", "strasse"), ("ǅ", "dž")]
)
def test_case_and_width_are_folded(text: str, form: str) -> None:
    assert folded(text) == form == folded(form)


def test_the_list_is_read_when_a_password_is_chosen_and_not_before() -> None:
    program = "import domain.auth.passwords, domain.auth.common_passwords as c; print(c._common.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT / "src", capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_the_list_is_part_of_the_package() -> None:
    assert files("domain.auth").joinpath("common-passwords.txt").is_file()
