"""Templates as their authors see them."""

from __future__ import annotations

from dataclasses import dataclass

from domain.practice.templates import PracticeTemplate, TemplateVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateView:
    """A template, and what students see of it."""

    template: PracticeTemplate
    published: TemplateVersion | None

    @property
    def has_unpublished_changes(self) -> bool:
        """Whether publishing would show students anything else than now."""
        return self.published is None or self.published.content != self.template.content
