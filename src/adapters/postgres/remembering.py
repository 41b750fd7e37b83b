"""A memory for what never changes in the database: the latest that were asked for, in a bounded number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Forgets what was asked for longest ago once there is no room. What finds none at all is not kept."""

    def __init__(self, room: int, weigh: Callable[[V], int]) -> None:
        """`room` is in bytes, and `weigh` says about how many a value takes."""
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._room = room
        self._weigh = weigh

    def get(self, key: K) -> V | None:
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def keep(self, key: K, value: V) -> V:
        """The value, which takes the place of the one that was known by this key."""
        before = self._kept.pop(key, None)
        self._room += 0 if before is None else self._weigh(before)
        self._kept[key] = value
        self._room -= self._weigh(value)
        while self._room < 0:
            _, forgotten = self._kept.popitem(last=False)
            self._room += self._weigh(forgotten)
        return value
