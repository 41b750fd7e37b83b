"""Every provider builds, and every use case gets what it asks for: dependency-injector checks neither."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from adapters.postgres.transaction import PostgresTransaction
from application.ports import Transaction
from entrypoints.container import Container
from entrypoints.settings import Settings

SETTINGS = Settings(database_url="postgresql://nowhere.invalid/ace", secret_keys=("k3J9-d8sPq_72mZx-w01nBvC-yT5uE6rA",))
NAMES = sorted(Container.providers)
USE_CASES = [name for name in NAMES if is_dataclass(getattr(Container.providers[name], "cls", None))]


@pytest.fixture(scope="module")
def container() -> Container:
    return Container(settings=SETTINGS)


async def built(container: Container, name: str) -> Any:
    """In a running event loop, as when the server starts."""
    arguments = ("network-fundamentals",) if name == "demo_file" else ()
    return container.providers[name](*arguments)


@pytest.mark.parametrize("name", NAMES)
async def test_every_provider_builds(container: Container, name: str) -> None:
    assert await built(container, name) is not None


@pytest.mark.parametrize("name", USE_CASES)
async def test_what_is_built_holds_what_it_asks_for(container: Container, name: str) -> None:
    thing = await built(container, name)
    hints = get_type_hints(type(thing))

    for field in fields(thing):
        value, hint = getattr(thing, field.name), hints[field.name]
        origin = get_origin(hint) or hint
        assert origin in type(value).__mro__, f"{name}.{field.name} is a {type(value).__name__}, not a {hint}"
        if origin is Transaction:
            assert isinstance(value, PostgresTransaction)
            (work,) = get_args(hint)
            assert work in value._work_type.__mro__, f"{name}.{field.name} works with {value._work_type.__name__}"
