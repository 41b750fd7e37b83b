"""Who somebody means by an address or a username."""

from __future__ import annotations

import pytest

from application.auth.naming import FindAddress
from tests.support.auth_builders import AuthInMemory, a_user, auth_in_memory


@pytest.fixture
async def auth() -> AuthInMemory:
    return auth_in_memory()


@pytest.mark.parametrize("named", ["ada", "ADA", " ada "])
async def test_a_username_means_the_address_of_its_account(auth: AuthInMemory, named: str) -> None:
    await auth.add(a_user(email="ada@school.example", username="ada"))
    assert await FindAddress(people=auth.reader)(named) == "ada@school.example"


@pytest.mark.parametrize("named", ["somebody", "eve@school.example", ""])
async def test_whatever_else_means_itself(auth: AuthInMemory, named: str) -> None:
    await auth.add(a_user(email="ada@school.example", username="ada"))
    assert await FindAddress(people=auth.reader)(named) == named
