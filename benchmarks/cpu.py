"""Seconds of CPU that a process and all it started have used, from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Positions in /proc/<pid>/stat behind the name of the program, which is in parentheses and may hold anything.
_PARENT, _FIRST_TIME, _LAST_TIME = 1, 11, 14


def cpu_seconds(root: int) -> float:
    """Of the process, its living descendants and those that ended: an ended one's time is counted by its parent."""
    stats = dict(_stats())
    children: defaultdict[int, list[int]] = defaultdict(list)
    for pid, fields in stats.items():
        children[int(fields[_PARENT])].append(pid)
    total, pending = 0, [root]
    while pending:
        pid = pending.pop()
        pending += children[pid]
        total += sum(int(ticks) for ticks in stats[pid][_FIRST_TIME : _LAST_TIME + 1])
    return total / _TICKS


def peak_memory_mib(pid: int) -> float:
    """The most memory that a process has held at once."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _stats() -> Iterator[tuple[int, list[str]]]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            yield int(process.name), (process / "stat").read_text().rpartition(")")[2].split()
