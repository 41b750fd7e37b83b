"""How the door that was asked tells its errors: what is wrong is the same at every door, its spelling is not."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Protocol

import msgspec

from domain.errors import DomainError
from entrypoints.http.replies import RenderedReply


class ErrorForm(Protocol):
    """One spelling of refusals, and what the OpenAPI document tells of it.

    `name` is that of its shared response, `headers` are those that its errors have besides the ones of their kind.
    """

    name: ClassVar[str]
    media_type: ClassVar[str]
    body: ClassVar[type[msgspec.Struct]]
    headers: ClassVar[tuple[str, ...]]

    @abstractmethod
    def status_of(self, refusal: DomainError | type[DomainError]) -> int: ...

    @abstractmethod
    def tell(self, refusal: DomainError, request_id: str) -> RenderedReply: ...
