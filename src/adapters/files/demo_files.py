"""The questions of the demo, which are part of the package."""

from __future__ import annotations

from pathlib import Path

from adapters.files.question_files import QuestionFilesByFormat
from application.question_bank.ports.importing import FileOptions, QuestionFile

_FOLDER = Path(__file__).parent / "demo"


def demo_file(bank: str) -> QuestionFile:
    """The questions of one of the demo banks."""
    return QuestionFilesByFormat().from_path(_FOLDER / f"{bank}.csv", FileOptions())
