"""The reading of a whole GIFT file, from its bytes to its questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from adapters.files.excerpts import with_excerpt
from adapters.files.gift_questions.anatomy import CATEGORY, BadBraces, dissect, is_category
from adapters.files.gift_questions.questions import FORMAT, Malformed, Unsupported, read_question
from adapters.files.markup import Markup
from adapters.files.moodle_categories import domain_of
from adapters.files.text_blocks import Block, blocks_of
from domain.question_bank.import_checks import examine
from domain.question_bank.imported import ImportedQuestion, ImportProblem, Origin, ParsedItem, Severity, shown, trimmed


def parse_gift(
    file: IO[bytes], *, file_name: str, bank: str, encoding: str | None = None, with_rejects: bool = False
) -> Iterator[ParsedItem]:
    """Read questions lazily; memory holds one block. Every block that holds more than comments is a record.

    A category is reported like a question of a type that is not imported, and names the domain of those that follow.
    Titles are for people and are not kept: an id stands in a comment above the question, `// [id:…]`.
    `with_rejects` also gives the block of every record with an error.
    """
    record, domain = 0, ""
    for block in blocks_of(file, encoding=encoding, stands_alone=is_category):
        origin = Origin(format=FORMAT, file=file_name, record=record + 1, line=block.line)
        if block.lines and is_category(block.lines[0]):
            domain = domain_of(trimmed(block.lines[0]).removeprefix(CATEGORY))
            found: list[ParsedItem] = [_unsupported(origin, "category", "It names the domain of what follows.")]
        else:
            found = _read(block, domain, bank, origin)
        record += bool(found)
        yield from with_excerpt(found, origin, block.beginning) if with_rejects else found


def _read(block: Block, domain: str, bank: str, origin: Origin) -> list[ParsedItem]:
    """What a block gives: a question after its warnings, or problems; nothing when it holds comments only."""
    if block.fault is not None:
        return [_problem(origin, *block.fault)]
    try:
        anatomy = dissect(block.lines)
        if anatomy is None:
            return []
        markup = Markup()
        read = read_question(anatomy, markup, domain=domain, bank=bank, origin=origin)
    except BadBraces as fault:
        return [_problem(origin, fault.code, fault.message)]
    except Malformed as fault:
        return [_problem(origin, fault.code, fault.message, fault.field)]
    if isinstance(read, Unsupported):
        named = f"It is called {shown(anatomy.title)}." if anatomy.title else ""
        return [_unsupported(origin, read.type, named)]
    return _examined(read, markup)


def _examined(question: ImportedQuestion, markup: Markup) -> list[ParsedItem]:
    problems: list[ParsedItem] = [*markup.problems(question.origin), *examine(question)]
    if any(isinstance(problem, ImportProblem) and problem.severity is Severity.ERROR for problem in problems):
        return problems
    return [*problems, question]


def _unsupported(origin: Origin, type_: str, remark: str) -> ImportProblem:
    message = f"Not a question of choices: {type_}. {remark}".rstrip()
    return _problem(origin, "unsupported", message, severity=Severity.SKIPPED, detail=type_)


def _problem(
    origin: Origin,
    code: str,
    message: str,
    field: str | None = None,
    *,
    severity: Severity = Severity.ERROR,
    detail: str | None = None,
) -> ImportProblem:
    return ImportProblem(
        record=origin.record,
        line=origin.line,
        field=field,
        code=code,
        severity=severity,
        message=message,
        detail=detail,
    )
