"""Every provider builds, and every use case gets what it asks for: dependency-injector checks neither."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from adapters.postgres.transaction import PostgresTransaction
from application.enrollment.auto_enrolling import AutoEnroll
from application.enrollment.expiring import ExpireEnrollments
from application.jobs import JobName
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


async def test_registration_speaks_of_all_that_its_welcome_speaks_of(container: Container) -> None:
    register = await built(container, "register_student")
    (work,) = get_args(AutoEnroll.__orig_bases__[0])  # type: ignore[attr-defined]
    assert isinstance(register.welcome, AutoEnroll)
    assert work in register.transact._work_type.__mro__


async def test_enrolments_that_are_over_are_written_down_every_few_minutes(container: Container) -> None:
    worker = await built(container, "job_worker")
    assert worker._periodic[JobName.EXPIRE_ENROLLMENTS] == "3-59/10 * * * *"
    assert isinstance(worker._tasks[JobName.EXPIRE_ENROLLMENTS], ExpireEnrollments)
    assert set(worker._periodic) <= set(worker._tasks)


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
            (asked,) = get_args(hint)
            # What a use case leaves open is at least what it is bound to.
            work = getattr(asked, "__bound__", asked)
            assert work in value._work_type.__mro__, f"{name}.{field.name} works with {value._work_type.__name__}"
