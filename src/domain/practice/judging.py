"""What an answer is worth, and what is shown for it: the same whichever way it is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from domain.errors import FieldProblem
from domain.question_bank.certainty import Certainty, with_certainty
from domain.question_bank.questions import AnswerInvalid, KeyedQuestion, Response, refuse_unfit
from domain.question_bank.revelation import Revelation, reveal
from domain.question_bank.scoring import STANDARD, ScoringPolicy, score


class FeedbackMode(StrEnum):
    """Whether an answer is judged at once, and stands, or at the end, and may be changed until then."""

    IMMEDIATE = "immediate"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkingRules:
    """What a session says about its answers, from its first moment to its last."""

    feedback: FeedbackMode
    certainty: bool = False
    policy: ScoringPolicy = STANDARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response and how sure the student is of it; None is unsaid."""

    response: Response
    certainty: Certainty | None = None

    def as_asked(self, asked: bool) -> Answer:
        """The same with what is unsaid said. Refuses certainty that nobody asked for."""
        if self.certainty is not None and not asked:
            raise _not_asked()
        return replace(self, certainty=Certainty.LOW) if asked and self.certainty is None else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What an answer is worth. `feedback` is what is shown for it at once: nothing where feedback is deferred.

    `certainty_mark` is None where the session does not ask for certainty.
    """

    correct: bool
    mark: Decimal
    certainty_mark: Decimal | None
    feedback: Revelation | None


def judge(
    rules: MarkingRules, question: KeyedQuestion, answer: Answer, *, max_mark: Decimal, choice_order: tuple[str, ...]
) -> Judgement:
    """Mark an answer. Refuses one that does not fit its question, or says what was not asked."""
    refuse_unfit(question, answer.response)
    answer = answer.as_asked(rules.certainty)
    plain = score(question, answer.response, rules.policy)
    surely = with_certainty(plain, answer.certainty, answered=True) if rules.certainty else None
    at_once = rules.feedback is FeedbackMode.IMMEDIATE
    return Judgement(
        correct=plain.correct,
        mark=plain.mark(max_mark),
        certainty_mark=None if surely is None else surely.mark(max_mark),
        feedback=reveal(question.kind, question.key, choice_order) if at_once else None,
    )


def _not_asked() -> AnswerInvalid:
    message = "This session does not ask how sure you are."
    return AnswerInvalid(message, problems=(FieldProblem("/certainty", "not_asked", message),))
