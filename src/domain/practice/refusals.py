"""Refusals of the practice area."""

from __future__ import annotations

from domain.errors import DomainError, Kind


class NoQuestions(DomainError):
    """Nothing published matches what was asked for."""

    code = "practice.no_questions"
    kind = Kind.CONFLICT
    title = "No question matches"


class PracticeSessionNotFound(DomainError):
    """There is no such session, or it is somebody else's: nobody learns which."""

    code = "practice.session_not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such practice session"


class SlotNotFound(DomainError):
    """The session has no such slot, or does not ask that question."""

    code = "practice.slot_not_found"
    kind = Kind.NOT_FOUND
    title = "The practice session does not ask this question"


class AlreadyAnswered(DomainError):
    """With immediate feedback the first answer counts, because the key has been shown."""

    code = "practice.already_answered"
    kind = Kind.CONFLICT
    title = "The question has been answered"


class PracticePaused(DomainError):
    """A paused session takes no answers."""

    code = "practice.paused"
    kind = Kind.CONFLICT
    title = "The practice session is paused"


class PracticeFinished(DomainError):
    """A session that is over stays over."""

    code = "practice.finished"
    kind = Kind.CONFLICT
    title = "The practice session is over"


class TimedPracticeCannotPause(DomainError):
    """The clock of a session with a time limit does not stop."""

    code = "practice.pause_timed"
    kind = Kind.CONFLICT
    title = "A practice session with a time limit cannot be paused"


class ReviewNotAvailable(DomainError):
    """With deferred feedback the answers can be reviewed when the session is finished, and not before.

    Of one that was declared void there is never a review.
    """

    code = "practice.review_not_available"
    kind = Kind.CONFLICT
    title = "The practice session cannot be reviewed"


class ExamUnderWay(DomainError):
    """While a student sits an exam, practice tells nothing of what stands on its paper.

    A session that asks such a question takes no command and shows no result until the exam is over, also one that was
    over before the exam began.
    """

    code = "practice.exam_under_way"
    kind = Kind.CONFLICT
    title = "An exam that is under way asks a question of the practice session"


class StudyUnderWay(DomainError):
    """Who studies one round at a time completes or abandons the one that is active before another begins."""

    code = "practice.study_under_way"
    kind = Kind.MALFORMED
    title = "You have an active study session. Complete or abandon it first."


class PracticeNotInTier(DomainError):
    """The tier of the enrolment has no practice sessions."""

    code = "practice.not_in_tier"
    kind = Kind.FORBIDDEN
    title = "The tier of the enrolment does not include practice"


class WeeklyPracticeLimit(DomainError):
    """As many sessions as the tier allows were begun in the last seven days; the first place to come free is told."""

    code = "practice.weekly_limit"
    kind = Kind.TOO_MANY
    title = "No more practice sessions this week"
