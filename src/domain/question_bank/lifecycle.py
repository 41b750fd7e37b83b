"""The lifecycle of a question: its versions, and every step from one status to the next as a function of the question.

A step returns the question after it, or the same question where the step was taken already. Who may take it is said in
`authority`, when a version is complete in `completeness`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.question_bank.content import QuestionContent
from domain.question_bank.lifecycle_refusals import (
    AlreadyDecided,
    LockedInReview,
    OpenVersionExists,
    QuestionChanged,
    QuestionInUse,
    QuestionStale,
    SelfApproval,
    WrongStatus,
)
from domain.question_bank.review import Decision, ReviewRound

REVISIONS = 1_000_000
"""More than a version will ever see; what follows a version's number in its tag."""

Check = Callable[[QuestionContent], None]


class VersionStatus(StrEnum):
    """Where a version stands. Open versions are written at; the others never change what they say."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    PUBLISHED = "published"
    ARCHIVED = "archived"
    SUPERSEDED = "superseded"

    @property
    def is_open(self) -> bool:
        return self in (VersionStatus.DRAFT, VersionStatus.IN_REVIEW, VersionStatus.CHANGES_REQUESTED)


def etag_version(version: int, rev: int) -> int:
    """The version and its revision as one number that grows with every change of a question."""
    return version * REVISIONS + rev


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionVersion:
    """One version. `rev` counts its changes, `editors` names everybody who wrote at it, in order of appearance."""

    version: int
    rev: int = 1
    status: VersionStatus = VersionStatus.DRAFT
    editors: tuple[str, ...] = ()
    content: QuestionContent
    created_at: datetime
    updated_at: datetime
    decided_at: datetime | None = None

    @property
    def etag(self) -> int:
        return etag_version(self.version, self.rev)

    def moved(self, status: VersionStatus, at: datetime) -> QuestionVersion:
        """The version in another status, one revision further."""
        return replace(self, status=status, rev=self.rev + 1, updated_at=at)

    def written(self, content: QuestionContent, by: str, at: datetime) -> QuestionVersion:
        """The version saying something else, with its writer among the editors."""
        return replace(self, content=content, editors=_with(self.editors, by), rev=self.rev + 1, updated_at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the caller read before: `rev` is refused as a conflict, `etag` as a failed precondition. None: whatever."""

    rev: int | None = None
    etag: int | None = None

    def refuse_other(self, version: QuestionVersion) -> None:
        """Refuses a version that was changed since it was read."""
        if self.etag is not None and self.etag != version.etag:
            raise QuestionChanged(version.etag)
        if self.rev is not None and self.rev != version.rev:
            raise QuestionStale(f"The question is at revision {version.rev} by now, not at {self.rev}.")


ANYTHING = Expected()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with those of its versions that a step may touch, oldest first: the published one and the latest.

    After a step the version that stepped back for another is still among them. `review` is the last round of the
    latest version; `was_published` says whether any version ever was.
    """

    id: str
    bank_id: str
    external_id: str
    author_id: str | None
    versions: tuple[QuestionVersion, ...]
    was_published: bool = False
    review: ReviewRound | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def latest(self) -> QuestionVersion:
        return self.versions[-1]

    @property
    def status(self) -> VersionStatus:
        return self.latest.status

    @property
    def published(self) -> QuestionVersion | None:
        """The version that students see."""
        return next((version for version in self.versions if version.status is VersionStatus.PUBLISHED), None)

    @property
    def shown(self) -> QuestionVersion:
        """The version whose topic and difficulty the question is found under: the published one, or else the latest."""
        return self.published or self.latest

    def having(self, *changed: QuestionVersion, at: datetime, review: ReviewRound | None) -> Question:
        """The question with these versions in the place of the older states of them."""
        versions = {version.version: version for version in (*self.versions, *changed)}
        return replace(
            self,
            versions=tuple(versions[number] for number in sorted(versions)),
            was_published=self.was_published or any(v.status is VersionStatus.PUBLISHED for v in changed),
            review=review,
            updated_at=at,
        )


def create(*, id: str, bank_id: str, external_id: str, content: QuestionContent, by: str, at: datetime) -> Question:  # noqa: A002
    """A question with its first draft."""
    first = QuestionVersion(version=1, editors=(by,), content=content, created_at=at, updated_at=at)
    return Question(
        id=id,
        bank_id=bank_id,
        external_id=external_id,
        author_id=by,
        versions=(first,),
        created_at=at,
        updated_at=at,
    )


def edit(question: Question, change: Callable[[QuestionContent], QuestionContent], by: str, at: datetime) -> Question:
    """An open version says something else; of a published question a new draft does, and the published one stays."""
    latest = question.latest
    if latest.status is VersionStatus.IN_REVIEW:
        raise LockedInReview
    if latest.status is VersionStatus.ARCHIVED:
        raise WrongStatus("The question is archived: open a draft of it first.")
    content = change(latest.content)
    if content == latest.content:
        return question
    if latest.status is VersionStatus.PUBLISHED:
        return question.having(_next_draft(latest, content, by, at), at=at, review=None)
    return question.having(latest.written(content, by, at), at=at, review=question.review)


def submit(question: Question, complete: Check, by: str, at: datetime) -> Question:
    """A complete draft waits for a decision, in a round of its own."""
    latest = question.latest
    if latest.status is VersionStatus.IN_REVIEW:
        return question
    if not latest.status.is_open:
        raise WrongStatus("Only a draft is handed in for review.")
    complete(latest.content)
    opened = ReviewRound(version=latest.version, round=_rounds(question) + 1, submitted_by=by, submitted_at=at)
    return question.having(latest.moved(VersionStatus.IN_REVIEW, at), at=at, review=opened)


def withdraw(question: Question, by: str, at: datetime) -> Question:
    """What waits for a decision is a draft again."""
    latest = question.latest
    if latest.status is VersionStatus.DRAFT:
        return question
    if latest.status is not VersionStatus.IN_REVIEW:
        raise WrongStatus("Only what is in review is withdrawn.")
    ended = _round(question, by).decided(Decision.WITHDRAWN, by, at)
    return question.having(latest.moved(VersionStatus.DRAFT, at), at=at, review=ended)


def approve(
    question: Question, complete: Check, by: str, at: datetime, *, override: bool = False, note: str | None = None
) -> Question:
    """What waits for a decision is published; the version that was published before steps back.

    Whoever wrote at the version does not approve it, unless with `override`. It is complete, which an import that
    handed it in need not have seen to.
    """
    _refuse_decided(question)
    if is_editor(question, by) and not override:
        raise SelfApproval
    complete(question.latest.content)
    ended = _round(question, by).decided(Decision.APPROVED, by, at, note)
    return _published(question, at, ended)


def request_changes(question: Question, note: str, by: str, at: datetime) -> Question:
    """What waits for a decision goes back to its author with a note."""
    _refuse_decided(question)
    ended = _round(question, by).decided(Decision.CHANGES_REQUESTED, by, at, note)
    changed = replace(question.latest.moved(VersionStatus.CHANGES_REQUESTED, at), decided_at=at)
    return question.having(changed, at=at, review=ended)


def publish(question: Question, complete: Check, at: datetime) -> Question:
    """A complete draft is published without a review."""
    latest = question.latest
    if latest.status is VersionStatus.PUBLISHED:
        return question
    if latest.status is VersionStatus.IN_REVIEW:
        raise LockedInReview("The question is in review: approve it, or withdraw it first.")
    if latest.status is VersionStatus.ARCHIVED:
        raise WrongStatus("The question is archived: open a draft of it first.")
    complete(latest.content)
    return _published(question, at, question.review)


def archive(question: Question, at: datetime) -> Question:
    """The published version is offered no more; sessions that have it keep it, and an open version stays open."""
    published, latest = question.published, question.latest
    if published is None:
        if latest.status is VersionStatus.ARCHIVED:
            return question
        raise WrongStatus("Only what is published is archived.")
    archived = published.moved(VersionStatus.ARCHIVED, at)
    if published is latest:
        return question.having(archived, at=at, review=question.review)
    # The tag of a question is that of its latest version, and the question has changed.
    touched = replace(latest, rev=latest.rev + 1, updated_at=at)
    return question.having(archived, touched, at=at, review=question.review)


def redraft(question: Question, by: str, at: datetime) -> Question:
    """A draft that says what the archived version says; of a published question, which is archived with it."""
    latest = question.latest
    if latest.status is VersionStatus.IN_REVIEW:
        raise LockedInReview
    if latest.status.is_open:
        if latest.status is VersionStatus.DRAFT and question.published is None:
            return question
        raise OpenVersionExists
    archived = archive(question, at)
    return archived.having(_next_draft(archived.latest, latest.content, by, at), at=at, review=None)


def refuse_used(question: Question, *, served: bool) -> None:
    """Only what was never published and never served may be deleted."""
    if question.was_published or served:
        raise QuestionInUse


def is_editor(question: Question, user_id: str) -> bool:
    """Whether somebody wrote at the latest version."""
    return user_id in question.latest.editors


def _published(question: Question, at: datetime, review: ReviewRound | None) -> Question:
    published = replace(question.latest.moved(VersionStatus.PUBLISHED, at), decided_at=at)
    before = question.published
    older = () if before is None else (before.moved(VersionStatus.SUPERSEDED, at),)
    return question.having(*older, published, at=at, review=review)


def _next_draft(latest: QuestionVersion, content: QuestionContent, by: str, at: datetime) -> QuestionVersion:
    """The revision counts on, so that one that was read of the version before names nothing of this one."""
    return QuestionVersion(
        version=latest.version + 1,
        rev=latest.rev + 1,
        editors=(by,),
        content=content,
        created_at=at,
        updated_at=at,
    )


def _refuse_decided(question: Question) -> None:
    if question.status is not VersionStatus.IN_REVIEW:
        raise AlreadyDecided


def _rounds(question: Question) -> int:
    return question.review.round if question.review else 0


def _round(question: Question, by: str) -> ReviewRound:
    """The round that waits for its decision; a version that an import handed in may have none yet."""
    if question.review is not None and question.review.is_open:
        return question.review
    latest = question.latest
    return ReviewRound(
        version=latest.version,
        round=_rounds(question) + 1,
        submitted_by=latest.editors[-1] if latest.editors else by,
        submitted_at=latest.updated_at,
    )


def _with(editors: tuple[str, ...], by: str) -> tuple[str, ...]:
    return editors if by in editors else (*editors, by)
