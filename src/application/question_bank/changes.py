"""What is to change about a question: only what is named, with its HTML made safe."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeVar, overload

from application.question_bank.ports.authoring import HtmlSanitiser
from domain.errors import FieldProblem, InvalidInput
from domain.question_bank.completeness import belongs, refuse_shapeless, settled
from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import FormattedText, ImportedChoice, NumericBand, Prompt, TextFormat
from domain.question_bank.kinds import QuestionKind


class Kept(Enum):
    """Stands where a change names nothing; None would mean that something is taken away."""

    KEPT = "kept"


KEPT: Final = Kept.KEPT
_PARTS = ("choices", "bands", "accepted", "prompts")
MOST_HTML = 64 * 1024
ValueT = TypeVar("ValueT")
Named: TypeAlias = ValueT | Literal[Kept.KEPT]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionChange:
    """What is to change about what a question says; what is not named stays."""

    kind: Named[QuestionKind] = KEPT
    stem: Named[FormattedText] = KEPT
    choices: Named[tuple[ImportedChoice, ...]] = KEPT
    bands: Named[tuple[NumericBand, ...]] = KEPT
    accepted: Named[tuple[str, ...]] = KEPT
    prompts: Named[tuple[Prompt, ...]] = KEPT
    explanation: Named[FormattedText | None] = KEPT
    topic_id: Named[str | None] = KEPT
    difficulty_id: Named[str | None] = KEPT
    tags: Named[tuple[str, ...]] = KEPT
    points: Named[Decimal] = KEPT
    shuffle: Named[bool] = KEPT

    @property
    def named(self) -> dict[str, Any]:
        """The fields that are named, with their values."""
        values = ((part.name, getattr(self, part.name)) for part in fields(self))
        return {name: value for name, value in values if value is not KEPT}

    def of(self, content: QuestionContent) -> QuestionContent:
        """The content after the change; refuses what cannot be a question at all.

        With another kind goes what only the kind before had, unless the change names it.
        """
        named = self.named
        kind = named.get("kind", content.kind)
        dropped: dict[str, Any] = {part: () for part in _PARTS if part not in named and not belongs(part, kind)}
        changed = settled(replace(content, **dropped, **named))
        refuse_shapeless(changed)
        return changed

    def sanitised(self, sanitise: HtmlSanitiser) -> QuestionChange:
        """The change with every HTML text in it made safe."""
        return replace(self, **_safe_parts(self.named, sanitise))


def sanitised(content: QuestionContent, sanitise: HtmlSanitiser) -> QuestionContent:
    """The content with every HTML text in it made safe; other texts stay verbatim."""
    named = {part.name: getattr(content, part.name) for part in fields(content)}
    return replace(content, **_safe_parts(named, sanitise))


def _safe_parts(named: dict[str, Any], sanitise: HtmlSanitiser) -> dict[str, Any]:
    _refuse_much_html(named)
    safe: dict[str, Any] = {name: _safe(named[name], sanitise) for name in ("stem", "explanation") if name in named}
    if "choices" in named:
        safe["choices"] = tuple(
            replace(choice, text=_safe(choice.text, sanitise), explanation=_safe(choice.explanation, sanitise))
            for choice in named["choices"]
        )
    if "prompts" in named:
        safe["prompts"] = tuple(replace(prompt, text=_safe(prompt.text, sanitise)) for prompt in named["prompts"])
    return safe


@overload
def _safe(text: FormattedText, sanitise: HtmlSanitiser) -> FormattedText: ...
@overload
def _safe(text: FormattedText | None, sanitise: HtmlSanitiser) -> FormattedText | None: ...
def _safe(text: FormattedText | None, sanitise: HtmlSanitiser) -> FormattedText | None:
    if text is None or text.format is not TextFormat.HTML:
        return text
    return replace(text, text=sanitise(text.text))


def _refuse_much_html(named: dict[str, Any]) -> None:
    """Making hostile markup safe takes time quadratic in its length, and nothing else runs meanwhile."""
    texts = [named.get("stem"), named.get("explanation"), *(prompt.text for prompt in named.get("prompts", ()))]
    for choice in named.get("choices", ()):
        texts += [choice.text, choice.explanation]
    if sum(len(text.text) for text in texts if text is not None and text.format is TextFormat.HTML) > MOST_HTML:
        message = f"All HTML of a question together has at most {MOST_HTML} characters."
        raise InvalidInput(message, problems=(FieldProblem("", "too_much_html", message),))
