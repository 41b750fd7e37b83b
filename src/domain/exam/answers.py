"""Taking an answer in an exam: what is kept of it, what is refused, and what comes too late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from domain.enrollment.settings import Navigation
from domain.errors import DomainError, FieldProblem
from domain.exam.lifecycle import Command, taken
from domain.exam.moves import accept_until, expire
from domain.exam.papers import AskedSlot
from domain.exam.record import Draft, Entry, EntryKind, answer_content, append
from domain.exam.refusals import ExamSlotNotFound, NoReturn, StaleWrite
from domain.exam.sessions import ExamRules, ExamSession, ExamSlot
from domain.question_bank.certainty import Certainty
from domain.question_bank.ordering import shown_ids
from domain.question_bank.questions import AnswerInvalid, Response, refuse_unfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer that is given, in the question's own names; None takes back what was answered.

    `base_revision` is the revision that the student saw. An `autosave` gives way to what was saved meanwhile, any other
    save is refused. `flagged` None leaves the flag as it is.
    """

    response: Response | None
    base_revision: int
    certainty: Certainty | None = None
    autosave: bool = False
    flagged: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A session and a slot after an answer, and the entry for the record; None: no answer was changed.

    `stale`: the answer had been changed by somebody else, and stands. `changed`: whether the slot is to be kept.
    """

    session: ExamSession
    slot: ExamSlot
    entry: Entry | None = None
    stale: bool = False
    changed: bool = False


def own_response(asked: AskedSlot, response: Response | None) -> Response | None:
    """The answer in the question's own names, whatever they are called on this paper; None where it says nothing."""
    if response is None or response.is_blank:
        return None
    shown = shown_ids(asked.question.kind, asked.slot.choice_order)
    return response.renamed({name: choice for choice, name in shown.items()})


def save_answer(session: ExamSession, asked: AskedSlot | None, given: Given, now: datetime) -> Saved:
    """Take an answer, if it is based on the one that stands; the very same again changes nothing.

    It is also the same again where it made the revision that stands: whoever lost the reply to a save sends it once
    more, and that has one effect. What came after it stands, a flag too.

    What is accepted counts for this instant, or for the deadline where that has passed. A flag by itself is no answer
    and makes no revision. Refuses, in this order: a session that takes no answers, a slot that there is not, an answer
    that does not fit, a question that was passed in a linear exam, and an answer that was changed meanwhile.
    """
    session = expire(session, now)
    taken(session.status, Command.SAVE_ANSWER)
    if asked is None:
        raise ExamSlotNotFound
    slot, given = asked.slot, fit(session.rules, asked, given)
    if session.rules.navigation is Navigation.LINEAR and slot.slot < session.furthest_slot:
        raise NoReturn
    if given.base_revision != slot.revision:
        return _overtaken(session, slot, given)
    flagged = slot.flagged if given.flagged is None else given.flagged
    after = replace(slot, flagged=flagged)
    if _same(slot, given):
        return Saved(session=session, slot=after, changed=after != slot)
    return _revised(session, after, given, now)


def fit(rules: ExamRules, asked: AskedSlot, given: Given) -> Given:
    """The answer with what is unsaid said: who does not say how sure they are is least sure, of a blank nobody is.

    Refuses an answer that does not fit the question, and certainty that nobody asked for.
    """
    if given.certainty is not None and not rules.certainty:
        message = "This exam does not ask how sure you are."
        raise AnswerInvalid(message, problems=(FieldProblem("/certainty", "not_asked", message),))
    if given.response is None:
        return replace(given, certainty=None)
    try:
        refuse_unfit(asked.question, given.response)
    except AnswerInvalid as refusal:
        raise placed(refusal, "/response") from None
    return replace(given, certainty=given.certainty or Certainty.LOW) if rules.certainty else given


def answer_draft(slot: int, revision: int, given: Given) -> Draft:
    """What the record says of an answer that was accepted as this revision."""
    content = answer_content(given.response, given.certainty)
    return Draft(kind=EntryKind.ANSWER, slot=slot, revision=revision, autosave=given.autosave, content=content)


def placed(refusal: DomainError, pointer: str) -> DomainError:
    """The same refusal of something that stood at `pointer` in what was sent."""
    return type(refusal)(
        refusal.detail,
        problems=tuple(replace(each, pointer=pointer + each.pointer) for each in refusal.problems),
        retry_after_seconds=refusal.retry_after_seconds,
        facts=refusal.facts,
    )


def _same(slot: ExamSlot, given: Given) -> bool:
    return (slot.response, slot.certainty) == (given.response, given.certainty)


def _overtaken(session: ExamSession, slot: ExamSlot, given: Given) -> Saved:
    if given.base_revision == slot.revision - 1 and _same(slot, given):
        return Saved(session=session, slot=slot)
    if given.autosave:
        return Saved(session=session, slot=slot, stale=True)
    message = f"Revision {slot.revision} stands, not {given.base_revision}."
    problem = FieldProblem("/baseRevision", "stale", message)
    raise StaleWrite(message, problems=(problem,), facts={"currentRevision": slot.revision})


def _revised(session: ExamSession, slot: ExamSlot, given: Given, now: datetime) -> Saved:
    counts_for, revision = accept_until(session, now), slot.revision + 1
    draft = answer_draft(slot.slot, revision, given)
    session, entry = append(session, draft, now, effective_at=counts_for)
    return Saved(
        session=replace(session, furthest_slot=max(session.furthest_slot, slot.slot)),
        slot=replace(
            slot, response=given.response, certainty=given.certainty, revision=revision, answered_at=counts_for
        ),
        entry=entry,
        changed=True,
    )
