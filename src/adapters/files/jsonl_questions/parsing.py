"""The reading of a file of JSON Lines, from its bytes to its questions."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import IO, Final

import msgspec

from adapters.files.excerpts import LONGEST_EXCERPT, with_excerpt
from adapters.files.jsonl_questions.lines import MAX_LINE, numbered_lines
from adapters.files.jsonl_questions.rules import faults_of
from adapters.files.jsonl_questions.shapes import FORMAT, NAME, VERSION, Header, QuestionLine, question_of
from adapters.files.markup import Markup
from domain.question_bank.import_checks import difficulty_code, examine
from domain.question_bank.import_refusals import EmptyFile, MissingHeader, VersionUnknown
from domain.question_bank.imported import ImportProblem, Origin, ParsedItem, Severity, visible

_BLANK: Final = b" \t\r\n"
_LONGEST_MESSAGE: Final = 200
_header = msgspec.json.Decoder(Header)
_question = msgspec.json.Decoder(QuestionLine)


def parse_jsonl(file: IO[bytes], *, file_name: str, bank: str, with_rejects: bool = False) -> Iterator[ParsedItem]:
    """Read questions lazily; memory holds one line. The header is record 1, and lines without text are no records.

    Raises an `ImportRefused` when the file is empty, has no header, or is of a version that is not known here.
    `with_rejects` also gives the line of every record with an error.
    """
    lines = numbered_lines(file)
    _read_header(lines)
    record = 1
    for number, line in lines:
        if line is not None and not line.strip(_BLANK):
            continue
        record += 1
        origin = Origin(format=FORMAT, file=file_name, record=record, line=number)
        items = _read(line, bank, origin)
        yield from with_excerpt(items, origin, partial(_shown, line)) if with_rejects else items


def _shown(line: bytes | None) -> str:
    return (line or b"")[:LONGEST_EXCERPT].decode("utf-8", "replace").strip()


def _read_header(lines: Iterator[tuple[int, bytes | None]]) -> None:
    first = next((line for _, line in lines if line is None or line.strip(_BLANK)), b"")
    if first is None:
        raise MissingHeader("The first line does not end")
    first = first.removeprefix(codecs.BOM_UTF8)
    if not first:
        raise EmptyFile
    try:
        header = _header.decode(first)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        header = Header(format="", version=0)
    if header.format != NAME:
        raise MissingHeader(f'The first line is not {{"format":"{NAME}","version":{VERSION}}}')
    if header.version != VERSION:
        raise VersionUnknown(f"Version {visible(str(header.version))}; {VERSION} is the only one")


def _read(line: bytes | None, bank: str, origin: Origin) -> Iterator[ParsedItem]:
    if line is None:
        yield _problem(origin, "line_too_long", f"More than {MAX_LINE} bytes in a line are no question.")
        return
    try:
        stated = _question.decode(line.decode("utf-8"))
    except UnicodeDecodeError:
        yield _problem(origin, "undecodable", "The line is not UTF-8.")
        return
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        yield _problem(origin, "invalid_field", visible(message, _LONGEST_MESSAGE), field=path.rstrip("`") or None)
        return
    except (msgspec.DecodeError, RecursionError) as error:
        yield _problem(origin, "malformed_json", visible(str(error), _LONGEST_MESSAGE))
        return
    faults = [_problem(origin, code, message, field=field) for field, code, message in faults_of(stated)]
    if faults:
        yield from faults
        return
    markup = Markup()
    question = question_of(stated, markup, bank=bank, origin=origin)
    problems = [*markup.problems(origin), *examine(question)]
    yield from problems
    if not any(problem.severity is Severity.ERROR for problem in problems):
        yield replace(question, difficulty=difficulty_code(question.difficulty))


def _problem(origin: Origin, code: str, message: str, *, field: str | None = None) -> ImportProblem:
    field = None if field is None else visible(field)
    return ImportProblem(
        record=origin.record, line=origin.line, field=field, code=code, severity=Severity.ERROR, message=message
    )
