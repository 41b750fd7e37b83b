"""The folder of an embedded PostgreSQL: what lies where, what may lie there, and the refusal that names it.

postgres/            0700
  cluster/           the data directory of PostgreSQL itself
  cluster.new/       one being created; renamed when complete, so a half-made cluster is never used
  run/               the unix socket, unless the path is too long for one
  postgres.log       PostgreSQL's own log; postgres.log.1 is the one before
  start.lock         held while starting or stopping
  users.lock         held, shared, by every process that uses the server
"""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from adapters.system.embedded_account import Account

MAJOR_VERSION = "18"
_OWN_NAMES = frozenset(
    {"cluster", "cluster.new", "run", "postgres.log", "postgres.log.1", "start.lock", "users.lock", "lost+found"}
)
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 103  # bytes: 107 on Linux, 103 on macOS
_LOG_LIMIT = 10 * 1024 * 1024
# PostgreSQL reads its socket folder as a comma-separated list with quoting: other paths get a folder elsewhere.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+=@-]+")


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot serve; the text is for a human: which folder, what happened, what to do."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths below one data folder, and the checks that protect what a person may keep there."""

    root: Path

    @property
    def cluster(self) -> Path:
        return self.root / "cluster"

    @property
    def staging(self) -> Path:
        return self.root / "cluster.new"

    @property
    def pid_file(self) -> Path:
        return self.cluster / "postmaster.pid"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def start_lock(self) -> Path:
        return self.root / "start.lock"

    @property
    def users_lock(self) -> Path:
        return self.root / "users.lock"

    @property
    def tag(self) -> str:
        """A word in the title of every process of this cluster, by which they are told from all others."""
        return "ace-" + hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]

    def prepare(self, account: Account) -> None:
        """Make the folder ours alone (0700), after refusing one that holds something else."""
        if self.root.is_dir():
            self._refuse_foreign_content()
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        account.open_way_to(self.root)
        account.own(self.root)
        self.root.chmod(0o700)
        if self.cluster.is_dir():
            self._refuse_other_version()
            account.own_tree(self.cluster)

    def socket_folder(self, account: Account) -> Path:
        """A private folder whose socket path fits: inside the data folder, else below the system's temporary one."""
        inside = self.root / "run"
        chosen = inside if _fits(inside) else Path(tempfile.gettempdir()) / self.tag
        if not _fits(chosen):
            raise EmbeddedPostgresError(
                f"No folder is short enough for the socket of the database in {self.root}: {chosen} is too long as"
                " well. Set TMPDIR or ACE_DATA_DIR to a shorter path, or set DATABASE_URL."
            )
        chosen.mkdir(mode=0o700, exist_ok=True)
        _refuse_squatted(chosen, account)
        account.open_way_to(chosen)
        account.own(chosen)
        chosen.chmod(0o700)
        return chosen

    def rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_name("postgres.log.1"))

    def log_tail(self, lines: int = 12) -> str:
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def _refuse_foreign_content(self) -> None:
        found = sorted(entry.name for entry in self.root.iterdir())
        foreign = [name for name in found if name not in _OWN_NAMES]
        if foreign and "cluster" not in found:
            raise EmbeddedPostgresError(
                f"{self.root} holds other files ({', '.join(foreign[:3])}{' …' if len(foreign) > 3 else ''}) and no"
                " database of Ace. Nothing was touched. Choose an empty folder with ACE_DATA_DIR, or set DATABASE_URL."
            )

    def _refuse_other_version(self) -> None:
        try:
            version = (self.cluster / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedPostgresError(
                f"{self.cluster} is not a PostgreSQL cluster (no PG_VERSION). Move it away so that a new one can be"
                " made, or choose another folder with ACE_DATA_DIR."
            ) from None
        if version != MAJOR_VERSION:
            raise EmbeddedPostgresError(
                f"{self.cluster} was made by PostgreSQL {version}, and the embedded one is {MAJOR_VERSION}."
                f" Dump it with PostgreSQL {version} and restore it into a new folder, choose another folder with"
                " ACE_DATA_DIR, or set DATABASE_URL to a server of that version."
            )


def _fits(folder: Path) -> bool:
    path = folder / _SOCKET_NAME
    return len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT and _PLAIN_PATH.fullmatch(str(path)) is not None


def _refuse_squatted(folder: Path, account: Account) -> None:
    """In a shared temporary folder anybody may have made this name first; a link or another's folder is not used."""
    if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), account.effective_uid):
        raise EmbeddedPostgresError(
            f"{folder}, where the database's socket belongs, was made by somebody else. Remove it, or set TMPDIR or"
            " ACE_DATA_DIR to another folder."
        )


@contextmanager
def explained(folder: Folder) -> Iterator[None]:
    """Turn a refusal of the file system, or of the server while we set it up, into a sentence about the folder."""
    try:
        yield
    except psycopg.Error as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL in {folder.root} runs but could not be set up: {error}. The end of"
            f" {folder.log}:\n{folder.log_tail()}"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "The disk is full: make room and start again."
        else:
            advice = "Choose a folder you may write to with ACE_DATA_DIR, or set DATABASE_URL."
        where = error.filename or folder.root
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL cannot use {folder.root} ({where}: {error.strerror}). {advice}"
        ) from error
