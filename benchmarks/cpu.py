"""Seconds of CPU that a process and all it started have used, from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
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


def descendants(root: int) -> list[int]:
    """Every living process that the process has started, and theirs."""
    parents = {pid: int(fields[_PARENT]) for pid, fields in _stats()}
    found, reached = [], {root}
    for pid in sorted(parents):
        if parents[pid] in reached:
            reached.add(pid)
            found.append(pid)
    return found


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in MiB; `private` without what it shares with others, as PostgreSQL's buffers."""

    name: str
    resident: float
    peak: float
    private: float


def memory_of(pid: int) -> Memory | None:
    """None when it has ended."""
    with suppress(OSError, IndexError):
        status = Path(f"/proc/{pid}/status").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split()
        kib = {name: int(status.partition(f"{name}:")[2].split()[0]) for name in ("VmRSS", "VmHWM", "RssAnon")}
        name = " ".join([part.rpartition("/")[2] for part in command[:4]])
        return Memory(name, kib["VmRSS"] / 1024, kib["VmHWM"] / 1024, kib["RssAnon"] / 1024)
    return None


def _stats() -> Iterator[tuple[int, list[str]]]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            yield int(process.name), (process / "stat").read_text().rpartition(")")[2].split()
