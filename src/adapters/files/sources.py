"""Where the bytes of a file come from: opened as often as needed, also by another process."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

_BUFFER = 256 * 1024


class FileSource:
    """A file at a path, or one that is open already. Sent to another process it is opened there anew.

    An open file is sent as its descriptor, which the other process must have inherited.
    """

    def __init__(
        self, *, path: Path | None = None, file: IO[bytes] | None = None, descriptor: int | None = None
    ) -> None:
        self._path = path
        self._file = file
        self._descriptor = descriptor
        self._opened: IO[bytes] | None = None
        self._read = 0

    @contextmanager
    def __call__(self) -> Iterator[IO[bytes]]:
        """The file, at its start. It is closed afterwards unless it was given open."""
        if self._file is not None:
            self._file.seek(0)
            self._opened = self._file
            yield self._file
            return
        with self._open() as opened:
            self._opened = opened
            try:
                yield opened
            finally:
                self._read, self._opened = opened.tell(), None

    @property
    def size(self) -> int:
        """In bytes."""
        if self._file is None:
            return os.stat(self._place).st_size  # noqa: PTH116 (a descriptor has no path)
        at = self._file.tell()
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(at)
        return end

    @property
    def position(self) -> int:
        """How many bytes were read since it was opened last."""
        return self._read if self._opened is None or self._opened.closed else self._opened.tell()

    def descriptors(self) -> tuple[int, ...]:
        """What another process has to inherit to read this file; refuses (`OSError`) one that is in memory only."""
        return () if self._file is None else (self._file.fileno(),)

    def __reduce__(self) -> tuple[Any, ...]:
        return _source, (self._path, None if self._file is None else self._file.fileno())

    @property
    def _place(self) -> Path | int:
        place = self._path if self._descriptor is None else self._descriptor
        assert place is not None, "a source has a path, a file or a descriptor"
        return place

    def _open(self) -> IO[bytes]:
        place = self._place
        return place.open("rb") if isinstance(place, Path) else cast(IO[bytes], io.BufferedReader(_Own(place), _BUFFER))


class _Own(io.RawIOBase):
    """A descriptor shared with another process, read at a position of one's own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = offset + (os.fstat(self._descriptor).st_size if start is None else start)
        return self._at

    def tell(self) -> int:
        return self._at


def _source(path: Path | None, descriptor: int | None) -> FileSource:
    return FileSource(path=path, descriptor=descriptor)
