"""The practice platform's door, below `/api/v1`: its clients find their paths, fields and statuses, and our rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from entrypoints.http.error_forms import ErrorForm
from entrypoints.http.practice_platform import achievements, auth, questions, quiz, study
from entrypoints.http.practice_platform.addresses import NoTokensInAddresses
from entrypoints.http.practice_platform.dealt import provide_dealt_quizzes
from entrypoints.http.practice_platform.errors import DETAILS
from entrypoints.http.practice_platform.exam_types import provide_exam_types
from entrypoints.http.route_layers import RouteLayer

_PREFIX: Final = "/api/v1"


class Settings(Protocol):
    """What says whether this door is open."""

    @property
    def practice_platform(self) -> bool: ...


def is_served(settings: Settings) -> bool:
    return settings.practice_platform


handlers: Sequence[ControllerRouterHandler] = [
    Router(
        path=_PREFIX,
        route_handlers=[*auth.handlers, *questions.handlers, *quiz.handlers, *study.handlers, *achievements.handlers],
        tags=["practice-platform"],
        opt={"error_form": DETAILS, "bearer_only": True, "tokenless_address": True},
    )
]
middleware: Sequence[RouteLayer] = [NoTokensInAddresses()]
forms: dict[str, ErrorForm] = {_PREFIX: DETAILS}
dependencies: dict[str, Provide] = {
    "exam_types": Provide(provide_exam_types, sync_to_thread=False),
    "dealt_quizzes": Provide(provide_dealt_quizzes, sync_to_thread=False),
}
