"""The canonical question: what its hash sees, how ids are compared, which records are duplicates, what is refused."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.import_checks import MAX_OPTION_BYTES, MAX_STEM_BYTES, examine
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    Origin,
    Severity,
    TextFormat,
    canonical_json,
    canonical_number,
    conflicting_duplicate,
    derived_external_id,
    identical_duplicate,
    normalized_id,
    resolve_duplicates,
    shown,
)
from domain.question_bank.kinds import QuestionKind


def plain(text: str) -> FormattedText:
    return FormattedText(text=text)


QUESTION = ImportedQuestion(
    external_id="S1",
    bank="security",
    domain="1.1",
    difficulty="easy",
    kind=QuestionKind.SINGLE,
    stem=plain("Why?"),
    choices=tuple(
        ImportedChoice(key=key, text=plain(text), correct=key == "A")
        for key, text in zip("ABC", ("Alpha", "Beta", "Gamma"), strict=True)
    ),
    explanation=plain("Because."),
    tags=("one", "two"),
    points=Decimal(1),
    shuffle=True,
    origin=Origin(format="csv", file="a.csv", record=2, line=2),
)

texts = st.text(max_size=20)
formatted = st.builds(FormattedText, text=texts, format=st.sampled_from(TextFormat))
points = st.decimals(min_value="0.01", max_value=1000, places=2)
choices = st.builds(
    ImportedChoice,
    key=st.sampled_from(CHOICE_KEYS),
    text=formatted,
    correct=st.booleans(),
    weight=st.none() | points,
    explanation=st.none() | formatted,
)
zeros = st.sampled_from(
    [Decimal(text) for text in ("0", "-0", "0.000", "-0.0", "0E+3", "-0E-7", "1", "1.0", "1E+1", "10")]
)
questions = st.builds(
    ImportedQuestion,
    external_id=texts,
    bank=texts,
    domain=texts,
    difficulty=st.none() | texts,
    kind=st.sampled_from(QuestionKind),
    stem=formatted,
    choices=st.lists(choices, max_size=4).map(tuple),
    explanation=st.none() | formatted,
    tags=st.lists(texts, max_size=3).map(tuple),
    points=points,
    shuffle=st.booleans(),
    origin=st.just(QUESTION.origin),
)


def with_choices(*options: str, correct: str = "A") -> ImportedQuestion:
    built = tuple(
        ImportedChoice(key=key, text=plain(text), correct=key in correct)
        for key, text in zip(CHOICE_KEYS + "abc", options, strict=False)
    )
    kind = QuestionKind.MULTIPLE if len(correct) > 1 else QuestionKind.SINGLE
    return replace(QUESTION, choices=built, kind=kind)


def codes(question: ImportedQuestion) -> dict[str, str | None]:
    return {problem.code: problem.field for problem in examine(question)}


class TestContentHash:
    @given(question=questions)
    def test_it_is_taken_over_json_with_sorted_keys(self, question: ImportedQuestion) -> None:
        text = canonical_json(question)
        content = json.loads(text)
        assert json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")) == text
        assert question.content_hash == sha256(text.encode()).digest()
        assert sorted(content) == [
            "choices",
            "difficulty",
            "domain",
            "explanation",
            "kind",
            "points",
            "shuffle",
            "stem",
            "tags",
        ]

    @given(numbers=st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=3) | zeros, min_size=2))
    def test_the_spelling_of_a_number_does_not_depend_on_what_was_spelled_before(self, numbers: list[Decimal]) -> None:
        def spellings(given: Iterable[Decimal]) -> list[str]:
            canonical_number.cache_clear()
            return [canonical_number(number) for number in given]

        spelt = spellings(numbers)
        assert spellings(reversed(numbers)) == spelt[::-1]
        assert [spelling for number in numbers for spelling in spellings([number])] == spelt
        assert len(set(spelt)) == len(set(numbers)), "equal numbers have one spelling"

    @given(question=questions, other=texts, record=st.integers(2, 99))
    def test_ids_and_origin_do_not_count(self, question: ImportedQuestion, other: str, record: int) -> None:
        origin = Origin(format="jsonl", file=other, record=record, line=record)
        moved = replace(question, external_id=other, bank=other, origin=origin)
        assert moved.content_hash == question.content_hash

    @given(question=questions, form=st.sampled_from(["NFC", "NFD"]), blank=st.sampled_from(["", " ", "\t\n", "\u00a0"]))
    def test_unicode_form_and_outer_blanks_do_not_count(
        self, question: ImportedQuestion, form: str, blank: str
    ) -> None:
        def respelt(value: FormattedText) -> FormattedText:
            spelt = unicodedata.normalize("NFD" if form == "NFD" else "NFC", value.text)
            return replace(value, text=f"{blank}{spelt}{blank}")

        same = replace(
            question,
            stem=respelt(question.stem),
            explanation=question.explanation and respelt(question.explanation),
            choices=tuple(replace(choice, text=respelt(choice.text)) for choice in question.choices),
        )
        assert same.content_hash == question.content_hash

    def test_the_order_of_choices_counts(self) -> None:
        first, second, third = QUESTION.choices
        assert replace(QUESTION, choices=(second, first, third)).content_hash != QUESTION.content_hash

    @pytest.mark.parametrize(
        "changed",
        [
            with_choices("Alpha", "Beta", "Gamma", correct="B"),
            with_choices("Alpha", "Beta", "Gamma", correct="AB"),
            with_choices("Alpha", "Beta", "Gamma!"),
            replace(QUESTION, domain="1.2"),
            replace(QUESTION, difficulty="hard"),
            replace(QUESTION, difficulty=None),
            replace(QUESTION, kind=QuestionKind.MULTIPLE),
            replace(QUESTION, stem=plain("Why not?")),
            replace(QUESTION, stem=FormattedText(text="Why?", format=TextFormat.MARKDOWN)),
            replace(QUESTION, explanation=None),
            replace(QUESTION, tags=("one",)),
            replace(QUESTION, points=Decimal(2)),
            replace(QUESTION, shuffle=False),
            replace(QUESTION, choices=(*QUESTION.choices[:2], replace(QUESTION.choices[2], weight=Decimal("0.5")))),
        ],
    )
    def test_everything_that_is_said_counts(self, changed: ImportedQuestion) -> None:
        assert changed.content_hash != QUESTION.content_hash

    def test_equal_numbers_tag_orders_and_absent_texts_are_one_content(self) -> None:
        assert '"points":"7.3"' in canonical_json(replace(QUESTION, points=Decimal("7.300")))
        assert '"points":"70"' in canonical_json(replace(QUESTION, points=Decimal("7E+1")))
        assert replace(QUESTION, points=Decimal("1.00")).content_hash == QUESTION.content_hash
        assert (
            replace(QUESTION, points=Decimal("1E+1")).content_hash == replace(QUESTION, points=Decimal(10)).content_hash
        )
        assert replace(QUESTION, tags=("two", "one", "one")).content_hash == QUESTION.content_hash
        assert (
            replace(QUESTION, explanation=plain(" ")).content_hash == replace(QUESTION, explanation=None).content_hash
        )

    def test_it_stays_what_it_is(self) -> None:
        """The hash is stored beside every question: a new spelling would make every known question look changed."""
        assert QUESTION.content_hash.hex() == "1f7384c2bec2400c4ab50e08ef5efb8b7f7939d1da6db1d0e504362b4622455a"


class TestIds:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            (" S1\t", "S1"),
            ("e\u03011", "\u00e91"),
            ("\u200b9", "9"),
            ("\ufeff a\u200db \u00a0", "ab"),
            ("01", "01"),
            ("1.0", "1.0"),
            ("\u200b \u2060", ""),
        ],
    )
    def test_ids_are_compared_as_text_without_what_cannot_be_seen(self, written: str, meant: str) -> None:
        assert normalized_id(written) == meant

    @given(st.text())
    def test_normalizing_an_id_twice_changes_nothing(self, written: str) -> None:
        once = normalized_id(written)
        assert normalized_id(once) == once

    def test_a_derived_id_ignores_the_key_and_sees_the_texts(self) -> None:
        derived = derived_external_id("Why?", ["Alpha", "Beta"])
        assert derived == derived_external_id(" Why?", ["Alpha ", "Beta"])
        assert derived != derived_external_id("Why?", ["Beta", "Alpha"])
        assert derived != derived_external_id("Why", ["?Alpha", "Beta"])
        assert re.fullmatch("h-[0-9a-f]{16}", derived)


class TestDuplicates:
    def test_the_same_id_and_content_is_kept_once(self) -> None:
        verdict = resolve_duplicates([(2, "S1", b"x"), (3, "S2", b"y"), (4, "S1", b"x"), (9, "S1", b"x")])
        assert verdict.collapsed == {4: 2, 9: 2}
        assert verdict.refused == frozenset()

    def test_an_id_with_two_contents_is_refused_wherever_it_stands(self) -> None:
        verdict = resolve_duplicates([(2, "S1", b"x"), (3, "S2", b"y"), (4, "S1", b"z"), (5, "S1", b"x")])
        assert verdict.refused == {2, 4, 5}
        assert verdict.collapsed == {}

    def test_the_same_content_under_another_id_is_only_named(self) -> None:
        verdict = resolve_duplicates([(4, "S2", b"x"), (2, "S1", b"x"), (3, "S1", b"x"), (5, "S3", b"y")])
        assert verdict.copies == {4: 2}
        assert verdict.collapsed == {3: 2}
        assert not verdict.refused

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([b"x", b"y"])), max_size=12))
    def test_every_record_is_judged_and_the_order_of_reading_does_not_matter(
        self, drawn: list[tuple[str, bytes]]
    ) -> None:
        triples = [(record, id_, content) for record, (id_, content) in enumerate(drawn, start=2)]
        contents = defaultdict(set)
        for _, id_, content in triples:
            contents[id_].add(content)
        verdict = resolve_duplicates(triples)
        assert verdict == resolve_duplicates(triples[::-1])
        assert verdict.refused == {record for record, id_, _ in triples if len(contents[id_]) > 1}
        kept = [id_ for record, id_, _ in triples if record not in verdict.refused | verdict.collapsed.keys()]
        assert sorted(kept) == sorted(id_ for id_, found in contents.items() if len(found) == 1)

    def test_their_problems_name_record_and_line(self) -> None:
        collapsed = identical_duplicate(4, 7, 2)
        assert (collapsed.code, collapsed.detail, collapsed.severity) == ("duplicate_identical_of", "2", "warning")
        refused = conflicting_duplicate(4, 7, "S1")
        assert (refused.record, refused.line, refused.code, refused.severity) == (4, 7, "duplicate_id", "error")
        assert "'S1'" in refused.message


class TestExamination:
    def test_a_sound_question_has_no_findings(self) -> None:
        assert examine(QUESTION) == []

    @pytest.mark.parametrize(
        ("question", "expected"),
        [
            (replace(QUESTION, stem=plain(" \n")), {"missing_text": "question-text"}),
            (replace(QUESTION, points=Decimal(0)), {"bad_points": "points"}),
            (replace(QUESTION, points=Decimal("NaN")), {"bad_points": "points"}),
            (replace(QUESTION, tags=tuple(map(str, range(51)))), {"too_many_tags": "tags"}),
            (with_choices("only"), {"too_few_options": "option-a"}),
            (with_choices("only", "", ""), {"too_few_options": "option-a"}),
            (with_choices("x", "", "z"), {"option_gap": "option-b"}),
            (with_choices(*map(str, range(27))), {"too_many_options": "option-z"}),
            (with_choices("a", "b", correct=""), {"missing_answer": "correct answer"}),
            (
                replace(with_choices("a", "b", correct="AB"), kind=QuestionKind.SINGLE),
                {"kind_mismatch": "correct answer"},
            ),
            (replace(QUESTION, stem=plain("x" * (MAX_STEM_BYTES + 1))), {"field_too_long": "question-text"}),
            (replace(QUESTION, stem=plain("é" * (MAX_STEM_BYTES // 2 + 1))), {"field_too_long": "question-text"}),
            (with_choices("a", "x" * (MAX_OPTION_BYTES + 1)), {"field_too_long": "option-b"}),
            (replace(QUESTION, external_id="x" * 513), {"field_too_long": "question-id"}),
            (replace(QUESTION, tags=("ok", "é" * 257)), {"field_too_long": "tags"}),
            (replace(QUESTION, stem=plain("nul \0 here")), {"control_character": "question-text"}),
            (with_choices("a", "b\x1f"), {"control_character": "option-b"}),
            (replace(QUESTION, domain="\x07é"), {"control_character": "domain"}),
            (replace(QUESTION, stem=plain("half \ud800 pair")), {"undecodable": "question-text"}),
        ],
    )
    def test_what_breaks_a_rule_is_an_error_on_its_field(
        self, question: ImportedQuestion, expected: dict[str, str]
    ) -> None:
        assert codes(question) == expected
        assert {problem.severity for problem in examine(question)} == {Severity.ERROR}

    @pytest.mark.parametrize(
        ("question", "expected"),
        [
            (replace(QUESTION, domain=" "), {"missing_domain": "domain"}),
            (replace(QUESTION, difficulty="cosmic"), {"unknown_difficulty": "difficulty"}),
            (with_choices("same", "other", " same"), {"duplicate_option_text": "option-c"}),
            (replace(QUESTION, explanation=plain("rtl \u202e override")), {"bidi_control": "explanation"}),
            (replace(QUESTION, stem=plain("cafÃ© â€œxâ€")), {"suspected_mojibake": "question-text"}),
            (replace(QUESTION, stem=plain("poses‚Äîrigidly")), {"suspected_mojibake": "question-text"}),
            (replace(QUESTION, stem=plain("lost \ufffd")), {"suspected_mojibake": "question-text"}),
        ],
    )
    def test_what_is_remarkable_is_only_a_warning(self, question: ImportedQuestion, expected: dict[str, str]) -> None:
        assert codes(question) == expected
        assert {problem.severity for problem in examine(question)} == {Severity.WARNING}

    @pytest.mark.parametrize(
        "text",
        [
            "CAFÉ»",
            "„Ä“ und „Ü“",
            "là»…",
            "São Paulo, Âncora",
            "√2 · √(x) ≤ ‚x‘",
            "привет 日本語 😀 עברית",
            "tab\tand\nline",
        ],
    )
    def test_honest_text_in_any_language_is_not_suspected(self, text: str) -> None:
        assert examine(replace(QUESTION, stem=plain(text))) == []

    def test_a_text_at_its_limit_is_accepted(self) -> None:
        assert examine(replace(QUESTION, stem=plain("x" * MAX_STEM_BYTES))) == []
        assert examine(with_choices("a", "é" * (MAX_OPTION_BYTES // 2))) == []

    @pytest.mark.parametrize(
        ("stem", "correct", "mismatch"),
        [
            ("Which are true? (Choose TWO.)", "A", True),
            ("Which are true? (Choose TWO.)", "AB", False),
            ("Select THREE answers", "AB", True),
            ("Pick 2 options", "A", True),
            ("Select TWO examples of it", "A", True),
            ("choose one answer from these", "AB", True),
            ("How many ways to choose 3 cards?", "A", False),
            ("She picks four of these. Select a name", "A", False),
        ],
    )
    def test_an_asked_number_of_answers_is_compared_with_the_key(self, stem: str, correct: str, mismatch: bool) -> None:
        question = replace(with_choices("a", "b", "c", correct=correct), stem=plain(stem))
        assert codes(question) == ({"answer_count_mismatch": "correct answer"} if mismatch else {})

    def test_findings_carry_record_and_line(self) -> None:
        lost = replace(QUESTION, stem=plain(""), origin=Origin(format="csv", file="a.csv", record=7, line=31))
        (problem,) = examine(lost)
        assert (problem.record, problem.line) == (7, 31)


def test_the_answer_is_shown_as_letters() -> None:
    assert QUESTION.answer == "A"
    assert with_choices("a", "b", "c", correct="AC").answer == "A,C"


def test_texts_in_messages_are_short_and_visible() -> None:
    assert shown("é\0\u202e") == "'é\\x00\\u202e'"
    assert len(shown("x" * 1000)) < 70
