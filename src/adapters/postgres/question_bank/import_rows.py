"""Imported questions as lines of COPY, in the order of the columns of `stage_questions`.

Written out by hand because this is done a million times per import, in a process of its own: no driver is loaded here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from json.encoder import encode_basestring as _quoted

from adapters.postgres.question_bank.content import answer_key_column, choices_column, prompts_column
from application.ports import IdGenerator
from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, TextFormat, canonical_number
from domain.question_bank.kinds import QuestionKind

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v"})
_NULL = "\\N"
_ONE_CHOICE_KINDS = (QuestionKind.SINGLE, QuestionKind.MULTIPLE)


@dataclass(frozen=True, slots=True)
class ImportRows:
    """Writes questions as rows of one import; every row brings the id that its question has if it is new."""

    ids: IdGenerator

    def __call__(self, questions: Iterable[ImportedQuestion], import_id: str) -> bytes:
        return "".join([self._line(question, import_id) for question in questions]).encode()

    def _line(self, question: ImportedQuestion, import_id: str) -> str:
        choices, answer_key, content_hash = _usual(question) or (
            choices_column(question),
            answer_key_column(question),
            question.content_hash.hex(),
        )
        texts = (question.external_id, question.domain, question.difficulty or "", question.stem.text)
        joined = "".join((*texts, choices, answer_key))
        if "\\" in joined or not joined.isprintable():
            texts = (_escaped(texts[0]), _escaped(texts[1]), _escaped(texts[2]), _escaped(texts[3]))
            choices, answer_key = _escaped(choices), _escaped(answer_key)
        external_id, domain, difficulty, stem = texts
        prompts = _escaped(prompts_column(question)) if question.prompts else "[]"
        tags = _escaped(_array(question.tags)) if question.tags else "{}"
        origin = question.origin
        return (
            f"{import_id}\t{origin.record}\t{origin.line}\t{external_id}\t{self.ids.new('qst')}\t{domain or _NULL}\t"
            f"{difficulty or _NULL}\t{question.kind}\t{stem}\t{question.stem.format}\t{choices}\t{answer_key}\t"
            f"{prompts}\t{tags}\t{question.points}\t{'t' if question.shuffle else 'f'}\t\\\\x{content_hash}\n"
        )


def _usual(question: ImportedQuestion) -> tuple[str, str, str] | None:
    """`choices`, `answer_key` and content hash of a plain question in ASCII, which nearly every one is.

    Trimmed ASCII is spelled the same in the columns and in the canonical JSON, so each text is quoted once for both; a
    law holds the three to what defines them.
    """
    stem, domain, general = question.stem, question.domain, question.explanation
    if question.kind not in _ONE_CHOICE_KINDS or question.tags or not _is_usual(stem):
        return None
    if not _is_plain(domain) or not _is_plain(question.difficulty or "") or (general and not _is_usual(general)):
        return None
    choices = _usual_choices(question.choices)
    if choices is None:
        return None
    shown, correct, explanations, canonical = choices
    explained = "null" if general is None else f'{{"format":"plain","text":{_quoted(general.text)}}}'
    said = (
        f'{{"choices":[{canonical}],'
        f'"difficulty":{_quoted(question.difficulty) if question.difficulty else "null"},"domain":{_quoted(domain)},'
        f'"explanation":{explained},"kind":"{question.kind}","points":{canonical_number(question.points)},'
        f'"shuffle":{"true" if question.shuffle else "false"},'
        f'"stem":{{"format":"plain","text":{_quoted(stem.text)}}},"tags":[]}}'
    )
    answer_key = f'{{"correct":[{correct}],"weights":null,"explanations":{{{explanations}}},"explanation":{explained}}}'
    return f"[{shown}]", answer_key, sha256(said.encode()).hexdigest()


def _usual_choices(choices: Iterable[ImportedChoice]) -> tuple[str, str, str, str] | None:
    """What is shown of them, which are right, what explains them, and all of it as it is hashed."""
    shown, correct, explanations, canonical = [], [], [], []
    for choice in choices:
        key, note = choice.key, choice.explanation
        if choice.pinned or choice.weight is not None or not _is_usual(choice.text):
            return None
        text, noted = f'"text":{_quoted(choice.text.text)}', "null"
        if note is not None:
            if not _is_usual(note):
                return None
            quoted = f'"text":{_quoted(note.text)}'
            noted = f'{{"format":"plain",{quoted}}}'
            explanations.append(f'"{key}":{{{quoted},"format":"plain"}}')
        if choice.correct:
            correct.append(f'"{key}"')
        shown.append(f'{{"id":"{key}",{text},"format":"plain"}}')
        canonical.append(
            f'{{"correct":{"true" if choice.correct else "false"},"explanation":{noted},"key":"{key}",'
            f'"text":{{"format":"plain",{text}}},"weight":null}}'
        )
    return ",".join(shown), ",".join(correct), ",".join(explanations), ",".join(canonical)


def _is_usual(value: FormattedText) -> bool:
    return value.format is TextFormat.PLAIN and value.text != "" and _is_plain(value.text)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.strip() == text


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _array(texts: Iterable[str]) -> str:
    """An array as PostgreSQL writes it; quotes and backslashes are the only characters with a meaning inside quotes."""
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return "{" + ",".join([f'"{text}"' for text in quoted]) + "}"
