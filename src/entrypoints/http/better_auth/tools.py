"""What endpoints are made with: the settings, the use cases by name, and the door's own knowledge of cookies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from entrypoints.http.better_auth.cookies import DoorCookies
from entrypoints.http.better_auth.settings import DoorSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Given to each module of endpoints. `use` is what the container provides under a name, made when asked for."""

    settings: DoorSettings
    cookies: DoorCookies
    providers: Mapping[str, Callable[[], Any]]

    def use(self, name: str) -> Any:
        return self.providers[name]()
