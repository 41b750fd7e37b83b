"""Questions whose keys hold words and numbers that occur nowhere else, and the same questions with another key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from tests.support.postgres import ClonedDatabase

KINDS: Final = ("single", "multiple", "true_false", "numeric", "short_text", "matching", "ordering")
# The beginning of every text that only a key holds.
LEAK: Final = "LEAKED-KEY"
_OTHER: Final = "LEAKED-OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A question as it is written, what must not be seen of it, and how it is answered rightly and wrongly.

    An answer names choices by their texts, because every session has names of its own for them.
    """

    kind: str
    written: Mapping[str, Any]
    secrets: Sequence[str]
    answers: Mapping[bool, Mapping[str, Any]] = field(repr=False)

    def answer(self, shown: Mapping[str, Any], *, right: bool) -> dict[str, Any]:
        """The body that answers this question, as it is shown in a session."""
        names = {choice["text"]: choice["id"] for choice in shown["choices"]}
        prompts = {prompt["text"]: prompt["id"] for prompt in shown["prompts"]}
        chosen = self.answers[right]
        body: dict[str, Any] = {"slot": shown["slot"]}
        for name, value in chosen.items():
            if name == "pairs":
                body[name] = {prompts[prompt]: names[choice] for prompt, choice in value.items()}
            elif name in {"choiceIds", "order"}:
                body[name] = [names[text] for text in value]
            else:
                body[name] = value
        return body


def secret_question(kind: str, number: int) -> Secret:
    """The question of this kind and number; what is secret of it is secret of no other."""
    return _WRITTEN[kind](number)


def _why(number: int, what: object) -> dict[str, str]:
    return {"text": f"{LEAK}-{number}-{what}."}


def _texts(number: int, words: str) -> list[str]:
    return [f"{word} of {number}" for word in words.split()]


def _secret(number: int, kind: str, secrets: Sequence[str], answers: Mapping[bool, Any], **written: Any) -> Secret:
    # Of other marks than one, so that what an answer earns is no number of the key.
    asked = {"kind": kind, "stem": f"Secret {number}?", "points": "2.5", "choices": []}
    body = {**asked, "explanation": _why(number, "all"), **written}
    return Secret(kind=kind, written=body, secrets=(f"{LEAK}-{number}-", *secrets), answers=answers)


def _single(number: int) -> Secret:
    red, green, blue, grey = _texts(number, "red green blue grey")
    weight = f"-0.6{number:03}17"
    choices = [
        {"text": red, "weight": weight, "explanation": _why(number, "red")},
        {"text": green, "correct": True, "weight": "1", "explanation": _why(number, "green")},
        {"text": blue, "weight": "0", "explanation": _why(number, "blue")},
        {"text": grey, "weight": "0", "pinned": True},
    ]
    answers = {True: {"choiceIds": [green]}, False: {"choiceIds": [red]}}
    return _secret(number, "single", (weight, weight[2:]), answers, choices=choices)


def _multiple(number: int) -> Secret:
    texts = _texts(number, "iron gold silver zinc lead")
    part, wrong = Decimal(f"0.4{number:03}19"), Decimal(f"-0.3{number:03}23")
    weights = [str(weight) for weight in (part, 1 - part, wrong, wrong, wrong)]
    choices = [
        {"text": text, "correct": place < 2, "weight": weights[place], "explanation": _why(number, place)}
        for place, text in enumerate(texts)
    ]
    answers = {True: {"choiceIds": texts[:2]}, False: {"choiceIds": texts[1:3]}}
    return _secret(number, "multiple", weights, answers, choices=choices)


def _true_false(number: int) -> Secret:
    yes, no = _texts(number, "yes no")
    choices = [{"text": yes, "correct": True, "explanation": _why(number, "yes")}, {"text": no}]
    answers = {True: {"choiceIds": [yes]}, False: {"choiceIds": [no]}}
    return _secret(number, "true_false", (), answers, choices=choices)


def _numeric(number: int) -> Secret:
    """Answered beside the exact value, so that the value is not in the answer."""
    value, off, part = f"9{number:03}017.25", f"0.7{number:03}13", f"0.3{number:03}29"
    bands = [{"answer": value, "tolAbs": off}, {"answer": value, "tolAbs": "9", "fraction": part}]
    answers = {True: {"numericValue": f"9{number:03}017.5"}, False: {"numericValue": f"9{number:03}019.5"}}
    return _secret(number, "numeric", (value, off, part), answers, bands=bands)


def _short_text(number: int) -> Secret:
    """Answered in small letters, so that the accepted text is not in the answer."""
    word = f"{LEAK}-{number}-accepted"
    answers = {True: {"text": word.lower()}, False: {"text": "no idea"}}
    return _secret(number, "short_text", (), answers, accepted=[word, f"{word}-too"])


def _matching(number: int) -> Secret:
    capitals, countries = _texts(number, "Oslo Rome Bern Riga"), _texts(number, "Norway Italy Switzerland")
    prompts = [
        {"text": country, "choiceId": letter} for country, letter in zip(countries, ("C", "A", "D"), strict=True)
    ]
    right = dict(zip(countries, (capitals[2], capitals[0], capitals[3]), strict=True))
    wrong = dict(zip(countries, (capitals[2], capitals[3], capitals[0]), strict=True))
    choices = [{"text": text, "explanation": _why(number, place)} for place, text in enumerate(capitals)]
    answers = {True: {"pairs": right}, False: {"pairs": wrong}}
    return _secret(number, "matching", (), answers, choices=choices, prompts=prompts)


def _ordering(number: int) -> Secret:
    """Kept in its order as it is written, which must not be how it is shown."""
    steps = _texts(number, "first second third fourth fifth sixth")
    choices = [{"text": text, "explanation": _why(number, place)} for place, text in enumerate(steps)]
    answers = {True: {"order": steps}, False: {"order": steps[::-1]}}
    return _secret(number, "ordering", (), answers, choices=choices, shuffle=False)


_WRITTEN: Final = {
    "single": _single,
    "multiple": _multiple,
    "true_false": _true_false,
    "numeric": _numeric,
    "short_text": _short_text,
    "matching": _matching,
    "ordering": _ordering,
}


@contextmanager
def other_keys(database: ClonedDatabase, question_ids: Sequence[str]) -> Iterator[None]:
    """Meanwhile these questions have another key each: what was right is wrong, and every explanation says so."""
    read = "select question_id, version, kind, choices, answer_key from question_versions where question_id = any(%s)"
    write = "update question_versions set answer_key = %s where question_id = %s and version = %s"
    kept = database.keeper.execute(read, (list(question_ids),)).fetchall()
    try:
        for question_id, version, kind, choices, key in kept:
            other = _another(kind, [choice["id"] for choice in choices], key)
            database.keeper.execute(write, (json.dumps(other), question_id, version))
        yield
    finally:
        for question_id, version, _, _, key in kept:
            database.keeper.execute(write, (json.dumps(key), question_id, version))


def _another(kind: str, choices: Sequence[str], key: Mapping[str, Any]) -> dict[str, Any]:
    """Of several right options there are more or fewer, of explanations too: neither number may be told."""
    correct = list(key.get("correct", ()))
    prompts = list(key.get("pairs", {}))
    right = correct[::-1] if kind == "ordering" else [choice for choice in choices if choice not in correct]
    if kind in {"single", "true_false"}:
        right = right[-1:]
    changed: dict[str, Any] = {
        "correct": right,
        "bands": [{**band, "answer": "1", "tol_abs": "0"} for band in key.get("bands", ())][:1],
        "accepted": [f"{_OTHER}-accepted"] if key.get("accepted") else [],
        "pairs": dict(zip(prompts, reversed(list(key.get("pairs", {}).values())), strict=True)),
        "weights": None,
        "explanations": {choices[0]: {"text": f"{_OTHER}-one", "format": "markdown"}} if choices else {},
        "explanation": None,
    }
    return {name: changed.get(name, value) for name, value in key.items()}
