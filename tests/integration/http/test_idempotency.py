"""A request with an Idempotency-Key has one effect and one answer, however often it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from litestar import Response, post
from litestar.di import Provide
from litestar.params import JSONBody

from adapters.memory.store import MemoryStore, MemoryTransaction, MemoryWork
from application.idempotency import once_only
from application.ports import Clock, Transaction
from domain.errors import DomainError, Kind
from entrypoints.http.fields import RequestBody, ResponseBody, ShortText
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest
from tests.support.http import StubArea, assert_problem, build_app, client_of


@dataclass(frozen=True)
class Caller:
    user_id: str


class NewNote(RequestBody):
    text: ShortText


class Note(ResponseBody):
    number: int
    text: str


class NoteRefused(DomainError):
    code = "sample.note_refused"
    kind = Kind.CONFLICT
    title = "No more notes"


class StoppedClock(Clock):
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class NoteWork(MemoryWork):
    def add(self, text: str) -> tuple[int, str]:
        notes = self._tables["notes"]
        notes[len(notes) + 1] = text
        return len(notes), text


@dataclass(frozen=True, slots=True)
class AddNote:
    """Adds a note; `full` is counted and then refused, `broken` is refused at once."""

    transact: Transaction[NoteWork]

    async def __call__(self, text: str) -> tuple[int, str]:
        async def add(work: NoteWork) -> tuple[int, str] | NoteRefused:
            if text == "broken":
                raise NoteRefused
            added = work.add(text)
            return NoteRefused("It is full") if text == "full" else added

        result = await self.transact(add)
        if isinstance(result, NoteRefused):
            raise result
        return result


def note(added: tuple[int, str]) -> Reply:
    number, text = added
    return Reply(Note(number=number, text=text), headers={"location": f"/notes/{number}"})


@post("/notes", operation_id="addNote")
async def add_note(
    request: ApiRequest, actor: Injected[Caller], data: JSONBody[NewNote], add: Injected[AddNote]
) -> Response[Note]:
    return await once(request, actor, lambda: add(data.text), note)


@post("/public-notes", operation_id="addPublicNote")
async def add_public_note(request: ApiRequest, data: JSONBody[NewNote], add: Injected[AddNote]) -> Response[Note]:
    return await once(request, None, lambda: add(data.text), note)


def provide_actor(request: ApiRequest) -> Caller:
    return Caller(request.headers.get("x-user", "usr_1"))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def client(store: MemoryStore) -> AsyncIterator[httpx.AsyncClient]:
    use_case = AddNote(MemoryTransaction(store, NoteWork, StoppedClock()))
    area = StubArea([add_note, add_public_note], dependencies={"actor": Provide(provide_actor, sync_to_thread=False)})
    async with client_of(build_app(area, add=lambda: use_case)) as client:
        yield client


async def add(client: httpx.AsyncClient, text: str = "a", key: str | None = "k-1", **headers: str) -> httpx.Response:
    keyed = {} if key is None else {"idempotency-key": key}
    return await client.post("/notes", json={"text": text}, headers={**keyed, **headers})


async def test_the_same_request_again_repeats_the_answer_and_not_the_effect(
    client: httpx.AsyncClient, store: MemoryStore
) -> None:
    first, second = await add(client), await add(client)
    assert (first.status_code, first.json()) == (201, {"number": 1, "text": "a"})
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["location"] == first.headers["location"] == "/notes/1"
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["content-type"] == "application/json"
    assert len(store.tables["notes"]) == 1


async def test_without_a_key_every_request_has_its_effect(client: httpx.AsyncClient, store: MemoryStore) -> None:
    for _ in range(2):
        assert (await add(client, key=None)).status_code == 201
    assert len(store.tables["notes"]) == 2
    assert not store.tables["idempotency_keys"]


async def test_another_body_or_path_under_the_key_is_refused(client: httpx.AsyncClient) -> None:
    await add(client)
    assert_problem(await add(client, "b"), 422, "idempotency.key_reused")


async def test_a_key_belongs_to_its_user(client: httpx.AsyncClient, store: MemoryStore) -> None:
    await add(client)
    other = await add(client, **{"x-user": "usr_2"})
    assert other.json()["number"] == 2
    assert len(store.tables["idempotency_keys"]) == 2


async def test_a_refused_request_leaves_the_key_free(client: httpx.AsyncClient, store: MemoryStore) -> None:
    assert_problem(await add(client, "broken"), 409, "sample.note_refused")
    assert (await add(client, "a")).status_code == 201
    assert len(store.tables["notes"]) == 1


async def test_a_refusal_that_left_something_behind_leaves_the_key_free_too(
    client: httpx.AsyncClient, store: MemoryStore
) -> None:
    """What stood in the way may be gone when the same request comes again."""
    for times in (1, 2):
        refused = await add(client, "full")
        assert_problem(refused, 409, "sample.note_refused")
        assert "idempotency-replayed" not in refused.headers
        assert len(store.tables["notes"]) == times
    assert (await add(client, "a")).status_code == 201


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"a" * 256, b"\xc3\xa9", b"a\tb"])
async def test_a_key_that_is_not_visible_ascii_is_refused(client: httpx.AsyncClient, key: bytes) -> None:
    response = await client.post("/notes", json={"text": "a"}, headers=[(b"idempotency-key", key)])
    problem = assert_problem(response, 422, "request.invalid")
    assert problem["errors"][0]["pointer"] == "Idempotency-Key"


async def test_nobody_signed_in_means_no_memory(client: httpx.AsyncClient, store: MemoryStore) -> None:
    for _ in range(2):
        response = await client.post("/public-notes", json={"text": "a"}, headers={"idempotency-key": "k"})
        assert response.status_code == 201
    assert len(store.tables["notes"]) == 2


async def test_the_key_does_not_outlive_its_request(client: httpx.AsyncClient) -> None:
    await add(client)
    assert once_only.get() is None
