"""What an import needs: files of questions, somebody who reads them, its unit of work, a place to be followed at."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Container, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Protocol

from application.ports import Work
from domain.auth.people import Actor
from domain.question_bank.import_report import Applied, ImportHead, ImportProgress, ImportReport, SetFindings
from domain.question_bank.imported import ImportedQuestion, ImportProblem, ParsedItem
from domain.question_bank.rejects import RejectedRecord


class QuestionFile(Protocol):
    """A file of questions in some format. Reading blocks, so it is done beside the event loop.

    One that has a `source` can be read by another process.
    """

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def format(self) -> str: ...

    @abstractmethod
    def read(self, bank: str) -> Iterator[ParsedItem]:
        """The questions and findings from the start of the file; every call starts anew."""

    def records(self, wanted: Container[int]) -> Iterator[RejectedRecord]:
        """The header and some records as they stand in the file, by number; none where a format cannot tell."""
        return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How a file is to be read where it does not tell by itself; None means that it does."""

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    answer_base: Literal[0, 1] | None = None


class QuestionFiles(Protocol):
    """Makes files of questions out of paths and streams; refuses formats and options that have no meaning."""

    @abstractmethod
    def from_path(self, path: Path, options: FileOptions) -> QuestionFile: ...

    @abstractmethod
    def from_file(self, name: str, file: IO[bytes], options: FileOptions) -> QuestionFile: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The next part of a file.

    Its `count` questions are there as they are, or already as `rows` in the spelling of the store. `rejects` are lines
    of CSV: the rejected records with what is wrong with them.
    """

    count: int = 0
    last_record: int = 0
    questions: Sequence[ImportedQuestion] = ()
    rows: bytes = b""
    blanks: int = 0
    problems: Sequence[ImportProblem] = ()
    rejects: bytes = b""
    bytes_read: int = 0


class FoundWrong(Container[int], Protocol):
    """Numbers of records, and why each of them is refused."""

    @abstractmethod
    def problem(self, record: int, line: int) -> ImportProblem: ...


class QuestionReading(Protocol):
    """Reads a file batch by batch beside the event loop, a little ahead of whoever takes the batches."""

    @abstractmethod
    def batches(
        self, file: QuestionFile, *, bank: str, import_id: str
    ) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        """Nothing of the reading outlives the block. Raises what the file raises, `ImportRefused` above all."""

    @abstractmethod
    def size(self, file: QuestionFile) -> int:
        """Of the file in bytes, 0 where that cannot be told."""

    @abstractmethod
    def rejected(self, file: QuestionFile, found: FoundWrong, *, headed: bool) -> AsyncIterator[bytes]:
        """Lines of CSV as in `Batch.rejects`, for records found wrong later; `headed` if there is a header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyImport:
    """How questions enter the bank: in whose name, and whether they are published at once. No actor: the operator."""

    bank: str
    import_id: str
    actor: Actor | None
    publish: bool

    @property
    def author_id(self) -> str | None:
        return self.actor.user_id if self.actor else None


class ImportWork(Work, Protocol):
    """One import: questions are staged, judged as a set and applied, all in one unit of work."""

    @abstractmethod
    async def begin(self, how: ApplyImport) -> None:
        """Keeps other imports out of the bank until the end; refuses with `ImportRunning` where one is at work.

        A bank that is hidden from an instructor is not there (`BankNotFound`).
        """

    @abstractmethod
    async def stage(self, batch: Batch) -> None:
        """Adds questions to those that wait to be judged; what is certain to be new may enter the bank already."""

    @abstractmethod
    async def judge(self) -> SetFindings:
        """Judges the staged questions as a set.

        Duplicates as `domain.question_bank.imported.resolve_duplicates` does, copies under other ids, and changes of
        questions that the importer may not edit. What is collapsed or refused is not applied afterwards.
        """

    @abstractmethod
    def refused(self) -> AsyncIterator[Sequence[ImportProblem]]:
        """Everything that `judge` refused, page by page in the order of the file; asked before `apply`."""

    @abstractmethod
    async def apply(self) -> Applied:
        """Creates what is new, changes what says something else, leaves alone what is the same."""

    @abstractmethod
    async def save_report(self, report: ImportReport, actor_id: str | None) -> None:
        """Keeps the report; one that is kept is only replaced while it says `running`, and by one that does not.

        Otherwise another end of the import has been told, and this one must leave nothing behind: raises `Stopped`.
        """


@dataclass(frozen=True, slots=True)
class OnceKey:
    """What a caller names its request by, and what the request holds: the same key stands for the same import."""

    key: str
    fingerprint: bytes


class ImportRegister(Protocol):
    """Where imports are followed while they run: on a connection of its own, seen by every process at once."""

    @abstractmethod
    async def begin(
        self, head: ImportHead, actor_id: str | None, *, bytes_total: int, once: OnceKey | None = None
    ) -> str:
        """The id of the import that is under way from now on, or of the one that was begun with the same key.

        Refuses a key that stands for something else (`KeyReused`).
        """

    @abstractmethod
    async def tell(self, import_id: str, progress: ImportProgress) -> bool:
        """Says how far the import is; answers whether somebody wants it to stop."""

    @abstractmethod
    async def keep_rejects(self, import_id: str, part: int, content: bytes) -> None:
        """Keeps a part of the rejected records, whatever becomes of the import."""

    @abstractmethod
    async def end(self, report: ImportReport, actor_id: str | None) -> None:
        """Keeps the report of an import that left no trace in the bank."""

    @abstractmethod
    async def forget(self, import_id: str) -> None:
        """As if it had never been begun: its request was refused, and nobody was told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownImport:
    """A report, and who started the import (None: the operator)."""

    report: ImportReport
    actor_id: str | None


class ImportReader(Protocol):
    """Imports, running and past."""

    @abstractmethod
    async def find(self, import_id: str, viewer: Actor) -> KnownImport | None:
        """The import, unless it is hidden from the viewer.

        Admins see all imports, others their own and those into banks that are visible to them. While there is no bank,
        or no longer, nobody else does.
        """

    @abstractmethod
    async def page(self, bank: str | None, viewer: Actor, *, after: str | None, limit: int) -> Sequence[KnownImport]:
        """Those that the viewer sees, newest first, those before `after`."""

    @abstractmethod
    def rejects(self, import_id: str) -> AsyncIterator[bytes]:
        """The file of rejected records, part by part; nothing where no record was rejected."""

    @abstractmethod
    async def was_imported(self, bank: str) -> bool:
        """Whether an import into the bank has ever succeeded."""


class CancelWork(Work, Protocol):
    """Asking a running import to stop."""

    @abstractmethod
    async def ask_to_cancel(self, import_id: str) -> bool:
        """Whether it was running."""
