"""An area that is no area of the product: one handler for each thing that the HTTP edge does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Protocol

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.di import Provide
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from application.request_context import request_context
from domain.errors import DomainError, InvalidInput, Kind, OutcomeUnknown, StoreRejectedInput
from entrypoints.http.conditional import expected_version, hashed, versioned
from entrypoints.http.fields import Id, Moment, PageBody, RequestBody, ResponseBody, ShortText, SmallCount
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import MIB, ApiRequest
from tests.support.http import StubArea


class Greeter(Protocol):
    """A port that is injected by name."""

    def greet(self, name: str) -> str: ...


class PoliteGreeter:
    """Greets."""

    def greet(self, name: str) -> str:
        return f"Good day, {name}"


class Choice(RequestBody):
    choice_id: Id
    weight: Annotated[Decimal, msgspec.Meta(description="From 0 to 1")] = Decimal(1)


class NewItem(RequestBody):
    title: ShortText
    item_count: SmallCount = 0
    choices: Annotated[list[Choice], msgspec.Meta(max_length=5)] = []
    opens_at: Moment | None = None
    labels: Annotated[dict[ShortText, ShortText], msgspec.Meta(max_length=5)] = {}
    snapshot: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))


class Item(ResponseBody):
    id: str
    title: str
    item_count: int
    mark: Decimal
    created_at: datetime


class ItemPage(PageBody):
    items: list[Item]
    total: int | None


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    created_at: datetime


class Busy(DomainError):
    code = "sample.busy"
    kind = Kind.TOO_MANY
    title = "Too many at once"


class Outdated(DomainError):
    code = "sample.outdated"
    kind = Kind.PRECONDITION_FAILED
    title = "It has changed"

    def __init__(self, current_version: int) -> None:
        super().__init__()
        self.current_version = current_version


class SignedOut(DomainError):
    code = "sample.signed_out"
    kind = Kind.UNAUTHENTICATED
    title = "Sign in first"


START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = [Row(f"itm_{number:03}", START + timedelta(minutes=number // 2)) for number in range(45)]


def item(title: str, count: int = 0, id_: str = "itm_1") -> Item:
    return Item(id=id_, title=title, item_count=count, mark=Decimal("0.75"), created_at=START)


@get("/greetings/{name:str}", operation_id="greet")
async def greet(name: FromPath[str], greeter: Injected[Greeter]) -> dict[str, str]:
    """Greet somebody."""
    return {"text": greeter.greet(name)}


@post("/items", operation_id="createItem", opt={"callers": ("student",), "refusals": (Busy,)})
async def create_item(data: JSONBody[NewItem]) -> Response[Item]:
    """Create an item."""
    return Response(item(data.title, data.item_count))


@post("/items/optional", operation_id="createOptional")
async def create_optional(data: JSONBody[NewItem | None] = None) -> dict[str, bool]:
    return {"given": data is not None}


@get("/items", operation_id="listItems")
async def list_items(
    request: ApiRequest,
    paging: Injected[Paging],
    topic_id: Annotated[str | None, QueryParameter(name="topicId", max_length=5)] = None,
) -> Response[ItemPage]:
    """List items, oldest first."""
    after = paging.after(datetime, str)
    found = [row for row in ROWS if after is None or (row.created_at, row.id) > after][: paging.limit + 1]
    return page(
        request,
        paging,
        found,
        key=lambda row: (row.created_at, row.id),
        item=lambda row: item("An item", id_=row.id),
        body=ItemPage,
        total=len(ROWS),
    )


@get("/search", operation_id="search")
async def search(text: Annotated[str, QueryParameter(name="q", max_length=9)]) -> dict[str, str]:
    return {"text": text}


@get("/items/{item_id:str}", operation_id="getItem")
async def get_item(item_id: FromPath[str], request: ApiRequest) -> Response[Item]:
    return versioned(request, item("Versioned", id_=item_id), 7)


@get("/hashed", operation_id="getHashed")
async def get_hashed(request: ApiRequest) -> Response[Item]:
    return hashed(request, item("Hashed"))


@put("/items/{item_id:str}", operation_id="replaceItem")
async def replace_item(item_id: FromPath[str], request: ApiRequest, data: JSONBody[NewItem]) -> Item:
    expected = expected_version(request)
    if expected not in (None, 7):
        raise Outdated(7)
    return item(data.title, id_=item_id)


@delete("/items/{item_id:str}", operation_id="deleteItem", opt={"callers": ("student",)})
async def delete_item(item_id: FromPath[str]) -> None:
    """Delete an item."""


@post(
    "/large",
    operation_id="takeLarge",
    request_max_body_size=3 * MIB,
    opt={"body_seconds": 0.05, "also_answers": (200,), "request_body": {"content": {"application/octet-stream": {}}}},
)
async def take_large(request: ApiRequest) -> dict[str, int]:
    return {"size": len(await request.body())}


@post("/forms", operation_id="takeForm", opt={"request_body": {"content": {"multipart/form-data": {}}}})
async def take_form(request: ApiRequest) -> dict[str, int]:
    form = await request.form()
    again = await request.form()
    file = form.get("file")
    return {"size": len(await file.read()) if file else 0, "same": int(file is again.get("file"))}


@post("/twice", operation_id="readTwice")
async def read_twice(request: ApiRequest) -> dict[str, Any]:
    """Reads the body in three ways, and tells by when it must answer."""
    before = request_context.get().answer_by
    first, second = await request.body(), await request.body()
    streamed = b"".join([part async for part in request.stream()])
    return {"same": first == second == streamed, "more_time": request_context.get().answer_by != before}


@get("/stream", operation_id="streamText")
async def stream_text() -> Stream:
    async def parts() -> AsyncIterator[str]:
        for part in ("one", "two", "three"):
            yield part

    return Stream(parts())


FAILURES: dict[str, Any] = {
    "busy": lambda: Busy(retry_after_seconds=30),
    "outdated": lambda: Outdated(9),
    "signed_out": SignedOut,
    "unknown_outcome": OutcomeUnknown,
    "rejected": StoreRejectedInput,
    "defect": lambda: RuntimeError("password=hunter2"),
    "group": lambda: ExceptionGroup("several", [ValueError("secret")]),
    "not_validated": lambda: msgspec.ValidationError("Expected `secret`"),
    "invalid": lambda: InvalidInput("That is wrong"),
}


@get("/failures/{name:str}", operation_id="fail")
async def fail(name: FromPath[str]) -> None:
    failure: Exception = FAILURES[name]()
    raise failure


@get("/broken-stream", operation_id="breakStream")
async def break_stream() -> Stream:
    async def parts() -> AsyncIterator[str]:
        yield "one"
        raise RuntimeError("after the start")

    return Stream(parts())


def sample_area() -> StubArea:
    """The handlers, ready to be served."""
    handlers = [
        *(greet, create_item, create_optional, list_items, get_item, get_hashed, replace_item, delete_item),
        *(search, take_form, read_twice, take_large, stream_text, fail, break_stream),
    ]
    greeter = Provide(PoliteGreeter, sync_to_thread=False)
    return StubArea([Router("/", route_handlers=handlers, tags=["sample"])], dependencies={"greeter": greeter})
