"""Files that clients send: as the body, or as the part `file` of a form. They wait on disk when they are large."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Final, cast

from multipart import MultipartError, MultipartSegment, PushMultipartParser  # type: ignore[import-untyped]

from entrypoints.http.refusals import MalformedRequest, RequestTimeout, UnsupportedMediaType, invalid
from entrypoints.http.requests import MIB, ApiRequest

FILE_PART: Final = "file"
_IN_MEMORY = 1 * MIB
_PARTS = 8
_OTHER_PART_BYTES = 1024
_MAX_NAME = 255
_UNFIT_FOR_A_NAME = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file with the last part of its name; it is gone when the block that received it ends."""

    name: str
    file: IO[bytes]


@asynccontextmanager
async def received_file(request: ApiRequest, raw_types: tuple[str, ...], seconds: float) -> AsyncIterator[Upload]:
    """The file that was sent, whole, within `seconds`; memory holds a megabyte of it at most."""
    media_type, options = request.content_type
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        file = cast(IO[bytes], spool)
        try:
            async with asyncio.timeout(seconds):
                if media_type == "multipart/form-data":
                    name = await _receive_part(request, file, options.get("boundary", ""))
                elif media_type in raw_types:
                    name = await _receive_body(request, file)
                else:
                    raise UnsupportedMediaType
        except TimeoutError:
            raise RequestTimeout from None
        yield Upload(name, file)


def clean_name(name: str) -> str:
    """What is left of a file's name when somebody else's path and control characters are taken away."""
    last = re.split(r"[/\\]", name)[-1]
    return _UNFIT_FOR_A_NAME.sub("", last)[:_MAX_NAME]


async def _receive_body(request: ApiRequest, file: IO[bytes]) -> str:
    async for chunk in request.stream():
        await asyncio.to_thread(file.write, chunk)
    return ""


async def _receive_part(request: ApiRequest, file: IO[bytes], boundary: str) -> str:
    if not boundary:
        raise MalformedRequest("The form names no boundary")
    name: str | None = None
    try:
        with PushMultipartParser(boundary, max_segment_count=_PARTS) as parser:
            part: MultipartSegment | None = None
            async for chunk in request.stream():
                for event in parser.parse(chunk):
                    if isinstance(event, MultipartSegment):
                        part = event
                        name = _name_of(part, name)
                    elif event and part is not None:
                        await _keep(bytes(event), part, file)
    except (MultipartError, UnicodeError, LookupError):
        raise MalformedRequest("The form cannot be read") from None
    if name is None:
        raise invalid(f"/{FILE_PART}", "missing", f"The form has no file in its part `{FILE_PART}`")
    return name


def _name_of(part: MultipartSegment, before: str | None) -> str | None:
    """The name of the one file; `before` is the name that an earlier part gave."""
    if part.name != FILE_PART:
        return before
    if before is not None:
        raise invalid(f"/{FILE_PART}", "repeated", "One file at a time")
    return clean_name(part.filename or "")


async def _keep(content: bytes, part: MultipartSegment, file: IO[bytes]) -> None:
    """Parts that nobody asked for may be there, but not be large."""
    if part.name == FILE_PART:
        await asyncio.to_thread(file.write, content)
    elif part.bytes_received > _OTHER_PART_BYTES:
        raise invalid("/", "too_long", f"Only the part `{FILE_PART}` may be longer than {_OTHER_PART_BYTES} bytes")
