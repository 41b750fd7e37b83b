"""Refusals of the exam area."""

from __future__ import annotations

from domain.errors import DomainError, Kind


class ExamSessionNotFound(DomainError):
    """There is no such session, or it is somebody else's: nobody learns which."""

    code = "exam.session_not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such exam session"


class ExamNotStarted(DomainError):
    """The session waits for its start to be authorised."""

    code = "exam.not_started"
    kind = Kind.CONFLICT
    title = "The exam has not been started"


class ExamNotActive(DomainError):
    """The session has ended; nothing is accepted after that."""

    code = "exam.not_active"
    kind = Kind.CONFLICT
    title = "The exam is over"


class ExamTerminated(DomainError):
    """The session was terminated."""

    code = "exam.terminated"
    kind = Kind.CONFLICT
    title = "The exam was terminated"


class ExamInvalidated(DomainError):
    """The session was declared invalid."""

    code = "exam.invalidated"
    kind = Kind.CONFLICT
    title = "The exam was declared invalid"


class ExamPaused(DomainError):
    """A paused session takes neither answers nor its submission."""

    code = "exam.paused"
    kind = Kind.CONFLICT
    title = "The exam is paused"


class ExamTimeExpired(DomainError):
    """The time is over. Under a policy with grace the session can still be submitted, late."""

    code = "exam.time_expired"
    kind = Kind.CONFLICT
    title = "The time of the exam is over"


class ExamAlreadySubmitted(DomainError):
    """What was handed in stays as it is."""

    code = "exam.already_submitted"
    kind = Kind.CONFLICT
    title = "The exam has been submitted"


class ExamAbandoned(DomainError):
    """The time ran out before the session was submitted."""

    code = "exam.abandoned"
    kind = Kind.CONFLICT
    title = "The exam was abandoned"


class ExamNotPaused(DomainError):
    """Only a paused session can be resumed."""

    code = "exam.not_paused"
    kind = Kind.CONFLICT
    title = "The exam is not paused"


class ExamNotInvalidated(DomainError):
    """Only a session that was declared invalid can be reinstated."""

    code = "exam.not_invalidated"
    kind = Kind.CONFLICT
    title = "The exam was not declared invalid"


class ExamNotReopenable(DomainError):
    """The session is live, was handed in by its student, or has no time left."""

    code = "exam.not_reopenable"
    kind = Kind.CONFLICT
    title = "The exam cannot be reopened"


class ExamNotSealed(DomainError):
    """Only what was handed in is graded."""

    code = "exam.not_sealed"
    kind = Kind.CONFLICT
    title = "The exam cannot be graded as it is"


class ExamNotGraded(DomainError):
    """There is no grade yet that could be revised."""

    code = "exam.not_graded"
    kind = Kind.CONFLICT
    title = "The exam has no grade"


class ExamGradingIncomplete(DomainError):
    """A grade needs a mark for every slot."""

    code = "exam.grading_incomplete"
    kind = Kind.CONFLICT
    title = "Not every slot has a mark"


class AwaitingResult(DomainError):
    """The attempt before has not been graded; until then there is no other one."""

    code = "exam.awaiting_result"
    kind = Kind.CONFLICT
    title = "The last attempt waits for its result"


class ExamEnrollmentRequired(DomainError):
    """Exams of a package are for those who are enrolled in it."""

    code = "exam.enrollment_required"
    kind = Kind.FORBIDDEN
    title = "You are not enrolled in this exam package"


class EntitlementDenied(DomainError):
    """The tier of the enrolment has no exams. `reason` says what is missing."""

    code = "exam.entitlement_denied"
    kind = Kind.FORBIDDEN
    title = "The tier of the enrolment does not include exams"


class WeeklyExamLimit(DomainError):
    """As many exams as the tier allows were started in seven days; `retryAt` is when the first place is free."""

    code = "exam.weekly_limit"
    kind = Kind.TOO_MANY
    title = "No more exams this week"


class ExamNotOpen(DomainError):
    """The window of the exam has not opened."""

    code = "exam.not_open"
    kind = Kind.CONFLICT
    title = "The exam is not open yet"


class ExamClosed(DomainError):
    """The window of the exam has closed."""

    code = "exam.closed"
    kind = Kind.CONFLICT
    title = "The exam is closed"


class AttemptLimit(DomainError):
    """Every attempt that the package allows has been used."""

    code = "exam.attempt_limit"
    kind = Kind.CONFLICT
    title = "No attempt is left"


class RetakeCooldown(DomainError):
    """Between two attempts there is a pause; `retryAt` is when it is over."""

    code = "exam.retake_cooldown"
    kind = Kind.TOO_MANY
    title = "It is too early for another attempt"


class FormUnavailable(DomainError):
    """The banks of the package do not hold enough published questions for a paper; `shortfall` says how many lack."""

    code = "exam.form_unavailable"
    kind = Kind.CONFLICT
    title = "There are too few questions for this exam"


class PackageAmbiguous(DomainError):
    """The student is enrolled in several packages and did not say which exam is meant."""

    code = "exam.package_ambiguous"
    kind = Kind.CONFLICT
    title = "It is not clear which exam is meant"


class ExamSlotNotFound(DomainError):
    """The paper has no such slot."""

    code = "exam.slot_not_found"
    kind = Kind.NOT_FOUND
    title = "The paper has no such slot"


class NoReturn(DomainError):
    """In a linear exam a question that was passed stays as it is."""

    code = "exam.no_return"
    kind = Kind.CONFLICT
    title = "The question has been passed"


class StaleWrite(DomainError):
    """The answer was changed since `baseRevision`; `currentRevision` is what it has come to."""

    code = "exam.stale_write"
    kind = Kind.CONFLICT
    title = "The answer has been changed by now"


class ReasonRequired(DomainError):
    """Whoever interferes with an exam says why."""

    code = "exam.reason_required"
    kind = Kind.INVALID
    title = "A reason is needed"


class PauseNotAllowed(DomainError):
    """Students pause an exam only where the package allows it and there is no limit of time."""

    code = "exam.pause_not_allowed"
    kind = Kind.CONFLICT
    title = "This exam cannot be paused"


class PausedByStaff(DomainError):
    """A pause that staff ordered is ended by staff."""

    code = "exam.paused_by_staff"
    kind = Kind.FORBIDDEN
    title = "Only staff can end this pause"


class AdjustTooSmall(DomainError):
    """Taking time away never puts the deadline into the past."""

    code = "exam.adjust_too_small"
    kind = Kind.INVALID
    title = "That much time cannot be taken away"


class SnapshotTooLarge(DomainError):
    """A snapshot is at most 64 KiB."""

    code = "exam.snapshot_too_large"
    kind = Kind.TOO_LARGE
    title = "The snapshot is too large"


class EventTypeUnknown(DomainError):
    """Events are of a known type."""

    code = "exam.event_type_unknown"
    kind = Kind.INVALID
    title = "There is no such type of event"


class EventTooLarge(DomainError):
    """The payload of an event is at most 8 KiB."""

    code = "exam.event_too_large"
    kind = Kind.TOO_LARGE
    title = "The event is too large"


class EventRate(DomainError):
    """A session takes 60 events in a minute."""

    code = "exam.event_rate"
    kind = Kind.TOO_MANY
    title = "Too many events"


class ResultNotReady(DomainError):
    """There is no result that may be told: the exam is under way, waits for its grade, or does not count."""

    code = "exam.result_not_ready"
    kind = Kind.CONFLICT
    title = "There is no result yet"


class VoidNotApplicable(DomainError):
    """Choices are accepted as well where a question is answered by choices, and only those that it has."""

    code = "exam.void_not_applicable"
    kind = Kind.INVALID
    title = "The question cannot be declared void like this"
