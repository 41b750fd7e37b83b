"""What an export needs: writers of files of questions, and questions in order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from application.ports import Work
from domain.auth.people import Actor
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.projection import losses_of

LOSSES_KEPT: Final = 1_000


class ExportFormat(StrEnum):
    """The formats in which questions leave the bank."""

    CSV = "csv"
    JSONL = "jsonl"
    GIFT = "gift"
    AIKEN = "aiken"
    MOODLE_XML = "moodle_xml"
    CANVAS_QTI = "canvas_qti"
    QTI3 = "qti3"


class ExportVersions(StrEnum):
    """Which version of each question is meant: its latest, whatever its state, or the published one if there is any."""

    LATEST = "latest"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What a format cannot say about one question. `code` is a promise; `unsupported` means the whole question."""

    code: str
    external_id: str
    message: str


@dataclass(slots=True)
class Losses:
    """What is lost on the way into a format: all of it counted by code, the first thousand kept one by one."""

    counts: dict[str, int] = field(default_factory=dict)
    kept: list[Loss] = field(default_factory=list)

    def add(self, code: str, external_id: str, message: str) -> None:
        """Notes one loss; a code is noted at most once for a question."""
        self.counts[code] = self.counts.get(code, 0) + 1
        if len(self.kept) < LOSSES_KEPT:
            self.kept.append(Loss(code=code, external_id=external_id, message=message))

    def compare(self, question: ImportedQuestion, left: ImportedQuestion | None) -> None:
        """Notes everything that a projection leaves out or spells differently."""
        for code, message in losses_of(question, left):
            self.add(code, question.external_id, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportShape:
    """What is known of all the questions before the first is read."""

    most_choices: int
    """Of a question of choices (single, multiple, true or false), complete or not; 0 without any."""


class QuestionWriter(Protocol):
    """Writes questions in one format. The same questions give the same bytes, whenever and wherever.

    Beside every writer stands its projection: what is left of a question when the written file is read again, or None
    where the format cannot hold it at all.
    """

    format: ClassVar[str]
    media_type: ClassVar[str]
    ending: ClassVar[str]
    """Of the file's name, with its dot."""
    needs_shape: ClassVar[bool] = False
    """Whether the first byte already depends on all the questions."""

    @abstractmethod
    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        """The bytes of the file, piece by piece, taking the questions one at a time and in their order.

        A question that the format cannot hold is left out and counted as the loss `unsupported`. A writer that needs
        the shape and is not told it finds it out, for which it holds all the questions.
        """


class QuestionWriters(Protocol):
    """The writers by their formats."""

    @abstractmethod
    def writer(self, format_: ExportFormat, *, excel_safe: bool) -> QuestionWriter:
        """`excel_safe` belongs to CSV alone and is refused elsewhere (`InvalidInput`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedBank:
    """The bank whose questions are exported."""

    id: str
    slug: str


class ExportWork(Work, Protocol):
    """One look at a bank: everything that is read through it is as it was at one instant."""

    @abstractmethod
    async def bank(self, bank: str, actor: Actor | None) -> ExportedBank | None:
        """The bank of this id or slug if the actor may see it; None stands for the operator, who sees all."""

    @abstractmethod
    async def shape(self, bank: ExportedBank, versions: ExportVersions) -> ExportShape:
        """What the questions that will be read have in common."""

    @abstractmethod
    async def questions_after(
        self, bank: ExportedBank, versions: ExportVersions, after: str, most: int
    ) -> Iterable[ImportedQuestion]:
        """The next questions by external id (byte by byte), at most `most`. They may be made as they are taken."""
