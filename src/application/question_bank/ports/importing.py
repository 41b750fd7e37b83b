"""What an import needs: files of questions, threads, and its unit of work."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Protocol

from application.ports import Work
from domain.question_bank.import_report import Applied, ImportReport
from domain.question_bank.imported import ImportedQuestion, ImportProblem, ParsedItem


class QuestionFile(Protocol):
    """A file of questions in some format. Reading blocks, so it is done in a thread."""

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def format(self) -> str: ...

    @abstractmethod
    def read(self, bank: str) -> Iterator[ParsedItem]:
        """The questions and findings from the start of the file; every call starts anew."""


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


class Threads(Protocol):
    """Runs what blocks beside the event loop."""

    @abstractmethod
    async def take(self, items: Iterator[ParsedItem], most: int) -> list[ParsedItem]:
        """The next `most` items, fewer at the end and none after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyImport:
    """How staged questions enter the bank: in whose name, and whether they are published at once."""

    bank: str
    author_id: str | None
    publish: bool


class ImportWork(Work, Protocol):
    """One import: questions are staged, judged as a set and applied, all in one unit of work."""

    @abstractmethod
    async def hold_bank(self, bank: str) -> None:
        """Keeps other imports out of the bank until the end; refuses with `ImportRunning` where one is at work."""

    @abstractmethod
    async def stage(self, questions: Sequence[ImportedQuestion]) -> None:
        """Adds questions to those that wait to be applied."""

    @abstractmethod
    async def resolve_duplicates(self) -> Sequence[ImportProblem]:
        """Judges the staged questions as `domain.question_bank.imported.resolve_duplicates` does.

        What is collapsed or refused is no longer staged afterwards.
        """

    @abstractmethod
    async def apply(self, how: ApplyImport) -> Applied:
        """Creates what is new, changes what says something else, leaves alone what is the same."""

    @abstractmethod
    async def save_report(self, report: ImportReport, actor_id: str | None) -> None:
        """Keeps the report; one that is kept is only replaced while it says `running`, and by one that does not."""


class ImportReader(Protocol):
    """Reports of past imports."""

    @abstractmethod
    async def report(self, import_id: str) -> ImportReport | None: ...

    @abstractmethod
    async def was_imported(self, bank: str) -> bool:
        """Whether an import into the bank has ever succeeded."""
