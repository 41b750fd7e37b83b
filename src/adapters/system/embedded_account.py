"""The account that PostgreSQL runs as: our own, or an unprivileged one when we are root, which PostgreSQL refuses."""

import logging
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)
_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who PostgreSQL runs as and who its files belong to; without ids it is whoever we are."""

    uid: int | None = None
    gid: int | None = None

    @property
    def effective_uid(self) -> int:
        return os.geteuid() if self.uid is None else self.uid

    @property
    def extra_groups(self) -> list[int] | None:
        """None keeps our supplementary groups, an empty list sheds root's."""
        return None if self.uid is None else []

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def own_tree(self, folder: Path) -> None:
        """Give away a cluster that belongs to someone else, as a copy made by root does."""
        if self.uid is None or folder.stat().st_uid == self.uid:
            return
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                self.own(Path(parent, name))
        self.own(folder)

    def open_way_to(self, path: Path) -> None:
        """Let the account pass through the folders above `path`: search permission only, and only where it lacks."""
        for folder in path.resolve().parents:
            status = folder.stat()
            if self.uid in (None, status.st_uid) or status.st_mode & stat.S_IXOTH:
                continue
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
            _log.warning("PostgreSQL does not run as root, so its account may now pass through %s (chmod o+x)", folder)

    def open_tree(self, folder: Path, witness: Path) -> None:
        """Make installed programs readable, when `witness` shows that a strict umask kept them for root."""
        readable = stat.S_IROTH | stat.S_IXOTH
        if self.uid is None or witness.stat().st_mode & readable == readable:
            return
        for path in (folder, *folder.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def choose_account(folder: Path) -> Account:
    """Ourselves, unless we are root: then whoever owns the folder (or where it will be), else an unprivileged account.

    The owner comes first so that a cluster keeps its account for life, and `sudo` in a user's home leaves files that
    the user can still use.
    """
    if os.geteuid() != 0:
        return Account()
    for entry in _candidates(folder):
        if entry.pw_uid != 0:
            return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise PermissionError(1, "PostgreSQL cannot run as root and no account named postgres or nobody exists")


def _candidates(folder: Path) -> Iterator[pwd.struct_passwd]:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    owner = nearest.stat().st_uid
    with suppress(KeyError):
        yield pwd.getpwuid(owner)
    for name in _UNPRIVILEGED:
        with suppress(KeyError):
            yield pwd.getpwnam(name)
