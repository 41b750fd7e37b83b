"""docs/practice-platform.md tells every status that the door answers with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.settings import Settings

_TEXT: Final = (Path(__file__).parents[3] / "docs" / "practice-platform.md").read_text()


def test_every_status_of_an_error_has_a_row() -> None:
    table = _TEXT.split("| Status | When |\n")[1].split("\n\n")[0]
    told = {status for row in table.splitlines()[1:] for status in re.findall(r"\d+", row.split("|")[1])}
    container = Container(settings=Settings(secret_keys=("signs nothing here" * 3,)))
    found = {
        status
        for methods in create_app(container).document()["paths"].values()
        for operation in methods.values()
        if "practice-platform" in operation["tags"]
        for status in operation["responses"]
        if status >= "4" and status != "default"
    }
    assert {"400", "401", "415", "422"} < found
    # Another method is refused before there is an operation.
    assert told == found | {"405"}
