"""Papers by blueprint."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports import IdGenerator
from application.question_bank.ports.papers import PaperReader
from domain.auth.people import Actor
from domain.errors import DomainError, Kind
from domain.question_bank.blueprints import (
    Blueprint,
    BlueprintInfeasible,
    PaperSlot,
    Shortfall,
    assemble,
    refuse_unsound,
)
from domain.question_bank.ordering import choice_order
from domain.question_bank.questions import PublicQuestion


class PaperSourceNotFound(DomainError):
    """There is no such package to draw a paper from."""

    code = "paper.source_not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such exam package to draw from"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnQuestion:
    """A slot of a paper with its question and the order in which its choices stand there."""

    slot: PaperSlot
    question: PublicQuestion
    choice_order: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPreview:
    """What a blueprint gives today: a paper, or what it lacks. The same seed and questions give the same paper."""

    seed: str
    questions: tuple[DrawnQuestion, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPaper:
    """Staff try a blueprint on a package before anybody sits it: is it feasible, and what might a paper look like?

    With a student, what this student has been served counts as seen. Nothing is kept.
    """

    paper_reader: PaperReader
    ids: IdGenerator

    async def __call__(
        self,
        actor: Actor,
        exam_package_id: str,
        blueprint: Blueprint,
        *,
        student_id: str | None = None,
        seed: str | None = None,
    ) -> PaperPreview:
        refuse_unsound(blueprint)
        seed = seed or self.ids.new("see")
        pool = await self.paper_reader.pool(exam_package_id, blueprint, student_id=student_id, seed=seed)
        if pool is None:
            raise PaperSourceNotFound
        try:
            slots = assemble(blueprint, pool, seed)
        except BlueprintInfeasible as refusal:
            return PaperPreview(seed=seed, shortfalls=refusal.shortfalls)
        questions = await self.paper_reader.questions(slots)
        return PaperPreview(
            seed=seed,
            questions=tuple(
                DrawnQuestion(slot=slot, question=question, choice_order=choice_order(seed, question))
                for slot, question in zip(slots, questions, strict=True)
            ),
        )
