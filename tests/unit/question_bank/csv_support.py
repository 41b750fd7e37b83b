"""Small CSV files for tests: a valid one to vary, and what the parser makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adapters.files.csv_questions import CsvOptions, parse_csv
from domain.question_bank.imported import BlankRecord, ImportedQuestion, ImportProblem, ParsedItem, Severity

HEADER = (
    "question-id,domain,question-text,option-a,option-b,option-c,option-d,"
    "explanation-a,explanation-b,explanation-c,explanation-d,correct answer\r\n"
)


def row(
    id_: str = "S1", text: str = "Why?", options: str = "Alpha,Beta,Gamma,Delta", answer: str = "A", notes: str = ",,,"
) -> str:
    return f"{id_},1.1,{text},{options},{notes},{answer}\r\n"


@dataclass(slots=True)
class Report:
    """The items of a file, sorted by what they are."""

    questions: list[ImportedQuestion] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)
    blanks: list[BlankRecord] = field(default_factory=list)

    @property
    def errors(self) -> dict[int, str]:
        return {problem.record: problem.code for problem in self.problems if problem.severity is Severity.ERROR}

    @property
    def remarks(self) -> dict[int, str]:
        return {problem.record: problem.code for problem in self.problems if problem.severity is not Severity.ERROR}

    @property
    def only(self) -> ImportedQuestion:
        (question,) = self.questions
        return question


def sort_items(items: Iterable[ParsedItem]) -> Report:
    report = Report()
    for item in items:
        match item:
            case ImportedQuestion():
                report.questions.append(item)
            case ImportProblem():
                report.problems.append(item)
            case BlankRecord():
                report.blanks.append(item)
    return report


def items_of(data: bytes | str | Iterable[bytes], options: CsvOptions | None = None) -> Iterator[ParsedItem]:
    chunks = [data.encode()] if isinstance(data, str) else [data] if isinstance(data, bytes) else data
    return parse_csv(chunks, file="file.csv", bank="security", options=options or CsvOptions())


def report_of(data: bytes | str | Iterable[bytes], options: CsvOptions | None = None) -> Report:
    return sort_items(items_of(data, options))
