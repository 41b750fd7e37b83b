"""What authoring and reviewing need: their unit of work, and something that makes HTML safe."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from application.ports import Work
from domain.question_bank.authority import BankAccess
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.lifecycle import Question, QuestionVersion
from domain.question_bank.review import ReviewRound


class HtmlSanitiser(Protocol):
    """Leaves of HTML only what an allow-list names; sanitised text stays as it is."""

    @abstractmethod
    def __call__(self, html: str, /) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What files and content hashes call a topic and a difficulty: the one by its name, the other by its code."""

    topic: str | None = None
    difficulty: str | None = None


class AuthoringWork(Work, Protocol):
    """One step of one question, whose row is the one that is held."""

    @abstractmethod
    async def bank(self, bank_id: str) -> BankAccess | None:
        """Who may see and change the bank, which is kept from being deleted until the end."""

    @abstractmethod
    async def hold_question(self, question_id: str) -> Question | None:
        """Keeps every other step of the question waiting until the end, imports included."""

    @abstractmethod
    async def was_served(self, question_id: str) -> bool:
        """Whether anybody ever got the question."""

    @abstractmethod
    async def labels(self, bank_id: str, topic_id: str | None, difficulty_id: str | None) -> Labels:
        """The names of the ids, kept from changing until the end; None for an id that the bank does not have."""

    @abstractmethod
    async def add_question(self, question: Question) -> None:
        """A new question, without its version; refuses an external id that is taken with `ExternalIdTaken`."""

    @abstractmethod
    async def save_question(self, question: Question) -> None:
        """What the question's row repeats of its versions: latest, published, topic and difficulty."""

    @abstractmethod
    async def add_version(self, question: Question, version: QuestionVersion, says: ImportedQuestion) -> None:
        """A version that there was not; `says` is its content as a file would state it."""

    @abstractmethod
    async def save_version(self, question: Question, version: QuestionVersion) -> None:
        """Status, revision and editors of a version; never what it says."""

    @abstractmethod
    async def rewrite_version(self, question: Question, version: QuestionVersion, says: ImportedQuestion) -> None:
        """The same and what it says, of an open version; any other cannot be rewritten."""

    @abstractmethod
    async def save_review(self, question: Question, review: ReviewRound) -> None:
        """A round, new or decided."""

    @abstractmethod
    async def count_published(self, bank_id: str, more: int) -> None:
        """Adds to the bank's number of published questions; held until the end."""

    @abstractmethod
    async def index_question(self, question_id: str) -> None:
        """Lets searches find the question as it was written by now; the last word of a step."""

    @abstractmethod
    async def drop_question(self, question: Question) -> None:
        """The question with its versions and reviews; refuses with `QuestionInUse` what was served meanwhile."""
