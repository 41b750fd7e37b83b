"""Files that clients send: as the body, or as the part `file` of a form. They wait on disk when they are large."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Final, cast

from multipart import MultipartError, MultipartSegment, PushMultipartParser  # type: ignore[import-untyped]

from entrypoints.http.field_problems import pointer_token
from entrypoints.http.refusals import MalformedRequest, RequestTimeout, UnsupportedMediaType, invalid
from entrypoints.http.requests import MIB, ApiRequest

FILE_PART: Final = "file"
_IN_MEMORY = 1 * MIB
_OTHER_PART_BYTES = 1024
_NAME_TOLD = 100
_MAX_NAME = 255
_UNFIT_FOR_A_NAME = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file with the last part of its name; it is gone when the block that received it ends.

    `fields` are the other parts of the form, by their names.
    """

    name: str
    file: IO[bytes]
    fields: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def received_file(
    request: ApiRequest, raw_types: tuple[str, ...], seconds: float, fields: Collection[str] = ()
) -> AsyncIterator[Upload]:
    """The file that was sent, whole, within `seconds`; memory holds a megabyte of it at most.

    A form may have the parts `fields` beside the file, and no other: what it asks for is never passed over.
    """
    media_type, options = request.content_type
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        file = cast(IO[bytes], spool)
        try:
            async with asyncio.timeout(seconds):
                if media_type == "multipart/form-data":
                    form = _Form(file, fields)
                    upload = await _receive_form(request, form, options.get("boundary", ""))
                elif media_type in raw_types:
                    upload = await _receive_body(request, file)
                else:
                    raise UnsupportedMediaType
        except TimeoutError:
            raise RequestTimeout from None
        yield upload


def clean_name(name: str) -> str:
    """What is left of a file's name when somebody else's path and control characters are taken away."""
    last = re.split(r"[/\\]", name)[-1]
    return _UNFIT_FOR_A_NAME.sub("", last)[:_MAX_NAME]


async def _receive_body(request: ApiRequest, file: IO[bytes]) -> Upload:
    async for chunk in request.stream():
        await asyncio.to_thread(file.write, chunk)
    return Upload("", file)


async def _receive_form(request: ApiRequest, form: _Form, boundary: str) -> Upload:
    if not boundary:
        raise MalformedRequest("The form names no boundary")
    try:
        with PushMultipartParser(boundary, max_segment_count=form.most_parts) as parser:
            async for chunk in request.stream():
                # An empty piece would tell the parser that this was all.
                for event in parser.parse(chunk) if chunk else ():
                    if isinstance(event, MultipartSegment):
                        form.begin(event)
                    elif event:
                        await form.keep(bytes(event))
    except (MultipartError, UnicodeError, LookupError):
        raise MalformedRequest("The form cannot be read") from None
    return form.upload()


class _Form:
    """Takes the parts of a form as they come: the file onto disk, the others, which are short, into memory."""

    def __init__(self, file: IO[bytes], fields: Collection[str]) -> None:
        self.most_parts = len(fields) + 1
        self._file = file
        self._known = fields
        self._name: str | None = None
        self._fields: dict[str, bytes] = {}
        self._part = ""

    def begin(self, part: MultipartSegment) -> None:
        self._part = str(part.name or "")
        pointer = pointer_token(self._part[:_NAME_TOLD])
        if self._part == FILE_PART:
            if self._name is not None:
                raise invalid(pointer, "repeated", "One file at a time")
            self._name = clean_name(part.filename or "")
        elif self._part not in self._known:
            raise invalid(pointer, "unknown_field", f"The form may have: {', '.join(sorted(self._known))}")
        elif self._part in self._fields:
            raise invalid(pointer, "repeated", "The form says it twice")
        else:
            self._fields[self._part] = b""

    async def keep(self, content: bytes) -> None:
        if self._part == FILE_PART:
            await asyncio.to_thread(self._file.write, content)
            return
        self._fields[self._part] += content
        if len(self._fields[self._part]) > _OTHER_PART_BYTES:
            message = f"Only the part `{FILE_PART}` may be longer than {_OTHER_PART_BYTES} bytes"
            raise invalid(pointer_token(self._part), "too_long", message)

    def upload(self) -> Upload:
        if self._name is None:
            raise invalid(f"/{FILE_PART}", "missing", f"The form has no file in its part `{FILE_PART}`")
        return Upload(self._name, self._file, {name: _text(name, content) for name, content in self._fields.items()})


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise invalid(pointer_token(name), "wrong_format", "This is not UTF-8") from None
