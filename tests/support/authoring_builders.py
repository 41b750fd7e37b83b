"""Questions as their authors write them, the people who do, and where they may."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from application.ports import IdGenerator
from application.question_bank.ports.authoring import HtmlSanitiser
from domain.auth.people import Actor, Role
from domain.question_bank.authority import BankAccess
from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import FormattedText, ImportedChoice, NumericBand, Prompt
from domain.question_bank.kinds import QuestionKind

# Whoever reads a text of a question in an audit row finds this word in it.
SECRET = "sentinel"


def person(name: str, role: Role = Role.INSTRUCTOR) -> Actor:
    return Actor(user_id=f"usr_{name}", role=role, session_id=f"ses_{name}")


ANN = person("ann")
BEN = person("ben")
CAT = person("cat")
EVE = person("eve")
ROOT = person("root", Role.ADMIN)
RITA = person("rita", Role.ADMIN)
SAM = person("sam", Role.STUDENT)
PEOPLE = (ANN, BEN, CAT, EVE, ROOT, RITA, SAM)

NET = BankAccess(id="qbk_net", slug="network", visible=True, owner_id=CAT.user_id, co_editors=(BEN.user_id,))
DEN = BankAccess(id="qbk_den", slug="den", visible=False, owner_id=CAT.user_id)
BANKS = (NET, DEN)
TOPICS = {
    "top_route": (NET.id, "Routing"),
    "top_switch": (NET.id, "Switching"),
    "top_den": (DEN.id, "Dens"),
}
DIFFICULTIES = {"dif_easy": "easy", "dif_medium": "medium", "dif_hard": "hard"}


def text(said: str) -> FormattedText:
    return FormattedText(text=said)


def choices(correct: str, said: str = "ABCD") -> tuple[ImportedChoice, ...]:
    """One choice per letter of `said`."""
    return tuple(
        ImportedChoice(key=key, text=text(f"{SECRET} {letter}"), correct=key in correct)
        for key, letter in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", said, strict=False)
    )


def a_question(asking: str = "What is one?", **changes: Any) -> QuestionContent:
    """A complete question with one right choice."""
    whole: dict[str, Any] = {
        "kind": QuestionKind.SINGLE,
        "stem": text(f"{SECRET} {asking}"),
        "choices": choices("B"),
        "topic_id": "top_route",
        "difficulty_id": "dif_easy",
        "tags": ("ip", "net"),
    }
    return QuestionContent(**whole | changes)


COMPLETE = {
    QuestionKind.SINGLE: a_question(),
    QuestionKind.MULTIPLE: a_question(kind=QuestionKind.MULTIPLE, choices=choices("AC")),
    QuestionKind.TRUE_FALSE: a_question(kind=QuestionKind.TRUE_FALSE, choices=choices("A", "TF")),
    QuestionKind.NUMERIC: a_question(
        kind=QuestionKind.NUMERIC,
        choices=(),
        bands=(
            NumericBand(answer=Decimal("3.14"), tol_abs=Decimal("0.01")),
            NumericBand(answer=Decimal(3), fraction=Decimal("0.5")),
        ),
    ),
    QuestionKind.SHORT_TEXT: a_question(kind=QuestionKind.SHORT_TEXT, choices=(), accepted=("RIP", "rip v2")),
    QuestionKind.MATCHING: a_question(
        kind=QuestionKind.MATCHING,
        choices=choices("", "XYZ"),
        prompts=(Prompt(text=text("one"), choice="B"), Prompt(text=text("two"), choice="A")),
    ),
    QuestionKind.ORDERING: a_question(kind=QuestionKind.ORDERING, choices=choices("ABC", "123")),
}


@dataclass(slots=True)
class CountedIds(IdGenerator):
    """The same ids in every store: `qst_001`, `qst_002`, … of each prefix."""

    made: dict[str, int] = field(default_factory=dict)

    def new(self, prefix: str) -> str:
        self.made[prefix] = self.made.get(prefix, 0) + 1
        return f"{prefix}_{self.made[prefix]:03}"


class Marking(HtmlSanitiser):
    """Tells what was made safe."""

    def __call__(self, html: str, /) -> str:
        return html if html.startswith("<p>safe") else f"<p>safe {html}"
