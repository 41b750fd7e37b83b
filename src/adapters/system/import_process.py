"""Reading of large files in a process of its own, so that parsing and the database each have a core.

The process gets the file and what turns questions into rows on its standard input, pickled by the process that starts
it; batches come back on its standard output, each behind its length. A pipe holds little, so the process is never far
ahead; when its reader is gone, however that died, the next write ends it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from adapters.system.threads import AsyncioThreads
from application.question_bank.batches import Gatherer
from application.question_bank.ports.importing import Batch, QuestionFile
from domain.question_bank.imported import ImportedQuestion

LARGE_BYTES = 1024 * 1024
Encode = Callable[[Sequence[ImportedQuestion], str], bytes]

_LENGTH = struct.Struct("!I")
# Two or three batches wait in the process that asked, so that neither side waits for the other.
_BATCH = 4_000
_AHEAD_BYTES = 4 * 1024 * 1024
_POLITENESS = 5


class ReaderDied(RuntimeError):
    """The process that read the file ended before it had told everything."""


class ImportProcesses(AsyncioThreads):
    """Small files are read in threads, large ones by a process each."""

    def __init__(self, encode: Encode, *, large_bytes: int = LARGE_BYTES) -> None:
        self._encode = encode
        self._large_bytes = large_bytes

    @asynccontextmanager
    async def batches(self, file: QuestionFile, *, bank: str, import_id: str) -> AsyncIterator[AsyncIterator[Batch]]:
        descriptors = self._descriptors(file)
        if descriptors is None:
            async with super().batches(file, bank=bank, import_id=import_id) as batches:
                yield batches
            return
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "adapters.system.import_process",
            stdin=PIPE,
            stdout=PIPE,
            limit=_AHEAD_BYTES,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C is for the process that asked; it ends this one
        )
        try:
            job = pickle.dumps(_Job(file, bank, import_id, self._encode))
            async with aclosing(_received(process, job)) as received:
                yield received
        finally:
            await _end(process)

    def _descriptors(self, file: QuestionFile) -> tuple[int, ...] | None:
        """What the process must inherit; None when the file is small, or cannot be read elsewhere."""
        source = getattr(file, "source", None)
        if source is None or source.size < self._large_bytes:
            return None
        with suppress(OSError):
            return tuple(source.descriptors())
        return None


@dataclass(frozen=True, slots=True)
class _Job:
    file: QuestionFile
    bank: str
    import_id: str
    encode: Encode


async def _end(process: Process) -> None:
    assert process.stdout is not None, "it was started with pipes"
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    # asyncio counts it as ended when its pipes have ended too, and takes nothing from a pipe that nobody reads.
    with suppress(OSError):
        while await process.stdout.read(_AHEAD_BYTES):
            pass
    await process.wait()


async def _received(process: Process, job: bytes) -> AsyncGenerator[Batch, None]:
    assert process.stdin is not None, "it was started with pipes"
    assert process.stdout is not None, "it was started with pipes"
    try:
        process.stdin.write(job)
        await process.stdin.drain()
        process.stdin.close()
        while length := _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))[0]:
            # Written by our own program a moment ago.
            told = pickle.loads(await process.stdout.readexactly(length))  # noqa: S301
            if isinstance(told, BaseException):
                raise told
            yield told
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise ReaderDied(f"the process that read the file ended with {process.returncode}") from error


def serve(given: IO[bytes], told: IO[bytes]) -> None:
    """What the process does."""
    job: _Job = pickle.load(given)  # noqa: S301 (comes from the process that started this one)
    try:
        gatherer = Gatherer(job.file.read(job.bank), partial(_rows, job), most=_BATCH)
        source: Any = getattr(job.file, "source", None)
        gatherer.position = lambda: int(source.position)
        for batch in gatherer:
            _send(told, batch)
    except BrokenPipeError:
        raise
    except Exception as error:
        _send(told, error)
    told.write(_LENGTH.pack(0))
    told.flush()


def _rows(job: _Job, questions: Sequence[ImportedQuestion]) -> bytes:
    return job.encode(questions, job.import_id)


def _send(told: IO[bytes], what: Batch | Exception) -> None:
    try:
        content = pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:
        content = pickle.dumps(RuntimeError(repr(what)))
    told.write(_LENGTH.pack(len(content)) + content)
    told.flush()


def main() -> None:
    # Nothing that is printed by accident may come between the batches.
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(OSError):
        os.nice(_POLITENESS)
    # Parsing makes no cycles; looking for some among millions of short-lived objects is a tenth of its time.
    gc.freeze()
    gc.disable()
    with suppress(BrokenPipeError):
        serve(sys.stdin.buffer, told)
    os._exit(0)


if __name__ == "__main__":
    main()
