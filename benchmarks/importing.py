"""How fast `ace import questions` is, and how much memory it takes."""

from __future__ import annotations

import csv
import os
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.site import Site

_HEADER = ("question-id", "domain", "question-text", "option-a", "option-b", "option-c", "option-d")
_MORE = (
    "explanation-a",
    "explanation-b",
    "explanation-c",
    "explanation-d",
    "explanation",
    "difficulty",
    "correct answer",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFigures:
    """Of the whole command, its start included."""

    rows: int
    seconds: float
    peak_mib: float


def measure_import(site: Site, rows: int) -> ImportFigures:
    """Imports and publishes a file of new questions."""
    path = site.folder / "bench-questions.csv"
    _write(path, rows)
    started = time.perf_counter()
    process = site.command("import", "questions", str(path), "--publish", "--json")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"the import ended with {process.returncode}")
    return ImportFigures(rows=rows, seconds=time.perf_counter() - started, peak_mib=usage.ru_maxrss / 1024)


def _write(path: Path, rows: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*_HEADER, *_MORE))
        writer.writerows(_row(number) for number in range(rows))


def _row(number: int) -> tuple[str, ...]:
    """About 600 bytes, as a question of a certificate has."""
    choices = tuple(
        f"The answer number {letter} to question {number}, in some words" for letter in ["one", "two", "six", "ten"]
    )
    return (
        f"bench-{number}",
        f"Topic {number % 12}",
        f"Question {number}: which of the following statements describes the situation in the exhibit best?",
        *choices,
        f"Right, because of fact {number}.",
        *["Wrong, although it looks similar at a first glance."] * 3,
        "The standard says so in its second chapter, and practice has kept to it ever since.",
        ("easy", "medium", "hard")[number % 3],
        "A",
    )
