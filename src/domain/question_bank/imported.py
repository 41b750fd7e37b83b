"""The canonical imported question: what every file format is turned into, its content hash, the rule for duplicates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import sha256
from itertools import groupby
from json.encoder import encode_basestring as _quoted
from operator import itemgetter
from typing import TypeAlias

from domain.question_bank.kinds import QuestionKind
from domain.question_bank.rejects import RejectedRecord

CHOICE_KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LONGEST_TEXT = 32 * 1024
"""Characters; no text of a question may be longer."""
MOST_MARKS = 30
"""Combining marks in a row, as in the Stream-Safe Text Format of Unicode (UAX #15): no language writes more."""

# Unicode white space without the C0 controls, which must stay visible to the check that refuses them.
_BLANKS = " \t\n\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_PINNED = '"pinned":true,'
_ZERO_WIDTH = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u180e"))


class TextFormat(StrEnum):
    """How the characters of a text are to be read."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormattedText:
    """A text and its notation. Plain text is never interpreted: `<script>` in it is data."""

    text: str
    format: TextFormat = TextFormat.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedChoice:
    """One option. Keys run A, B, C… without a gap; any number of choices of a question may be correct.

    A `pinned` choice keeps its place where the others are shuffled: "None of the above" stays last.
    """

    key: str
    text: FormattedText
    correct: bool
    weight: Decimal | None = None
    explanation: FormattedText | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericBand:
    """A right answer of a numeric question with its tolerances, and the fraction (0..1) of the mark that it earns."""

    answer: Decimal
    tol_abs: Decimal = Decimal(0)
    tol_rel: Decimal = Decimal(0)
    fraction: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One stem of a matching question and the key of the choice that belongs to it."""

    text: FormattedText
    choice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a question stood: record counts from 1 (the header, where there is one), line is the physical line."""

    format: str
    file: str
    record: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedQuestion:
    """A question as a file states it, before the bank has decided whether it is new, changed or known.

    What is right depends on the kind: `single`, `multiple` and `true_false` mark their choices as correct, `numeric`
    has `bands`, `short_text` the `accepted` texts, `matching` its `prompts`, and the choices of `ordering` stand in
    the right order (all of them marked correct).
    """

    external_id: str
    bank: str
    domain: str
    difficulty: str | None
    kind: QuestionKind
    stem: FormattedText
    choices: tuple[ImportedChoice, ...]
    explanation: FormattedText | None
    tags: tuple[str, ...]
    points: Decimal
    shuffle: bool
    bands: tuple[NumericBand, ...] = ()
    accepted: tuple[str, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    origin: Origin

    @property
    def answer(self) -> str:
        """The keys of the correct choices as they are shown and exported: `A` or `A,C`."""
        return ",".join([choice.key for choice in self.choices if choice.correct])

    @property
    def content_hash(self) -> bytes:
        """SHA-256 (32 bytes) of what the question says; computed on every call, so keep it where it is needed twice."""
        return sha256(canonical_json(self).encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankRecord:
    """A record without any text: skipped, and counted."""

    record: int
    line: int


class Severity(StrEnum):
    """What a problem does to its record: refused, imported with a remark, or left out without being wrong."""

    ERROR = "error"
    WARNING = "warning"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProblem:
    """One finding about one record. `code` is a promise; `detail` is its argument for machines, where it has one."""

    record: int
    line: int
    field: str | None
    code: str
    severity: Severity
    message: str
    detail: str | None = None


ParsedItem: TypeAlias = ImportedQuestion | ImportProblem | BlankRecord | RejectedRecord


def trimmed(text: str) -> str:
    """The text without the blanks around it; control characters are not blanks."""
    return text.strip(_BLANKS)


def canonical_text(text: str) -> str:
    """The spelling in which texts are compared and hashed: trimmed, NFC."""
    text = text.strip()
    return text if text.isascii() else _composed(text)


def has_too_many_marks(text: str) -> bool:
    """Whether more than `MOST_MARKS` combining marks follow each other, found in time linear in the text."""
    if len(text) <= MOST_MARKS or text.isascii():
        return False
    # Every 31st character is enough to see that there is no run of 31, which is true of nearly every text.
    sample = text[MOST_MARKS :: MOST_MARKS + 1]
    if sample.isascii():
        return False
    suspect, long_run = _mark_patterns()
    return suspect.search(sample) is not None and long_run.search(text) is not None


def normalized_id(text: str) -> str:
    """Ids are compared as text: NFC, without zero-width characters, trimmed. `01`, `1` and `1.0` stay three ids."""
    if text.isascii() or len(text) > LONGEST_TEXT:
        return trimmed(text)
    return trimmed(_composed(text.translate(_ZERO_WIDTH)))


def canonical_json(question: ImportedQuestion) -> str:
    """What the question says, in one spelling: sorted keys, NFC, trimmed, tags as a set, numbers without idle zeros.

    Left out are its ids (bank and external id) and its origin: the same content under another id hashes the same.
    What only some kinds have is left out where it is empty.
    """
    # Written out because it is the hottest line of an import; a test holds it against the `json` module.
    choices = ",".join(
        [
            f'{{"correct":{"true" if choice.correct else "false"},"explanation":{_formatted(choice.explanation)},'
            f'"key":{_quoted(choice.key)},{_PINNED if choice.pinned else ""}"text":{_formatted(choice.text)},'
            f'"weight":{canonical_number(choice.weight)}}}'
            for choice in question.choices
        ]
    )
    difficulty = _quoted(canonical_text(question.difficulty)) if question.difficulty else "null"
    tags = ",".join([_quoted(tag) for tag in sorted({canonical_text(tag) for tag in question.tags})])
    return (
        f'{{{_typed_key(question)}"choices":[{choices}],"difficulty":{difficulty},"domain":{_quoted(canonical_text(question.domain))},'
        f'"explanation":{_formatted(question.explanation)},"kind":"{question.kind}",'
        f'"points":{canonical_number(question.points)},{_prompts(question)}'
        f'"shuffle":{"true" if question.shuffle else "false"},'
        f'"stem":{_formatted(question.stem)},"tags":[{tags}]}}'
    )


def _typed_key(question: ImportedQuestion) -> str:
    """What is right where it is not a choice; nothing at all for the kinds that files bring by the thousand."""
    parts = ""
    if question.accepted:
        accepted = sorted({canonical_text(text) for text in question.accepted})
        parts += f'"accepted":[{",".join(map(_quoted, accepted))}],'
    if question.bands:
        parts += f'"bands":[{",".join(map(_band, question.bands))}],'
    return parts


def _band(band: NumericBand) -> str:
    return (
        f'{{"answer":{canonical_number(band.answer)},"fraction":{canonical_number(band.fraction)},'
        f'"tol_abs":{canonical_number(band.tol_abs)},"tol_rel":{canonical_number(band.tol_rel)}}}'
    )


def _prompts(question: ImportedQuestion) -> str:
    prompts = [f'{{"choice":{_quoted(prompt.choice)},"text":{_formatted(prompt.text)}}}' for prompt in question.prompts]
    return f'"prompts":[{",".join(prompts)}],' if prompts else ""


def derived_external_id(stem: str, choices: Iterable[str]) -> str:
    """The id of a question whose file gives none: from stem and choices alone, so a corrected key keeps the id."""
    texts = ",".join([_quoted(canonical_text(choice)) for choice in choices])
    content = f"[{_quoted(canonical_text(stem))},[{texts}]]"
    return f"h-{sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """What becomes of records that share an id or a content.

    `collapsed` maps a record to the earlier identical one under the same id, `refused` holds all records of an id that
    has several contents, `copies` maps a surviving record to the first one that says the same under another id.
    """

    collapsed: Mapping[int, int]
    refused: frozenset[int]
    copies: Mapping[int, int]


def resolve_duplicates(records: Iterable[tuple[int, str, bytes]]) -> Duplicates:
    """Judge (record, external id, content hash) triples as a set: their order does not matter."""
    collapsed: dict[int, int] = {}
    refused: set[int] = set()
    survivors: list[tuple[int, bytes]] = []
    by_id = itemgetter(1)
    for _, group in groupby(sorted(records, key=itemgetter(1, 0)), key=by_id):
        (first, _, content), *others = group
        if any(other_content != content for _, _, other_content in others):
            refused.update((first, *(record for record, _, _ in others)))
            continue
        collapsed.update((record, first) for record, _, _ in others)
        survivors.append((first, content))
    return Duplicates(collapsed=collapsed, refused=frozenset(refused), copies=_copies(survivors))


def identical_duplicate(record: int, line: int, first: int) -> ImportProblem:
    """The warning on a record that was collapsed into an earlier one."""
    return ImportProblem(
        record=record,
        line=line,
        field="question-id",
        code="duplicate_identical_of",
        severity=Severity.WARNING,
        message=f"The same question as record {first}; it is imported once.",
        detail=str(first),
    )


def conflicting_duplicate(record: int, line: int, external_id: str) -> ImportProblem:
    """The error on every record of an id that stands for several contents."""
    return ImportProblem(
        record=record,
        line=line,
        field="question-id",
        code="duplicate_id",
        severity=Severity.ERROR,
        message=f"The id {shown(external_id)} stands for several different questions in this file.",
    )


def visible(text: str, length: int = 60) -> str:
    """A text of any length and content, fit to stand in a report: short, and with its invisible characters escaped."""
    cut = text if len(text) <= length else f"{text[:length]}…"
    return cut if cut.isprintable() else repr(cut)[1:-1]


def shown(text: str) -> str:
    """The same in quotes, for messages."""
    return f"'{visible(text)}'"


def _composed(text: str) -> str:
    """The text in NFC; one that no question may hold stays as it is.

    `unicodedata` sorts a run of marks in time quadratic in its length, and nothing else runs meanwhile.
    """
    if len(text) > MOST_MARKS and (len(text) > LONGEST_TEXT or has_too_many_marks(text)):
        return text
    return unicodedata.normalize("NFC", text)


@cache
def _mark_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What may be a character that normalisation moves past its neighbours, and more of them in a row than allowed."""
    # The decomposition counts: U+0F73 is a starter by itself and falls apart into two marks. No mark lies outside.
    marks = [mark for mark in map(chr, range(0x300, 0x20000)) if _starts_with_mark(unicodedata.normalize("NFD", mark))]
    every = "".join(marks)
    # A class is fast to search for within the first plane only, so the few marks beyond it are suspected as one range.
    low = "".join([mark for mark in marks if mark <= "\uffff"])
    suspect = f"[{low}{marks[len(low)]}-{marks[-1]}]"
    return re.compile(suspect), re.compile(f"[{every}]{{{MOST_MARKS + 1}}}")


def _starts_with_mark(text: str) -> bool:
    return unicodedata.combining(text[0]) != 0


def _copies(survivors: list[tuple[int, bytes]]) -> dict[int, int]:
    first_with: dict[bytes, int] = {}
    copies: dict[int, int] = {}
    for record, content in sorted(survivors):
        first = first_with.setdefault(content, record)
        if first != record:
            copies[record] = first
    return copies


def _formatted(value: FormattedText | None) -> str:
    if value is None or not (text := canonical_text(value.text)):
        return "null"
    if value.format is TextFormat.PLAIN:
        return f'{{"format":"plain","text":{_quoted(text)}}}'
    return f'{{"format":"{value.format}","text":{_quoted(text)}}}'


def unsigned_zero(value: Decimal) -> Decimal:
    """The very number; a zero without a sign, which says nothing and would be a second spelling."""
    return value or Decimal(0)


@lru_cache(maxsize=1024)
def canonical_number(value: Decimal | None) -> str:
    """A number as it is hashed: without idle zeros, in quotes. Equal numbers have one spelling."""
    # The cache takes equal numbers for one, Decimal("-0") and Decimal("0") among them: so must what it keeps.
    return "null" if value is None else f'"{unsigned_zero(value).normalize():f}"'
