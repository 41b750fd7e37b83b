"""What a version of a question says, whoever wrote it and wherever it came from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from domain.question_bank.imported import (
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    NumericBand,
    Origin,
    Prompt,
)
from domain.question_bank.kinds import QuestionKind

BANK_FORMAT = "bank"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionContent:
    """Everything a version says. Choices are keyed A, B, C… in the order in which they were written.

    Topic and difficulty are ids here; files and content hashes name them by name and by code.
    """

    kind: QuestionKind
    stem: FormattedText
    choices: tuple[ImportedChoice, ...] = ()
    bands: tuple[NumericBand, ...] = ()
    accepted: tuple[str, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    explanation: FormattedText | None = None
    topic_id: str | None = None
    difficulty_id: str | None = None
    tags: tuple[str, ...] = ()
    points: Decimal = Decimal(1)
    shuffle: bool = True

    def canonical(self, *, external_id: str, bank: str, topic: str | None, difficulty: str | None) -> ImportedQuestion:
        """The question as a file would state it: what is hashed, exported and written to the columns of a version."""
        return ImportedQuestion(
            external_id=external_id,
            bank=bank,
            domain=topic or "",
            difficulty=difficulty,
            kind=self.kind,
            stem=self.stem,
            choices=self.choices,
            explanation=self.explanation,
            tags=self.tags,
            points=self.points,
            shuffle=self.shuffle,
            bands=self.bands,
            accepted=self.accepted,
            prompts=self.prompts,
            origin=Origin(format=BANK_FORMAT, file="", record=0, line=0),
        )
