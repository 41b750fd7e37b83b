"""What a student learns about a question once its rule allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.question_bank.imported import NumericBand, TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a choice is right or wrong; without a choice it is about the question as a whole."""

    choice_id: str | None = None
    text: str
    format: TextFormat = TextFormat.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Revelation:
    """What is right, by the kind of the question, and the explanations, choices in the order the student saw them in.

    `correct_order` is the right order of an `ordering` question, `correct_pairs` (prompt → choice) belongs to
    `matching`, `correct_values` to `numeric` and `accepted_texts` to `short_text`.
    """

    correct_choice_ids: tuple[str, ...] = ()
    correct_order: tuple[str, ...] = ()
    correct_pairs: Mapping[str, str] = field(default_factory=dict)
    correct_values: tuple[NumericBand, ...] = ()
    accepted_texts: tuple[str, ...] = ()
    explanations: tuple[Explanation, ...] = ()

    def renamed(self, names: Mapping[str, str]) -> Revelation:
        """The same with the choices under the names by which they were shown."""
        if all(name == choice for choice, name in names.items()):
            return self
        return replace(
            self,
            correct_choice_ids=tuple(names.get(choice, choice) for choice in self.correct_choice_ids),
            correct_order=tuple(names.get(choice, choice) for choice in self.correct_order),
            correct_pairs={prompt: names.get(choice, choice) for prompt, choice in self.correct_pairs.items()},
            explanations=tuple(
                replace(each, choice_id=each.choice_id and names.get(each.choice_id, each.choice_id))
                for each in self.explanations
            ),
        )


def reveal(kind: QuestionKind, key: AnswerKey, choice_order: Sequence[str]) -> Revelation:
    """The key as a student sees it: the general explanation first, then one for each choice that has one."""
    general = [Explanation(text=key.explanation.text, format=key.explanation.format)] if key.explanation else []
    of_choices = [
        Explanation(choice_id=choice, text=key.explanations[choice].text, format=key.explanations[choice].format)
        for choice in choice_order
        if choice in key.explanations
    ]
    is_order = kind is QuestionKind.ORDERING
    return Revelation(
        correct_choice_ids=() if is_order else tuple(choice for choice in choice_order if choice in key.correct),
        correct_order=key.correct if is_order else (),
        correct_pairs=key.pairs,
        correct_values=key.bands,
        accepted_texts=key.accepted,
        explanations=(*general, *of_choices),
    )
