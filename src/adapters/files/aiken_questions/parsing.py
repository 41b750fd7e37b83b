"""The reading of a whole Aiken file, from its bytes to its questions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import IO, Final

from adapters.files.excerpts import with_excerpt
from adapters.files.text_blocks import Block, blocks_of
from domain.question_bank.import_checks import examine
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    ImportProblem,
    Origin,
    ParsedItem,
    Severity,
    derived_external_id,
    trimmed,
)
from domain.question_bank.kinds import QuestionKind

FORMAT: Final = "aiken"
_OPTION: Final = re.compile(r"\s*([A-Za-z])[.)](?:\s+(.*))?", re.DOTALL)
_ANSWER: Final = re.compile(r"\s*ANSWER\s*:(.*)", re.IGNORECASE | re.DOTALL)


def is_answer(line: str) -> bool:
    """Whether a line names the answer; it ends its question."""
    return _ANSWER.fullmatch(line) is not None


def parse_aiken(
    file: IO[bytes], *, file_name: str, bank: str, encoding: str | None = None, with_rejects: bool = False
) -> Iterator[ParsedItem]:
    """Read questions lazily; memory holds one block. Every block is a record, and nothing in the file is an id.

    Read as other tools write it, not only as Moodle does: the text may have several lines, letters may be small.
    Options are lettered without a gap, each in one line, and one letter is the answer.
    `with_rejects` also gives the block of every record with an error.
    """
    for record, block in enumerate(blocks_of(file, encoding=encoding, closes=is_answer), start=1):
        origin = Origin(format=FORMAT, file=file_name, record=record, line=block.line)
        items = _read(block, bank, origin) if block.fault is None else [_problem(origin, None, *block.fault)]
        yield from with_excerpt(items, origin, block.beginning) if with_rejects else items


def _read(block: Block, bank: str, origin: Origin) -> list[ParsedItem]:
    *lines, last = block.lines
    answer = _ANSWER.fullmatch(last)
    if answer is None:
        lines.append(last)
    # The first line is the text, whatever it looks like.
    first_option = next((place for place, line in enumerate(lines[1:], start=1) if _letter(line) == "A"), len(lines))
    stem = "\n".join(map(trimmed, lines[:first_option]))
    options = lines[first_option:]
    if stray := _stray_line(options):
        message = f"Line {block.line + first_option + stray} is no option in its turn: is a letter or a line missing?"
        return [_problem(origin, None, "unexpected_line", message)]
    texts = [trimmed(found[2] or "") for found in map(_OPTION.fullmatch, options) if found]
    named = trimmed(answer[1]).upper() if answer else ""
    if fault := _answer_fault(named, texts):
        return [_problem(origin, "correct answer", *fault)]
    question = _question(stem, texts, named, bank, origin)
    problems: list[ParsedItem] = [*examine(question)]
    if any(isinstance(problem, ImportProblem) and problem.severity is Severity.ERROR for problem in problems):
        return problems
    return [*problems, question]


def _letter(line: str) -> str | None:
    found = _OPTION.fullmatch(line)
    return found[1].upper() if found else None


def _stray_line(options: Sequence[str]) -> int | None:
    """How many lines after the first option something else than the next letter stands."""
    for place, line in enumerate(options):
        if place >= len(CHOICE_KEYS) or _letter(line) != CHOICE_KEYS[place]:
            return place
    return None


def _answer_fault(named: str, options: Sequence[str]) -> tuple[str, str] | None:
    """Code and message for an answer that names none of the options; what is wrong with those comes first."""
    if len(options) < 2 or named in CHOICE_KEYS[: len(options)]:
        return None if named or len(options) < 2 else ("missing_answer", "No line ANSWER: with a letter follows.")
    if len(named) == 1 and named in CHOICE_KEYS:
        return "answer_not_an_option", f"There is no option {named}."
    return "bad_answer", "The answer is one letter."


def _question(stem: str, options: Sequence[str], named: str, bank: str, origin: Origin) -> ImportedQuestion:
    return ImportedQuestion(
        external_id=derived_external_id(stem, options),
        bank=bank,
        domain="",
        difficulty=None,
        kind=QuestionKind.SINGLE,
        stem=FormattedText(text=stem),
        choices=tuple(
            ImportedChoice(key=key, text=FormattedText(text=text), correct=key == named)
            for key, text in zip(CHOICE_KEYS, options, strict=False)
        ),
        explanation=None,
        tags=(),
        points=Decimal(1),
        shuffle=True,
        origin=origin,
    )


def _problem(origin: Origin, field: str | None, code: str, message: str) -> ImportProblem:
    return ImportProblem(
        record=origin.record, line=origin.line, field=field, code=code, severity=Severity.ERROR, message=message
    )
