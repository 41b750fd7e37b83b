"""Files of questions as tests need them: small ones, one that breaks off and one that waits."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any

from adapters.files.question_files import QuestionFilesByFormat
from application.question_bank.imports import ImportOrder
from application.question_bank.ports.importing import FileOptions, QuestionFile
from domain.question_bank.imported import ParsedItem

HEADER = (
    "question-id,domain,question-text,option-a,option-b,option-c,option-d,"
    "explanation-a,explanation-b,explanation-c,explanation-d,difficulty,tags,correct answer"
)
FIRST = "Q1,Routing,What is one?,a,b,c,d,,because,,,Easy,ip;net,B"
SECOND = 'Q2,Switching,What is two?,a,b,c,d,,,,,hard,,"A,C"'
THIRD = "Q3,,What is three?,a,b,c,d,,,,,cosmic,,D"


def order(*rows: str, bank: str = "network", **options: Any) -> ImportOrder:
    return ImportOrder(file=file_of("\n".join([HEADER, *rows]).encode()), bank=bank, **options)


def file_of(content: bytes, name: str = "network.csv") -> QuestionFile:
    return QuestionFilesByFormat().from_file(name, io.BytesIO(content), FileOptions())


class BrokenFile(QuestionFile):
    """Two thousand good questions, and then the disk is gone."""

    name = "broken.csv"
    format = "csv"

    def read(self, bank: str) -> Iterator[ParsedItem]:
        rows = "\n".join([HEADER, *(FIRST.replace("Q1,", f"Q{n},") for n in range(2_000))])
        yield from file_of(rows.encode()).read(bank)
        raise OSError("gone")


class SlowFile(QuestionFile):
    """One good question, whenever the test lets it through."""

    name = "slow.csv"
    format = "csv"

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def read(self, bank: str) -> Iterator[ParsedItem]:
        self.begun.set()
        self.go.wait(60)
        yield from file_of(f"{HEADER}\n{FIRST}".encode()).read(bank)
