"""What the lifecycle table says, written down a second time: no code of the domain is asked here."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.auth.people import Actor, Role

STALE = "question.stale"
_OPEN = ("draft", "in_review", "changes_requested")


@dataclass(slots=True)
class ModelVersion:
    """Who wrote what, and where it stands; `says` is the number of a stem."""

    says: int
    editors: list[str]
    status: str = "draft"
    rev: int = 1
    rounds: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ModelQuestion:
    """A question of a visible bank. Each command returns the code of its refusal, or None after it took effect."""

    author: str
    helpers: tuple[str, ...]
    versions: list[ModelVersion]
    gone: bool = False

    @property
    def latest(self) -> ModelVersion:
        return self.versions[-1]

    @property
    def published(self) -> ModelVersion | None:
        return next((version for version in self.versions if version.status == "published"), None)

    def refusal(self, actor: Actor, rev: int | None, *, helpers: bool) -> str | None:
        """What is refused before the command itself is looked at."""
        if self.gone:
            return "question.not_found"
        allowed = (self.author, *(self.helpers if helpers else ()))
        if actor.role is not Role.ADMIN and actor.user_id not in allowed:
            return "question.not_an_editor"
        return STALE if rev not in (None, self.latest.rev) else None

    def edit(self, actor: Actor, says: int) -> str | None:
        latest = self.latest
        if latest.status == "in_review":
            return "question.locked_in_review"
        if latest.status == "archived":
            return "question.wrong_status"
        if latest.says == says:
            return None
        if latest.status == "published":
            self.versions.append(ModelVersion(says, [actor.user_id], rev=latest.rev + 1))
            return None
        self.rewrite(latest, says, actor.user_id)
        return None

    def submit(self, actor: Actor) -> str | None:
        latest = self.latest
        if latest.status == "in_review":
            return None
        if latest.status not in _OPEN:
            return "question.wrong_status"
        self.move(latest, "in_review")
        latest.rounds.append("open")
        return None

    def withdraw(self, actor: Actor) -> str | None:
        latest = self.latest
        if latest.status == "draft":
            return None
        if latest.status != "in_review":
            return "question.wrong_status"
        self.decide("withdrawn")
        self.move(latest, "draft")
        return None

    def approve(self, actor: Actor, override: bool) -> str | None:
        if self.latest.status != "in_review":
            return "review.already_decided"
        if actor.user_id in self.latest.editors and not override:
            return "question.self_approval"
        self.decide("approved")
        self.become_published()
        return None

    def request_changes(self, actor: Actor) -> str | None:
        if self.latest.status != "in_review":
            return "review.already_decided"
        self.decide("changes_requested")
        self.move(self.latest, "changes_requested")
        return None

    def publish(self, actor: Actor) -> str | None:
        match self.latest.status:
            case "in_review":
                return "question.locked_in_review"
            case "archived":
                return "question.wrong_status"
            case "draft" | "changes_requested":
                self.become_published()
        return None

    def archive(self, actor: Actor) -> str | None:
        published = self.published
        if published is None:
            return None if self.latest.status == "archived" else "question.wrong_status"
        self.move(published, "archived")
        if published is not self.latest:
            self.latest.rev += 1
        return None

    def redraft(self, actor: Actor) -> str | None:
        latest = self.latest
        if latest.status == "published" and actor.role is not Role.ADMIN:
            return "auth.forbidden"
        if latest.status == "in_review":
            return "question.locked_in_review"
        if latest.status == "draft" and self.published is None:
            return None
        if latest.status in _OPEN:
            return "question.open_version_exists"
        if latest.status == "published":
            self.move(latest, "archived")
        self.versions.append(ModelVersion(latest.says, [actor.user_id], rev=latest.rev + 1))
        return None

    def delete(self, actor: Actor) -> str | None:
        if any(version.status not in _OPEN for version in self.versions):
            return "question.in_use"
        self.gone = True
        return None

    def take_in(self, actor: Actor | None, says: int, *, publish: bool) -> bool:
        """An import; whether it changed anything. What it publishes is approved by it, what it rewrites withdrawn."""
        latest = self.latest
        waits = latest.status in _OPEN
        if latest.says == says and not (publish and waits):
            return False
        if publish and self.published is not None:
            self.move(self.published, "superseded")
        importer = [actor.user_id] if actor else []
        if waits:
            latest.says, latest.rev = says, latest.rev + 1
            latest.editors += [name for name in importer if name not in latest.editors]
        else:
            status = "draft" if latest.status == "archived" else "in_review"
            self.versions.append(ModelVersion(says, importer, status, rev=latest.rev + 1))
        if publish:
            self.latest.status = "published"
        ended = "approved" if publish else "withdrawn"
        self.latest.rounds = [ended if decision == "open" else decision for decision in self.latest.rounds]
        return True

    def rewrite(self, version: ModelVersion, says: int, by: str) -> None:
        version.says, version.rev = says, version.rev + 1
        if by not in version.editors:
            version.editors.append(by)

    def move(self, version: ModelVersion, status: str) -> None:
        version.status, version.rev = status, version.rev + 1

    def decide(self, decision: str) -> None:
        rounds = self.latest.rounds
        if rounds and rounds[-1] == "open":
            rounds.pop()
        rounds.append(decision)

    def become_published(self) -> None:
        older = self.published
        if older is not None:
            self.move(older, "superseded")
        self.move(self.latest, "published")
