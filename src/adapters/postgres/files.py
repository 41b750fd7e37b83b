"""Where the SQL files are: beside this package in an installed wheel, in `sql/` of a checkout."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "sql"
_CHECKOUT = Path(__file__).parents[3] / "sql"


def sql_folder() -> Path:
    """The folder that holds `queries` and `migrations`."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
