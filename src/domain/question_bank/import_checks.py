"""What every imported question must satisfy in any format: shape, lengths, characters; and what is remarkable in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

from domain.question_bank.imported import (
    CHOICE_KEYS,
    LONGEST_TEXT,
    MOST_MARKS,
    ImportedQuestion,
    ImportProblem,
    Severity,
    canonical_text,
    has_too_many_marks,
    shown,
    trimmed,
)
from domain.question_bank.kinds import QuestionKind

DIFFICULTIES = ("easy", "medium", "hard")
MAX_STEM_BYTES = LONGEST_TEXT
MAX_OPTION_BYTES = 8 * 1024
MAX_EXPLANATION_BYTES = LONGEST_TEXT
MAX_TAGS = 50
MAX_NAME_BYTES = 512
"""Ids, domains, difficulties and tags: they are names and stand in indexes."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
# What UTF-8 looks like after it was read as cp1252 or Mac Roman. Only pairs that no language writes: French `É»`
# and German `„Ä“` are pairs of that kind too, and are not listed.
_MOJIBAKE = re.compile(
    r"Ã[\x80-\xbf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
    r"|Â[\xa0-\xbf]|â(?:€|‚¬|„¢|†[\x90-\xbf\u2018-\u2022]|ˆ[\x80-\xbf\u2018-\u2022]|‰[\x80-\xbf]|œ[\x80-\xbf\u2026])|ï»¿|ï¿½|ðŸ"
    r"|‚(?:Ä[ìîôöúùû¶¢]|ú[Öìîôö])|√[©®±°§∂≠Ñ£]|\ufffd"
)
_NOT_ASCII = (_SURROGATE, _BIDI, _MOJIBAKE)
_ASKED_COUNT = re.compile(
    r"\b(?:choose|select|pick)\s+(?:the\s+|any\s+|exactly\s+|only\s+)?(?P<count>one|two|three|four|five|six|[1-6])\b"
    r"(?P<sure>\s*(?:$|[.)\]:!?;]|(?:(?:best|correct|right|valid|true)\s+)?(?:answer|option|choice|response|statement|that\b|of\s+the\s+following)))?",
    re.IGNORECASE,
)
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}

# Up to so many characters nothing can be too long, whatever the characters weigh in UTF-8.
_SHORT_TEXTS = MAX_OPTION_BYTES // 4
_SHORT_NAME = MAX_NAME_BYTES // 4


_Finding: TypeAlias = tuple[str, str, Severity, str]


def examine(question: ImportedQuestion) -> list[ImportProblem]:
    """Everything that is wrong or remarkable about a question; an error among it means that it is not imported."""
    texts = [] if _is_unremarkable(question) else list(_texts(question))
    # Only texts of bounded length and marks are worth, and safe for, a closer look: its cost follows what they hold.
    findings = [finding for text in texts for finding in _excess(*text)]
    if not findings:
        findings = [*_shape(question), *_choices(question), *_key(question)]
        findings += [finding for field, text, _ in texts for finding in _text_findings(field, text)]
    origin = question.origin
    return [
        ImportProblem(
            record=origin.record, line=origin.line, field=field, code=code, severity=severity, message=message
        )
        for field, code, severity, message in findings
    ]


def _shape(question: ImportedQuestion) -> list[_Finding]:
    found: list[_Finding] = []
    if not trimmed(question.stem.text):
        found.append(("question-text", "missing_text", Severity.ERROR, "The question has no text."))
    if not trimmed(question.domain):
        found.append(("domain", "missing_domain", Severity.WARNING, "The question names no domain."))
    if question.difficulty and question.difficulty.lower() not in DIFFICULTIES:
        message = f"There is no difficulty {shown(question.difficulty)}; the question gets none."
        found.append(("difficulty", "unknown_difficulty", Severity.WARNING, message))
    if not (question.points.is_finite() and question.points > 0):
        found.append(("points", "bad_points", Severity.ERROR, "Points are a positive number."))
    if len(question.tags) > MAX_TAGS:
        found.append(("tags", "too_many_tags", Severity.ERROR, f"More than {MAX_TAGS} tags."))
    return found


def _choices(question: ImportedQuestion) -> list[_Finding]:
    texts = [canonical_text(choice.text.text) for choice in question.choices]
    if len(texts) > len(CHOICE_KEYS):
        return [("option-z", "too_many_options", Severity.ERROR, f"{len(texts)} options; 26 is the most.")]
    present = len(texts) - texts.count("")
    if present < 2:
        message = f"A question needs two options; this one has {present}."
        return [("option-a", "too_few_options", Severity.ERROR, message)]
    if present < len(texts):
        message = "The option is blank and another follows it."
        return [(_option_field(texts.index("")), "option_gap", Severity.ERROR, message)]
    if len(set(texts)) == len(texts):
        return []
    repeated = next(index for index, text in enumerate(texts) if text in texts[:index])
    message = f"The option says the same as option {CHOICE_KEYS[texts.index(texts[repeated])]}."
    return [(_option_field(repeated), "duplicate_option_text", Severity.WARNING, message)]


def _key(question: ImportedQuestion) -> list[_Finding]:
    correct = len([choice for choice in question.choices if choice.correct])
    if not correct:
        return [("correct answer", "missing_answer", Severity.ERROR, "No correct answer is given.")]
    if correct > 1 and question.kind is QuestionKind.SINGLE:
        return [("correct answer", "kind_mismatch", Severity.ERROR, f"A question with one answer has {correct}.")]
    asked = _asked_count(question.stem.text)
    if asked is None or asked == correct:
        return []
    message = f"The text asks for {asked} answers; the key has {correct}."
    return [("correct answer", "answer_count_mismatch", Severity.WARNING, message)]


def _asked_count(stem: str) -> int | None:
    lowered = stem.lower()
    if "choose" in lowered or "select" in lowered or "pick" in lowered:
        for match in _ASKED_COUNT.finditer(stem):
            count = match["count"]
            if match["sure"] is not None or count.isupper():
                return _COUNTS.get(count.lower()) or int(count)
    return None


def _is_unremarkable(question: ImportedQuestion) -> bool:
    """A quick look that spares nearly every question the close one."""
    explanations = [choice.explanation for choice in question.choices if choice.explanation]
    if question.explanation:
        explanations.append(question.explanation)
    names = [question.external_id, question.domain, question.difficulty or "", *question.tags]
    texts = [choice.text.text for choice in question.choices]
    texts += [explanation.text for explanation in explanations]
    joined = "".join([question.stem.text, *texts, *names])
    if max(map(len, names)) > _SHORT_NAME:
        return False
    if joined.isascii():
        return len(joined) <= MAX_OPTION_BYTES and (joined.isprintable() or not _CONTROL.search(joined))
    if len(joined) > _SHORT_TEXTS or has_too_many_marks(joined):
        return False
    return not any(rule.search(joined) for rule in (_CONTROL, *_NOT_ASCII))


def _texts(question: ImportedQuestion) -> Iterator[tuple[str, str, int]]:
    yield "question-id", question.external_id, MAX_NAME_BYTES
    yield "domain", question.domain, MAX_NAME_BYTES
    yield "question-text", question.stem.text, MAX_STEM_BYTES
    for index, choice in enumerate(question.choices):
        yield _option_field(index), choice.text.text, MAX_OPTION_BYTES
        if choice.explanation:
            yield f"explanation-{_letter(index)}", choice.explanation.text, MAX_EXPLANATION_BYTES
    if question.explanation:
        yield "explanation", question.explanation.text, MAX_EXPLANATION_BYTES
    if question.difficulty:
        yield "difficulty", question.difficulty, MAX_NAME_BYTES
    for tag in islice(question.tags, MAX_TAGS):
        yield "tags", tag, MAX_NAME_BYTES


def _excess(field: str, text: str, limit: int) -> Iterator[_Finding]:
    weight = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if weight > limit:
        yield field, "field_too_long", Severity.ERROR, f"{weight} bytes; {limit} is the most."
    elif has_too_many_marks(text):
        message = f"More than {MOST_MARKS} combining marks in a row are not text."
        yield field, "too_many_combining_marks", Severity.ERROR, message


def _text_findings(field: str, text: str) -> Iterator[_Finding]:
    if control := _CONTROL.search(text):
        message = f"The control character U+{ord(control[0]):04X} is not text."
        yield field, "control_character", Severity.ERROR, message
    if text.isascii():
        return
    if _SURROGATE.search(text):
        yield field, "undecodable", Severity.ERROR, "Half of a surrogate pair is not a character."
    if bidi := _BIDI.search(text):
        message = f"U+{ord(bidi[0]):04X} changes the direction in which the text is read."
        yield field, "bidi_control", Severity.WARNING, message
    if _MOJIBAKE.search(text):
        yield field, "suspected_mojibake", Severity.WARNING, "The text looks as if it was decoded wrongly before."


def _option_field(index: int) -> str:
    return f"option-{_letter(index)}"


def _letter(index: int) -> str:
    return CHOICE_KEYS[index].lower() if index < len(CHOICE_KEYS) else str(index + 1)
