"""The migrations that this code brings: its own files, and those of the job queue's package."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from adapters.postgres.files import sql_folder

QUEUE_PREFIX = "procrastinate/"
_OWN = re.compile(r"\d{4}_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One forward step of the schema. Once applied its text never changes."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """The same on every system, whatever its ends of line."""
        return hashlib.sha256("\n".join(self.text.splitlines()).encode()).hexdigest()


def own_migrations(folder: Path | None = None) -> tuple[Migration, ...]:
    """`sql/migrations/NNNN_name.sql` in order."""
    found = sorted((folder or sql_folder() / "migrations").glob("*.sql"))
    strangers = [path.name for path in found if not _OWN.fullmatch(path.name)]
    if strangers:
        raise ValueError(f"these are not named NNNN_name.sql: {', '.join(strangers)}")
    numbers = [path.name[:4] for path in found]
    if len(set(numbers)) != len(numbers):
        raise ValueError("two migrations have the same number")
    return tuple(Migration(path.stem, path.read_text(encoding="utf-8")) for path in found)


def queue_migrations() -> tuple[Migration, ...]:
    """The steps of the job queue's schema since its beginning; a new installation takes `queue_schema` instead."""
    found = sorted((_queue_folder() / "migrations").glob("*.sql"))
    return tuple(Migration(QUEUE_PREFIX + path.stem, path.read_text(encoding="utf-8")) for path in found)


def queue_schema() -> str:
    """The job queue's whole schema, as it is after all its migrations."""
    return (_queue_folder() / "schema.sql").read_text(encoding="utf-8")


def _queue_folder() -> Path:
    # Found without importing the package, which would cost more than everything else that a start does.
    package = find_spec("procrastinate")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "sql"
