"""The question bank over HTTP: taxonomy."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

handlers: list[ControllerRouterHandler] = []
