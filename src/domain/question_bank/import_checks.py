"""What every imported question must satisfy in any format: shape, lengths, characters; and what is remarkable in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeAlias

from domain.question_bank.bounds import (
    MOST_DIGITS,
    MOST_PLACES,
    MOST_POINTS,
    POINTS_PLACES,
    WEIGHT_PLACES,
    is_band,
    is_points,
    is_weight,
)
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
from domain.question_bank.wording import LONGEST_ANSWER

DIFFICULTIES = ("easy", "medium", "hard")
MAX_STEM_BYTES = LONGEST_TEXT
MAX_OPTION_BYTES = 8 * 1024
MAX_EXPLANATION_BYTES = LONGEST_TEXT
MAX_TAGS = 50
MOST_PROMPTS, MOST_BANDS, MOST_ACCEPTED = 26, 20, 50
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
    if crowded := [*_crowded(question)]:
        return _problems(question, crowded)
    texts = [] if _is_unremarkable(question) else list(_texts(question))
    # Only texts of bounded length and marks are worth, and safe for, a closer look: its cost follows what they hold.
    findings = [finding for text in texts for finding in _excess(*text)]
    if not findings:
        findings = [
            *_shape(question),
            *_choices(question),
            *_weights(question),
            *_KEYS.get(question.kind, _key)(question),
        ]
        findings += [finding for field, text, _ in texts for finding in _text_findings(field, text)]
    return _problems(question, findings)


def _problems(question: ImportedQuestion, findings: Iterable[_Finding]) -> list[ImportProblem]:
    origin = question.origin
    return [
        ImportProblem(
            record=origin.record, line=origin.line, field=field, code=code, severity=severity, message=message
        )
        for field, code, severity, message in findings
    ]


def _crowded(question: ImportedQuestion) -> Iterator[_Finding]:
    """What is so many that nothing else about the question is worth a look."""
    limits = (
        ("prompts", question.prompts, MOST_PROMPTS),
        ("bands", question.bands, MOST_BANDS),
        ("accepted", question.accepted, MOST_ACCEPTED),
    )
    for field, given, most in limits:
        if len(given) > most:
            yield field, "too_many", Severity.ERROR, f"{len(given)} of them; {most} is the most."


def difficulty_code(said: str | None) -> str | None:
    """The code of a difficulty. The bank keeps no other, so no other may be part of what a question says."""
    code = (said or "").lower()
    return code if code in DIFFICULTIES else None


def as_seen(text: str) -> str:
    """The spelling in which two texts are the same to whoever reads them: NFC, and any blanks as one."""
    return " ".join(canonical_text(text).split())


def _shape(question: ImportedQuestion) -> list[_Finding]:
    found: list[_Finding] = []
    if not trimmed(question.stem.text):
        found.append(("question-text", "missing_text", Severity.ERROR, "The question has no text."))
    if not trimmed(question.domain):
        found.append(("domain", "missing_domain", Severity.WARNING, "The question names no domain."))
    if question.difficulty and question.difficulty.lower() not in DIFFICULTIES:
        message = f"There is no difficulty {shown(question.difficulty)}; the question gets none."
        found.append(("difficulty", "unknown_difficulty", Severity.WARNING, message))
    if not is_points(question.points):
        message = f"Points are more than 0 and less than {MOST_POINTS}, with at most {POINTS_PLACES} decimals."
        found.append(("points", "bad_points", Severity.ERROR, message))
    if len(question.tags) > MAX_TAGS:
        found.append(("tags", "too_many_tags", Severity.ERROR, f"More than {MAX_TAGS} tags."))
    return found


def _choices(question: ImportedQuestion) -> list[_Finding]:
    if question.kind in _WITHOUT_CHOICES and not question.choices:
        return []
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
    is_told_apart = question.kind in _TOLD_APART
    repeated = _repeated([as_seen(text) for text in texts] if is_told_apart else texts)
    if repeated is None:
        return []
    place, first = repeated
    message = f"The option says the same as option {CHOICE_KEYS[first]}."
    severity = Severity.ERROR if is_told_apart else Severity.WARNING
    return [(_option_field(place), "duplicate_option_text", severity, message)]


def _weights(question: ImportedQuestion) -> list[_Finding]:
    for index, choice in enumerate(question.choices):
        if choice.weight is not None and not is_weight(choice.weight):
            message = f"A weight lies between -1 and 1 and has at most {WEIGHT_PLACES} decimals."
            return [(_option_field(index), "bad_weight", Severity.ERROR, message)]
    return []


def _repeated(texts: list[str]) -> tuple[int, int] | None:
    """The first text that was there before, and where it was."""
    if len(set(texts)) == len(texts):
        return None
    place = next(index for index, text in enumerate(texts) if text in texts[:index])
    return place, texts.index(texts[place])


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


def _numeric_key(question: ImportedQuestion) -> list[_Finding]:
    if not question.bands:
        return [_NO_ANSWER]
    if not all(map(is_band, question.bands)):
        return [("correct answer", "bad_answer", Severity.ERROR, _NO_BAND)]
    return []


def _worded_key(question: ImportedQuestion) -> list[_Finding]:
    if not question.accepted or not all(map(trimmed, question.accepted)):
        return [_NO_ANSWER]
    longest = max(map(len, question.accepted))
    if longest > LONGEST_ANSWER:
        message = f"{longest} characters; an answer has {LONGEST_ANSWER} at most."
        return [("correct answer", "field_too_long", Severity.ERROR, message)]
    return []


def _matching_key(question: ImportedQuestion) -> list[_Finding]:
    if not question.prompts:
        return [_NO_ANSWER]
    keys = {choice.key for choice in question.choices}
    if any(prompt.choice not in keys for prompt in question.prompts):
        message = "What belongs together is named by the letter of an option."
        return [("correct answer", "answer_not_an_option", Severity.ERROR, message)]
    if not all(trimmed(prompt.text.text) for prompt in question.prompts):
        return [("question-text", "missing_text", Severity.ERROR, "A text to be matched is blank.")]
    if len({as_seen(prompt.text.text) for prompt in question.prompts}) < len(question.prompts):
        return [("question-text", "duplicate_prompt_text", Severity.ERROR, "Two texts to be matched say the same.")]
    return []


def _ordering_key(question: ImportedQuestion) -> list[_Finding]:
    """The choices stand in the right order: the order is the answer."""
    return []


_NO_BAND = (
    "An answer is a number, with tolerances from 0 on, the relative one up to 1, and a fraction above 0, up to 1; "
    f"each has at most {MOST_DIGITS} digits, and {MOST_PLACES} places before and behind the point."
)
_NO_ANSWER: _Finding = ("correct answer", "missing_answer", Severity.ERROR, "No correct answer is given.")
_WITHOUT_CHOICES = (QuestionKind.NUMERIC, QuestionKind.SHORT_TEXT)
_TOLD_APART = (QuestionKind.MATCHING, QuestionKind.ORDERING)
"""Kinds in which every option has a place of its own: of two that look alike, none could know which belongs where."""
_KEYS: dict[QuestionKind, Callable[[ImportedQuestion], list[_Finding]]] = {
    QuestionKind.NUMERIC: _numeric_key,
    QuestionKind.SHORT_TEXT: _worded_key,
    QuestionKind.MATCHING: _matching_key,
    QuestionKind.ORDERING: _ordering_key,
}


def asks_for_several(stem: str) -> bool:
    """Whether the text may name a number of answers; a glance that lets no such text pass."""
    lowered = stem.lower()
    return "choose" in lowered or "select" in lowered or "pick" in lowered


def _asked_count(stem: str) -> int | None:
    if asks_for_several(stem):
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
    texts += [*question.accepted, *(prompt.text.text for prompt in question.prompts)]
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
    for prompt in question.prompts:
        yield "question-text", prompt.text.text, MAX_OPTION_BYTES
    for accepted in question.accepted:
        yield "correct answer", accepted, MAX_OPTION_BYTES
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
