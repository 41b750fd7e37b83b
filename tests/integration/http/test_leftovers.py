"""What a request leaves behind when it is over: nothing that waits for the collector of cycles."""

from __future__ import annotations

import gc

import pytest

from entrypoints.http.exchange import Exchange
from tests.support.callers import Wire
from tests.support.http import build_app
from tests.support.sample_area import sample_area


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/items/itm_1", 200),
        ("GET", "/nothing", 404),
        ("POST", "/healthz", 405),
        ("POST", "/items", 422),
        ("GET", "/items/%00", 404),
        ("OPTIONS", "/items", 204),
        ("HEAD", "/items", 200),
        ("DELETE", "/items/itm_1", 204),
    ],
)
async def test_what_a_request_leaves_behind_is_gone_at_once(method: str, path: str, status: int) -> None:
    """The collector would look through all that thousands of them left.

    A defect is not asked for: its traceback names everything, and whoever captures the log keeps it.
    """
    app = build_app(sample_area())
    async with app.lifespan():
        wire = Wire(app)
        assert (await wire.ask(method, path, {})).status_code == status  # what is made once is made
        gc.collect()
        gc.disable()
        try:
            await wire.ask(method, path, {})
            left = [each for each in gc.get_objects() if isinstance(each, Exchange)]
        finally:
            gc.enable()
    assert left == []
