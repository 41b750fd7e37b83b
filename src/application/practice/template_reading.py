"""Looking at templates of practice."""

from __future__ import annotations

from dataclasses import dataclass

from application.practice.ports.templates import TemplateReader
from application.practice.template_views import TemplateView
from domain.auth.people import Actor
from domain.practice.templates import TemplateNotFound, TemplateVersion
from domain.question_bank.authority import require_staff


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTemplate:
    """Every instructor reads every template, published or not."""

    template_reader: TemplateReader

    async def __call__(self, actor: Actor, template_id: str) -> TemplateView:
        require_staff(actor)
        found = await self.template_reader.template(template_id)
        if found is None:
            raise TemplateNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOfferedTemplate:
    """A student reads what is published for a package that they are enrolled in."""

    template_reader: TemplateReader

    async def __call__(self, actor: Actor, template_id: str) -> TemplateVersion:
        found = await self.template_reader.offered_template(actor.user_id, template_id)
        if found is None:
            raise TemplateNotFound
        return found
