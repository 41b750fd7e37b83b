"""Refusals of authoring: what may not be done with a question, and why."""

from __future__ import annotations

from domain.errors import DomainError, Kind


class BankNotFound(DomainError):
    """There is no such bank, or it is hidden from whoever neither owns nor co-edits it."""

    code = "question_bank.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such question bank"


class QuestionNotFound(DomainError):
    """There is no such question, or its bank is hidden from the caller."""

    code = "question.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such question"


class NotAnEditor(DomainError):
    """Only its author, the owner and co-editors of its bank, and administrators change a question.

    It is archived, opened again and deleted by its author and by administrators alone.
    """

    code = "question.not_an_editor"
    kind = Kind.FORBIDDEN
    title = "Others may change this question, but not you"


class DirectPublishingNotAllowed(DomainError):
    """Questions of instructors are published by an approval; only an administrator publishes without a review."""

    code = "question.publishing_not_allowed"
    kind = Kind.FORBIDDEN
    title = "Only an administrator publishes without a review"


class SelfApproval(DomainError):
    """Whoever wrote at a version does not approve it, unless an administrator overrides this and is recorded for it."""

    code = "question.self_approval"
    kind = Kind.FORBIDDEN
    title = "Nobody approves what they have written"


class QuestionStale(DomainError):
    """The question was changed since `expectedRev` was read: read it again before changing or deciding."""

    code = "question.stale"
    kind = Kind.CONFLICT
    title = "The question has been changed by now"


class QuestionChanged(DomainError):
    """`If-Match` names another state than the current one, whose tag the ETag header of the answer tells."""

    code = "question.precondition_failed"
    kind = Kind.PRECONDITION_FAILED
    title = "The question is not as If-Match expects it"

    def __init__(self, current_version: int) -> None:
        self.current_version = current_version
        super().__init__()


class LockedInReview(DomainError):
    """What waits for a decision stays as it was handed in: withdraw it first."""

    code = "question.locked_in_review"
    kind = Kind.CONFLICT
    title = "The question is in review, withdraw it first"


class OpenVersionExists(DomainError):
    """A question has one open version at a time: finish that one first."""

    code = "question.open_version_exists"
    kind = Kind.CONFLICT
    title = "The question has an open version already"


class WrongStatus(DomainError):
    """The status of the question does not lead where it was asked to go."""

    code = "question.wrong_status"
    kind = Kind.CONFLICT
    title = "The status of the question does not allow this"


class QuestionIncomplete(DomainError):
    """What is handed in for review or published must be complete; each thing that is missing is named."""

    code = "question.incomplete"
    kind = Kind.INVALID
    title = "The question is not complete"


class QuestionInUse(DomainError):
    """What was ever published or served stays, so that results keep their meaning: archive it instead."""

    code = "question.in_use"
    kind = Kind.CONFLICT
    title = "The question has been in use and can only be archived"


class ExternalIdTaken(DomainError):
    """An external id names one question of a bank."""

    code = "question.external_id_taken"
    kind = Kind.CONFLICT
    title = "The bank has another question of this external id"


class TopicUnknown(DomainError):
    """A question is about a topic of its own bank."""

    code = "question.topic_unknown"
    kind = Kind.INVALID
    title = "The bank has no such topic"


class DifficultyUnknown(DomainError):
    """A question has one of the difficulties that there are."""

    code = "question.difficulty_unknown"
    kind = Kind.INVALID
    title = "There is no such difficulty"


class AlreadyDecided(DomainError):
    """One decision is made for each time a question is handed in: this one does not wait for any."""

    code = "review.already_decided"
    kind = Kind.CONFLICT
    title = "The question does not wait for a decision"


class NoteInvalid(DomainError):
    """A note of a review has 1 to 2000 characters, and whoever requests changes says which."""

    code = "review.note_invalid"
    kind = Kind.INVALID
    title = "The note is not valid"
