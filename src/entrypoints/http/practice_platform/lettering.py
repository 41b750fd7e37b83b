"""Options by the letters of their places: A is what a session shows first, whatever it is called elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Final

from application.practice.views import PracticeView, QuestionView
from domain.practice.judging import Answer
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerInvalid, Choice, Response, refuse_unfit
from entrypoints.http.refusals import invalid

# The kinds of question that letters answer. No others are dealt at this door.
LETTERED: Final = (QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.TRUE_FALSE)


def is_lettered(question: QuestionView) -> bool:
    return question.kind in LETTERED


def is_wholly_lettered(practice: PracticeView) -> bool:
    return all(is_lettered(question) for question in practice.questions)


def by_letter(question: QuestionView) -> Mapping[str, Choice]:
    """The options in their order, each by its letter."""
    return dict(zip(ascii_uppercase, question.choices, strict=False))


def letters_of(question: QuestionView, choice_ids: Iterable[str]) -> str:
    """The letters of these options, in alphabetical order: `B`, or `AC` where several are chosen."""
    chosen = frozenset(choice_ids)
    return "".join(letter for letter, choice in by_letter(question).items() if choice.id in chosen)


def answer_by(question: QuestionView, letters: str, pointer: str) -> Answer:
    """What somebody chose by letters, in either case and with or without commas between.

    Refuses a letter that is not there, and more or fewer of them than the rule of the question's kind takes.
    """
    options = by_letter(question)
    chosen = [letter for letter in letters.upper() if letter.isalpha()]
    if not options.keys() >= set(chosen):
        raise invalid(pointer, "not_one_of", f"The question has the options {', '.join(options)}")
    response = Response.choosing(options[letter].id for letter in chosen)
    try:
        refuse_unfit(_Options(question.kind, tuple(choice.id for choice in question.choices)), response)
    except AnswerInvalid as refusal:
        faults = tuple(replace(problem, pointer=pointer) for problem in refusal.problems)
        raise AnswerInvalid(refusal.detail, problems=faults) from None
    return Answer(response=response)


@dataclass(frozen=True, slots=True)
class _Options:
    """What must be known of a question to tell whether letters fit it."""

    kind: QuestionKind
    choice_ids: tuple[str, ...]
    prompt_ids: tuple[str, ...] = ()
