"""What banks, topics and difficulties need: the unit of work of a change, and lists."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from application.ports import Work
from application.question_bank.taxonomy_views import BankView, PublicBankView
from domain.auth.people import Actor
from domain.question_bank.taxonomy import Bank, Difficulty, Topic


class TaxonomyWork(Work, Protocol):
    """One change to a bank, a topic or a difficulty."""

    @abstractmethod
    async def hold_bank(self, bank_id: str) -> Bank | None:
        """The bank with its co-editors, kept from other changes until the end."""

    @abstractmethod
    async def hold_bank_alone(self, bank_id: str) -> Bank | None:
        """The same, and from questions that live in it or would come to: for its deletion and for another slug."""

    @abstractmethod
    async def find_bank(self, bank_id: str) -> Bank | None:
        """The bank as it is at this moment."""

    @abstractmethod
    async def add_bank(self, bank: Bank) -> None:
        """Adds a bank; refuses with `BankSlugTaken`."""

    @abstractmethod
    async def save_bank(self, bank: Bank) -> None:
        """Writes a held bank with its co-editors; refuses with `BankSlugTaken`."""

    @abstractmethod
    async def drop_bank(self, bank_id: str) -> None:
        """Removes a held bank with its topics; refuses with `BankInUse` where a question or a package needs it."""

    @abstractmethod
    async def staff_among(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Those of the people who are instructors or administrators now and not deleted."""

    @abstractmethod
    async def hold_topic(self, topic_id: str) -> Topic | None:
        """The topic, kept until the end from changes and from questions that would begin to name it."""

    @abstractmethod
    async def add_topic(self, topic: Topic) -> None:
        """Adds a topic; refuses with `TopicNameTaken`."""

    @abstractmethod
    async def save_topic(self, topic: Topic) -> None:
        """Writes a held topic; refuses with `TopicNameTaken`."""

    @abstractmethod
    async def is_topic_used(self, topic_id: str) -> bool:
        """Whether any version of any question names the topic, however old."""

    @abstractmethod
    async def drop_topic(self, topic_id: str) -> None:
        """Removes a held topic."""

    @abstractmethod
    async def hold_difficulty(self, difficulty_id: str) -> Difficulty | None:
        """The difficulty, kept from other changes until the end."""

    @abstractmethod
    async def save_difficulty(self, difficulty: Difficulty) -> None:
        """Writes a held difficulty; refuses with `DifficultyNameTaken`."""


class TaxonomyReader(Protocol):
    """Lists of banks, topics and difficulties, each by id unless told otherwise."""

    @abstractmethod
    async def banks(self, viewer: Actor, *, text: str | None, after: str | None, limit: int) -> tuple[BankView, ...]:
        """The banks that the viewer, one of the staff, may see; `text` occurs in slug or title."""

    @abstractmethod
    async def bank(self, viewer: Actor, bank_id: str) -> BankView | None:
        """One bank that the viewer may see."""

    @abstractmethod
    async def topics(
        self, viewer: Actor, *, bank_id: str | None, text: str | None, after: str | None, limit: int
    ) -> tuple[Topic, ...]:
        """The topics of the banks that the viewer may see, of one bank if told; `text` occurs in the name."""

    @abstractmethod
    async def difficulties(self) -> tuple[Difficulty, ...]:
        """All of them, the easiest first."""

    @abstractmethod
    async def banks_of_student(self, student_id: str, *, after: str | None, limit: int) -> tuple[PublicBankView, ...]:
        """The visible banks of the packages in which the student is enrolled now."""

    @abstractmethod
    async def topics_of_student(
        self,
        student_id: str,
        *,
        bank_id: str | None = None,
        package_id: str | None = None,
        after: str | None,
        limit: int,
    ) -> tuple[Topic, ...]:
        """The topics of these banks, of one bank or one package if told."""
