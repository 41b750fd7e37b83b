"""What an exam needs to know of a question: enough to take an answer, and with its key enough to grade it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.exam.sessions import ExamRules, ExamSlot
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import KeyedQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """What taking an answer needs: the kind and the names of what can be chosen. There is no key in here."""

    kind: QuestionKind
    choice_ids: tuple[str, ...]
    prompt_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSlot:
    """A slot as it was frozen, without anything that was answered since, and without its key."""

    slot: ExamSlot
    question: AskedQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPaper:
    """What never changes of a session while it runs: its rules, and its slots by their number."""

    rules: ExamRules
    slots: Mapping[int, AskedSlot]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedSlot:
    """A slot with all that its grade is made of.

    `key_version` is the version whose key `question` has, where that is another one than was asked.
    """

    slot: ExamSlot
    question: KeyedQuestion
    key_version: int | None = None
