"""ZIP archives from strangers, read without ever unpacking them to disk, and archives of our own, the same every time.

Nothing is inflated but what is asked for, and what is inflated is counted as it comes: the sizes that an archive
states about itself are not believed.
"""

from __future__ import annotations

import re
import stat
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final
from urllib.parse import unquote
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from domain.question_bank.import_refusals import BadZip, MissingManifest, UnsafePath, ZipTooLarge
from domain.question_bank.imported import shown

MANIFEST: Final = "imsmanifest.xml"
_CHUNK: Final = 64 * 1024
_DIRECTORY: Final = 4 * 1024 * 1024
"""Bytes that the list of an archive's entries may take: `zipfile` reads it in one piece and keeps all of it."""
_RATIO_FREE: Final = 1024 * 1024
"""Inflated bytes below which the ratio says nothing: a page of blanks may shrink a thousandfold."""
_MASK_ENCRYPTED: Final = 0x1
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\]|^/|^[A-Za-z]:|^[A-Za-z][A-Za-z0-9+.-]*://|(?:^|/)\.\.(?:/|$)")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_SPOOLED: Final = 8 * 1024 * 1024


class MissingEntry(LookupError):
    """The manifest names a file that the archive does not hold."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """Entries, inflated bytes of one file and of all that is read, and by what factor a file may grow."""

    entries: int = 10_000
    file_bytes: int = 50 * 1024 * 1024
    total_bytes: int = 500 * 1024 * 1024
    ratio: int = 200


DEFAULT_LIMITS: Final = ArchiveLimits()


class SafeArchive:
    """The files of a ZIP archive by name.

    Opening reads the list of entries alone. It refuses with `BadZip`, `ZipTooLarge`, or `UnsafePath`: one dangerous,
    repeated or special entry condemns the whole archive, whether anything refers to it or not.
    """

    def __init__(self, file: IO[bytes], limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._inflated = 0
        with _as_bad_zip():
            self._zip = ZipFile(_Bounded(file))
        entries = self._zip.infolist()
        if len(entries) > limits.entries:
            raise ZipTooLarge(f"{len(entries)} entries; {limits.entries} is the most")
        self._entries = _judged(entries)
        # Names are composed on some systems and decomposed on others.
        self._spelled = {unicodedata.normalize("NFC", name): name for name in self._entries}

    @property
    def names(self) -> tuple[str, ...]:
        """The files in the order of the archive; folders are no entries of their own."""
        return tuple(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def manifest(self, name: str = MANIFEST) -> str:
        """The manifest at the top or, where a folder was zipped instead of its content, in its only folder.

        Raises `MissingManifest`.
        """
        if name in self._entries:
            return name
        nested = [entry for entry in self._entries if entry.endswith(f"/{name}") and not entry.startswith("__MACOSX/")]
        least = min((entry.count("/") for entry in nested), default=0)
        shallow = [entry for entry in nested if entry.count("/") == least]
        if len(shallow) != 1:
            raise MissingManifest(f"No {name}" if not shallow else f"{len(shallow)} files are called {name}")
        return shallow[0]

    def locate(self, href: str, *, beside: str = "") -> str:
        """The entry that a URI-encoded reference means, seen from the file `beside` which it stands (the manifest).

        Raises `UnsafePath` for what leads out, before or after it is decoded, and `MissingEntry` for what is not there.
        """
        folder = beside[: beside.rfind("/") + 1]
        reference = href.partition("#")[0].partition("?")[0]
        for path in (unquote(reference, errors="replace"), reference, href):
            if name := _entry_name(folder, path):
                _refuse_unsafe(path)
                if found := self._spelled.get(unicodedata.normalize("NFC", name)):
                    return found
        raise MissingEntry(href)

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of an entry, inflated piece by piece. Raises `ZipTooLarge`, `BadZip`, `MissingEntry`."""
        entry = self._entries.get(name)
        if entry is None:
            raise MissingEntry(name)
        _refuse_unreadable(entry)
        size = 0
        with _as_bad_zip(), self._zip.open(entry) as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                self._inflated += len(chunk)
                self._refuse_excess(entry, size)
                yield chunk

    def read(self, name: str) -> bytes:
        """The whole content of an entry, at most `file_bytes` of it."""
        return b"".join(self.chunks(name))

    def _refuse_excess(self, entry: ZipInfo, size: int) -> None:
        limits = self._limits
        if size > limits.file_bytes:
            raise ZipTooLarge(f"{shown(entry.filename)} inflates to more than {limits.file_bytes} bytes")
        if self._inflated > limits.total_bytes:
            raise ZipTooLarge(f"The files inflate to more than {limits.total_bytes} bytes")
        if size > _RATIO_FREE and size > limits.ratio * entry.compress_size:
            raise ZipTooLarge(f"{shown(entry.filename)} inflates to more than {limits.ratio} times its size")


def write_archive(files: Iterable[tuple[str, bytes | Iterable[bytes]]]) -> Iterator[bytes]:
    """A ZIP archive of the files in their order: same files, same bytes, for it knows no clock and no owner.

    Every file of it waits in a temporary one until it is whole, so that readers without patience for streamed archives
    find every size in its place; those before it are on their way by then.
    """
    with _Window() as window:
        with ZipFile(window, "w") as archive:
            for name, content in files:
                _write_file(archive, name, content)
                if window.waiting >= _CHUNK:
                    yield from window.taken()
        yield from window.taken()


def _write_file(archive: ZipFile, name: str, content: bytes | Iterable[bytes]) -> None:
    if _UNSAFE.search(name) or name in archive.NameToInfo:
        raise ValueError(f"{name!r} cannot be the name of a file in an archive")
    entry = ZipInfo(name, _EPOCH)
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    with archive.open(entry, "w") as file:
        for chunk in (content,) if isinstance(content, bytes) else content:
            file.write(chunk)


def _judged(entries: Iterable[ZipInfo]) -> dict[str, ZipInfo]:
    judged: dict[str, ZipInfo] = {}
    seen: set[str] = set()
    for entry in entries:
        # `filename` ends at the first NUL, which is how one name passes a check and another one is used.
        _refuse_unsafe(entry.orig_filename)
        _refuse_special(entry)
        same = unicodedata.normalize("NFC", entry.filename)
        if same in seen:
            raise UnsafePath(f"{shown(entry.filename)} stands twice in the archive")
        seen.add(same)
        if not entry.is_dir():
            judged[entry.filename] = entry
    return judged


def _refuse_unsafe(name: str) -> None:
    if _UNSAFE.search(name):
        raise UnsafePath(f"{shown(name)} is not a path within the archive")


def _refuse_special(entry: ZipInfo) -> None:
    """Symbolic links, devices and pipes; archives made elsewhere than on Unix say nothing here."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsafePath(f"{shown(entry.filename)} is a link or a special file")


def _refuse_unreadable(entry: ZipInfo) -> None:
    if entry.flag_bits & _MASK_ENCRYPTED:
        raise BadZip(f"{shown(entry.filename)} is encrypted")
    # The other methods of `zipfile` inflate without a bound on what comes out at once.
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadZip(f"{shown(entry.filename)} is compressed by a method that is not read here")


def _entry_name(folder: str, path: str) -> str:
    parts = [part for part in path.split("/") if part != "."]
    return folder + "/".join(parts) if any(parts) else ""


@contextmanager
def _as_bad_zip() -> Iterator[None]:
    """Whatever `zipfile` stumbles over in a damaged archive becomes one refusal."""
    try:
        yield
    except (BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError) as fault:
        raise BadZip from fault


class _Window(BufferedIOBase):
    """The end of an archive that is written; `zipfile` goes back in it no further than to the head of the last file.

    It is kept in memory as long as it is small.
    """

    def __init__(self) -> None:
        super().__init__()
        self._end = SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115 (closed with the window)
        self._before = 0

    @property
    def waiting(self) -> int:
        """How many bytes were written and not taken, between files of the archive."""
        return self._end.tell()

    def taken(self) -> Iterator[bytes]:
        """What is waiting; from then on nobody may go back there."""
        self._before += self.waiting
        self._end.seek(0)
        while chunk := self._end.read(_CHUNK):
            yield chunk
        self._end.seek(0)
        self._end.truncate()

    def write(self, content: Any, /) -> int:
        return self._end.write(content)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._before + self._end.seek(offset - self._before, whence)

    def tell(self) -> int:
        return self._before + self._end.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._end.close()
        super().close()


class _Bounded(BufferedIOBase):
    """The file as `zipfile` sees it, which reads the list of entries in one piece: more than that is never read."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and 0 <= size <= _DIRECTORY:
            return self._file.read(size)
        found = self._file.read(_DIRECTORY + 1)
        if len(found) > _DIRECTORY:
            raise ZipTooLarge(f"The list of entries is longer than {_DIRECTORY} bytes")
        return found

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True
