"""A candidate with a bad connection: requests go twice, out of order or are cut off, and again until answered."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.exam_day.ledger import Ledger, Said, Tally
from tests.exam_day.together import together

ANSWER_WITHIN = 7.0
"""Six seconds are promised; the rest is for this side of the connection."""
_GIVE_UP_SECONDS = 90.0
_TWICE, _ABORTED, _OUT_OF_ORDER = 0.1, 0.08, 0.15
_OVER = frozenset({"exam.already_submitted", "exam.not_active", "exam.time_expired", "exam.abandoned"})


class ExamIsOver(Exception):
    """The server says that the session has ended."""


@dataclass(slots=True, kw_only=True)
class Candidate:
    """Sits one exam until told to stop. Whatever the server acknowledges goes into the ledger, and nothing else."""

    client: httpx.AsyncClient
    ledger: Ledger
    tally: Tally
    chance: random.Random
    pause_seconds: float
    _revising: dict[int, asyncio.Lock] = field(default_factory=dict)

    async def start(self, package: str) -> None:
        """Who is not let in complains of it, and sits nothing."""
        key = {"idempotency-key": f"start-{self.ledger.number}"}
        try:
            begun = await self._sure("start", "POST", "/exam-sessions", {"examPackageId": package}, key)
        except ExamIsOver:
            self.tally.complain(f"candidate {self.ledger.number} was not let in")
            return
        if "id" in begun and begun.get("paper"):
            self.ledger.session_id = begun["id"]
            self.ledger.slots = begun["paper"]["slots"]
        else:
            self.tally.complain(f"candidate {self.ledger.number}: a start without a paper: {begun}")

    async def sit(self, stop: asyncio.Event) -> None:
        """Answers, gives signs of life and records events, in no order."""
        if not self.ledger.session_id:
            return
        acts: tuple[Callable[[], Awaitable[None]], ...] = (self.answer, self.answer, self._beat, self._tell)
        try:
            while not stop.is_set():
                await self.chance.choice(acts)()
                await asyncio.sleep(self.chance.uniform(0, 2 * self.pause_seconds))
        except ExamIsOver:
            self.tally.done["told that it is over"] += 1

    async def submit(self) -> None:
        """Hands in, twice at once now and then; every answer to it must be the same."""
        if not self.ledger.session_id:
            return
        key = {"idempotency-key": f"submit-{self.ledger.number}"}
        path = f"/exam-sessions/{self.ledger.session_id}/submit"
        try:
            told = await self._sure("submit", "POST", path, {}, self.chance.choice((key, {})))
        except ExamIsOver:
            return
        self.handed_in(told)

    def handed_in(self, told: Said) -> None:
        """Takes note of what a submit was answered with."""
        if told.get("status") != "finished" or "mark" not in (told.get("result") or {}):
            self.tally.complain(f"{self.ledger.session_id}: a submit without a result: {told}")
        else:
            self.ledger.submitted = told

    async def look(self) -> None:
        """Comes back after the end; whatever time has done by then is what is told."""
        if not self.ledger.session_id:
            return
        try:
            told = await self._sure("look", "GET", self._path, None)
        except ExamIsOver:
            self.tally.complain(f"{self.ledger.session_id}: after its time nobody may look at it")
            return
        if told.get("status") != "finished":
            self.tally.complain(f"{self.ledger.session_id}: after its time it is told to be {told}")

    async def answer(self) -> None:
        asked = self.chance.choice(self.ledger.slots)
        slot = asked["slot"]
        async with self._revising.setdefault(slot, asyncio.Lock()):
            base = self.ledger.revisions.get(slot, 0)
            said = self._response(asked)
            body = {"response": said, "baseRevision": base, "autosave": self.chance.random() < 0.5}
            told = await self._sure("answer", "PUT", f"{self._path}/answers/{slot}", body)
            if told.get("stale") or told.get("code") == "exam.stale_write":
                # An earlier request of ours arrived after all: what the server has is what counts.
                self.ledger.revisions[slot] = told.get("revision", told.get("currentRevision", 0))
                self.tally.done["stale answer"] += 1
            elif "revision" in told:
                self.ledger.answered(slot, told["revision"], said)

    async def _beat(self) -> None:
        first = self.ledger.seq + 1
        numbers = [first, first + 1] if self.chance.random() < _OUT_OF_ORDER else [first]
        self.ledger.seq = numbers[-1]
        for number in reversed(numbers):
            body = {"seq": number, "snapshot": {"beat": number, "notes": "x" * self.chance.randrange(900)}}
            told = await self._sure("heartbeat", "POST", f"{self._path}/heartbeat", body)
            if told.get("lastSeq", 0) < number:
                self.tally.complain(f"{self.ledger.session_id}: beat {number} answered with {told}")
            else:
                self.ledger.beat = max(self.ledger.beat, number)

    async def _tell(self) -> None:
        name = f"ev-{self.ledger.number}-{len(self.ledger.events)}"
        body = {"type": "focus_lost", "clientEventId": name, "payload": {"n": len(self.ledger.events)}}
        told = await self._sure("event", "POST", f"{self._path}/events", body)
        if "id" in told:
            known = self.ledger.events.setdefault(name, told["id"])
            if known != told["id"]:
                self.tally.complain(f"{self.ledger.session_id}: event {name} was given two ids")

    @property
    def _path(self) -> str:
        return f"/exam-sessions/{self.ledger.session_id}"

    def _response(self, asked: Said) -> Said:
        if asked["kind"] in ("single", "true_false", "multiple"):
            return {"choiceIds": [self.chance.choice(asked["choices"])["id"]]}
        if asked["kind"] == "numeric":
            return {"numericValue": str(self.chance.randrange(100))}
        if asked["kind"] == "short_text":
            return {"text": f"word {self.chance.randrange(100)}"}
        raise ValueError(asked["kind"])

    async def _sure(
        self, what: str, method: str, path: str, body: Said | None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Sends a request until there is an answer to it, twice at once or cut off in between now and then."""
        luck = self.chance.random()
        if luck < _ABORTED:
            self.tally.done["aborted"] += 1
            try:
                async with asyncio.timeout(self.chance.uniform(0.0005, 0.02)):
                    await self._send(method, path, body, headers)
            except (TimeoutError, httpx.HTTPError):
                pass
        if luck > 1 - _TWICE:
            self.tally.done["sent twice"] += 1
            both = await self._both(what, method, path, body, headers)
            return self._same(what, both)
        return await self._insist(what, method, path, body, headers)

    async def _both(
        self, what: str, method: str, path: str, body: Said | None, headers: dict[str, str] | None
    ) -> list[dict[str, Any]]:
        try:
            return await together(self._insist(what, method, path, body, headers) for _ in range(2))
        except* ExamIsOver:
            pass
        raise ExamIsOver

    def _same(self, what: str, both: list[dict[str, Any]]) -> dict[str, Any]:
        """Of two that were sent at once each may have been the first; a submit and a start say the same twice."""
        if what in ("submit", "start") and both[0].get("id") != both[1].get("id"):
            self.tally.complain(f"{what} had two effects: {both}")
        fresh = [each for each in both if not each.get("stale") and each.get("code") is None]
        return fresh[0] if fresh else both[0]

    async def _insist(
        self, what: str, method: str, path: str, body: Said | None, headers: dict[str, str] | None
    ) -> dict[str, Any]:
        until = time.monotonic() + _GIVE_UP_SECONDS
        while time.monotonic() < until:
            begun = time.monotonic()
            try:
                answer = await self._send(method, path, body, headers)
            except httpx.HTTPError:
                self.tally.done["no answer"] += 1
                await asyncio.sleep(self.chance.uniform(0.05, 0.4))
                continue
            self.tally.took(f"{what} {answer.status_code} at {begun:.1f}", begun, time.monotonic())
            told = self._understood(what, answer)
            if told is not None:
                return told
            await asyncio.sleep(float(answer.headers.get("retry-after", 0.2)) * self.chance.uniform(0.5, 1))
        self.tally.complain(f"{what} was never answered: {path}")
        raise ExamIsOver

    async def _send(self, method: str, path: str, body: Said | None, headers: dict[str, str] | None) -> httpx.Response:
        return await self.client.request(method, path, json=body, headers=self.ledger.headers | (headers or {}))

    def _understood(self, what: str, answer: httpx.Response) -> dict[str, Any] | None:
        """The document of a definite answer; None of one that says: try again."""
        self.tally.done[f"{what} {answer.status_code}"] += 1
        if answer.status_code in (503, 429) or (answer.status_code == 409 and "retry-after" in answer.headers):
            return None
        told = _document(answer)
        if answer.is_success:
            if what != "submit" and self.ledger.submitted is not None:
                self.tally.complain(f"{self.ledger.session_id}: {what} was accepted after the submit")
            return told
        if told.get("code") == "exam.stale_write":
            return told
        if told.get("code") in _OVER:
            raise ExamIsOver
        self.tally.complain(f"{what}: {answer.status_code} {answer.text[:300]}")
        return told


def _document(answer: httpx.Response) -> dict[str, Any]:
    """What an answer says; nothing where it is no document."""
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
