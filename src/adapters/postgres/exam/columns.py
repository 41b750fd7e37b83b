"""Rows of exam sessions and slots to entities, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapters.postgres.rows import entities, entity, record
from domain.exam.deadlines import deadline, due_at
from domain.exam.papers import AskedQuestion, AskedSlot, GradedSlot
from domain.exam.regrading import KeyedContent
from domain.exam.sessions import ExamSession, ExamSlot
from domain.exam.voiding import Asked
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, Choice, KeyedQuestion


def session_record(session: ExamSession) -> dict[str, Any]:
    """With what SQL compares and the domain computes: the deadline, which moves while a session is paused, and due."""
    end = None if session.paused_at is not None else deadline(session, session.created_at)
    return record(session) | {"deadline": end, "due_at": due_at(session)}


def asked_slot(row: Mapping[str, Any]) -> AskedSlot:
    slot = entity(row, ExamSlot)
    question = AskedQuestion(
        kind=QuestionKind(row["kind"]), choice_ids=slot.choice_order, prompt_ids=tuple(row["prompt_ids"])
    )
    return AskedSlot(slot=slot, question=question)


def graded_slot(row: Mapping[str, Any]) -> GradedSlot:
    slot = entity(row, ExamSlot)
    question = KeyedQuestion(
        kind=QuestionKind(row["kind"]),
        choice_ids=slot.choice_order,
        prompt_ids=tuple(row["prompt_ids"]),
        key=entity(row["answer_key"], AnswerKey),
    )
    return GradedSlot(slot=slot, question=question)


def pairs_of(asked: Sequence[Asked]) -> dict[str, Any]:
    """Versions as the parameters of a statement."""
    unique = list(dict.fromkeys(asked))
    return {"question_ids": [each[0] for each in unique], "versions": [each[1] for each in unique]}


def keyed_contents(rows: Iterable[Mapping[str, Any]]) -> Mapping[Asked, KeyedContent]:
    return {(row["question_id"], row["version"]): _content(row) for row in rows}


def _content(row: Mapping[str, Any]) -> KeyedContent:
    choices, prompts = entities(row["choices"], Choice), entities(row["prompts"], Choice)
    question = KeyedQuestion(
        kind=QuestionKind(row["kind"]),
        choice_ids=tuple(choice.id for choice in choices),
        prompt_ids=tuple(prompt.id for prompt in prompts),
        key=entity(row["answer_key"], AnswerKey),
    )
    return KeyedContent(question=question, choices=choices, prompts=prompts)
