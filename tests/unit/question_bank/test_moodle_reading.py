"""Rules of Moodle XML, one by one, on files of a few lines."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO

import pytest

from adapters.files.moodle_questions import parse_moodle
from domain.question_bank.import_refusals import EmptyFile, ForbiddenXml, MalformedXml, UnexpectedXml
from domain.question_bank.imported import (
    CHOICE_KEYS,
    ImportedQuestion,
    ImportProblem,
    Severity,
    TextFormat,
    derived_external_id,
)
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, KeyedQuestion, Response
from domain.question_bank.scoring import MultiplePolicy, ScoringPolicy, score
from tests.unit.question_bank.moodle_support import TWO, answer, question, quiz, report_of


def codes(inner: str = TWO, **how: str) -> dict[str, str]:
    return {problem.code: problem.severity for problem in report_of(quiz(question(inner, **how))).problems}


def category(path: str) -> str:
    return f'<question type="category"><category><text>{path}</text></category></question>'


def test_a_single_choice_has_one_right_answer_and_no_weights() -> None:
    found = report_of(quiz(question("<single>true</single>" + TWO))).only
    assert (found.kind, found.answer) == (QuestionKind.SINGLE, "A")
    assert [choice.weight for choice in found.choices] == [None, None]
    assert (found.origin.format, found.origin.record, found.origin.line) == ("moodle_xml", 1, 2)


@pytest.mark.parametrize(
    ("single", "kind"),
    [
        ("", QuestionKind.SINGLE),
        ("<single>1</single>", QuestionKind.SINGLE),
        ("<single>\n true </single>", QuestionKind.SINGLE),
        ("<single>false</single>", QuestionKind.MULTIPLE),
        ("<single>0</single>", QuestionKind.MULTIPLE),
    ],
)
def test_the_file_says_whether_several_may_be_chosen(single: str, kind: QuestionKind) -> None:
    assert report_of(quiz(question(single + TWO))).only.kind is kind


def test_partial_credit_of_a_single_choice_stays_in_the_weights() -> None:
    found = report_of(quiz(question(answer("a", "100") + answer("b", "50") + answer("c", "-25")))).only
    assert found.answer == "A"
    assert [choice.weight for choice in found.choices] == [1, Decimal("0.5"), Decimal("-0.25")]


def test_fractions_of_several_answers_are_their_weights_and_the_positive_ones_are_right() -> None:
    inner = "<single>false</single>" + answer("a", "33.33333") + answer("b", "-100") + answer("c", "66.66667")
    found = report_of(quiz(question(inner))).only
    assert found.answer == "A,C"
    assert [choice.weight for choice in found.choices] == [Decimal("0.3333333"), -1, Decimal("0.6666667")]


def weights_of(*percents: str) -> list[Decimal]:
    answers = "".join(answer(f"option {place}", percent) for place, percent in enumerate(percents))
    found = report_of(quiz(question(f"<single>false</single>{answers}"))).only
    return [choice.weight for choice in found.choices if choice.weight is not None]


@pytest.mark.parametrize(
    "percents",
    [
        ("33.33333", "33.33333", "33.33333", "-100"),
        ("33.333", "-50", "33.333", "33.333"),
        ("16.66667", "66.66667", "16.66667", "0"),
        ("83.33333", "16.66666", "-33.33333"),
        *[(percent,) * count + ("-100",) for percent, count in (("16.66667", 6), ("14.28571", 7), ("11.11111", 9))],
    ],
)
def test_all_right_answers_together_earn_exactly_the_full_mark(percents: tuple[str, ...]) -> None:
    """Whatever rounding took from them, or added to them; what a wrong one costs is as the file says."""
    weights = weights_of(*percents)
    right = [f"option {place}" for place, percent in enumerate(percents) if Decimal(percent) > 0]
    keyed = KeyedQuestion(
        kind=QuestionKind.MULTIPLE,
        choice_ids=tuple(f"option {place}" for place in range(len(percents))),
        key=AnswerKey(
            correct=tuple(right), weights={f"option {place}": weight for place, weight in enumerate(weights)}
        ),
    )
    weighted = ScoringPolicy(multiple=MultiplePolicy.WEIGHTED)
    assert sum(weight for weight in weights if weight > 0) == 1
    assert score(keyed, Response.choosing(right), weighted).mark(Decimal(10)) == 10
    stated = [Decimal(percent) / 100 for percent in percents]
    assert [weight for weight in weights if weight <= 0] == [weight for weight in stated if weight <= 0]
    assert all(abs(weight - said) <= Decimal("0.00001") for weight, said in zip(weights, stated, strict=True))


@pytest.mark.parametrize("percents", [("50", "49.9989", "-1"), ("33.3", "33.3", "33.3"), ("60", "60", "-100")])
def test_shares_that_are_not_those_of_a_whole_mark_stay_as_they_are(percents: tuple[str, ...]) -> None:
    assert weights_of(*percents) == [Decimal(percent) / 100 for percent in percents]


def test_the_smallest_share_stays_one() -> None:
    assert weights_of("100", "0.00001", "-100") == [Decimal("0.9999999"), Decimal("0.0000001"), -1]


def test_two_full_answers_of_a_single_choice_are_imported_with_a_remark() -> None:
    report = report_of(quiz(question(answer("a", "0") + answer("b", "100") + answer("c", "100"))))
    assert (report.only.kind, report.only.answer) == (QuestionKind.SINGLE, "B")
    assert [choice.weight for choice in report.only.choices] == [0, 1, 1]
    assert "several_full_answers" in [problem.code for problem in report.problems]


@pytest.mark.parametrize("fraction", ["100%", "101", "-101", "1e2", "NaN", "33,3", "", "٣"])
def test_a_fraction_that_is_no_percentage_is_an_error(fraction: str) -> None:
    assert codes(answer("a", fraction) + answer("b", "100"))["bad_fraction"] == Severity.ERROR


def test_without_a_right_answer_the_question_is_refused() -> None:
    assert report_of(quiz(question(answer("a") + answer("b", "-50")))).errors == {1: "missing_answer"}


def test_true_or_false_knows_its_words_in_any_order() -> None:
    inner = answer("false", "100", "because", "moodle_auto_format") + answer("true", "0", "", "moodle_auto_format")
    found = report_of(quiz(question(inner, type_="truefalse"))).only
    assert (found.kind, found.answer) == (QuestionKind.TRUE_FALSE, "A")
    assert [choice.text.text for choice in found.choices] == ["False", "True"]
    assert found.choices[0].explanation is not None
    assert found.choices[0].explanation.text == "because"


@pytest.mark.parametrize(
    "type_", ["essay", "numerical", "matching", "stack", "description", "cloze", "", "MULTICHOICE"]
)
def test_every_other_type_is_skipped_and_named(type_: str) -> None:
    report = report_of(quiz(question(type_=type_), question()))
    (problem,) = [problem for problem in report.problems if problem.code == "unsupported"]
    assert (problem.severity, problem.detail, problem.record) == (Severity.SKIPPED, type_, 1)
    assert "'The name'" in problem.message
    assert report.only.origin.record == 2


@pytest.mark.parametrize(
    ("path", "domain"),
    [
        ("$course$/top/Networks", "Networks"),
        ("top/Networks/DNS", "Networks/DNS"),
        ("$course$/Default for CS", "Default for CS"),
        ("$system$/top/TCP//IP", "TCP/IP"),
        ("$course$/top", ""),
    ],
)
def test_a_category_is_the_domain_of_what_follows(path: str, domain: str) -> None:
    report = report_of(quiz(question(), category(path), question(stem="Second?")))
    assert [found.domain for found in report.questions] == ["", domain]
    assert [found.origin.record for found in report.questions] == [1, 2]


def test_ids_tags_points_and_order_are_read() -> None:
    inner = (
        "<idnumber> NET-7\u200b </idnumber><defaultgrade>2.5000000</defaultgrade><shuffleanswers> 1 </shuffleanswers>"
        "<tags><tag><text>dns</text></tag><tag><text> </text></tag>"
        "<tag><text>dns</text></tag><tag><text>b c</text></tag></tags>"
    )
    found = report_of(quiz(question(inner + TWO))).only
    assert (found.external_id, found.points, found.shuffle, found.tags) == (
        "NET-7",
        Decimal("2.5"),
        True,
        ("dns", "b c"),
    )


def test_without_an_id_it_follows_from_the_texts_and_not_from_the_key() -> None:
    one = report_of(quiz(question("<idnumber/>" + TWO))).only
    other = report_of(quiz(question(answer("yes") + answer("no", "100")))).only
    assert one.external_id == other.external_id == derived_external_id("Why?", ["yes", "no"])
    assert (one.points, one.shuffle, one.tags, one.difficulty) == (Decimal(1), False, (), None)


@pytest.mark.parametrize("points", ["0", "-1", "many", "1e9", "NaN"])
def test_points_that_are_no_positive_number_are_an_error(points: str) -> None:
    assert codes(f"<defaultgrade>{points}</defaultgrade>{TWO}")["bad_points"] == Severity.ERROR


@pytest.mark.parametrize(
    ("format_", "raw", "text", "read"),
    [
        ("html", "<b>x</b><script>y</script>", "<b>x</b>", TextFormat.HTML),
        ("markdown", "**x** <b>", "**x** <b>", TextFormat.MARKDOWN),
        ("plain_text", "a < b <script>", "a < b <script>", TextFormat.PLAIN),
        ("moodle_auto_format", "a & b < c", "a & b < c", TextFormat.PLAIN),
        ("moodle_auto_format", "a &amp; b", "a &amp; b", TextFormat.HTML),
        ("moodle_auto_format", "<p>x<p>y", "<p>x</p><p>y</p>", TextFormat.HTML),
        ("wiki_like_format", "* x", "* x", TextFormat.PLAIN),
    ],
)
def test_every_format_is_read_as_what_it_is(format_: str, raw: str, text: str, read: TextFormat) -> None:
    found = report_of(quiz(question(stem=raw, format_=format_))).only
    assert (found.stem.text, found.stem.format) == (text, read)


def test_a_text_without_a_format_has_that_of_the_question() -> None:
    bare = '<answer fraction="100"><text>a &lt;b&gt;</text></answer><answer><text>c</text></answer>'
    found = report_of(quiz(question(bare, format_="plain_text"))).only
    assert found.choices[0].text.text == "a <b>"
    assert found.choices[0].text.format is TextFormat.PLAIN


def test_feedback_becomes_explanations_and_other_feedback_is_reported() -> None:
    inner = (
        "<generalfeedback format='html'><text>all</text></generalfeedback>"
        "<correctfeedback><text>Your answer is correct.</text></correctfeedback>"
    )
    found = report_of(quiz(question(inner + answer("a", "100", "one") + answer("b")))).only
    assert found.explanation is not None
    assert found.explanation.text == "all"
    assert [choice.explanation and choice.explanation.text for choice in found.choices] == ["one", None]
    assert "feedback_left_out" not in codes(inner + TWO)
    for lost in ("<incorrectfeedback><text>Read page 9.</text></incorrectfeedback>", "<hint><text>h</text></hint>"):
        assert codes(lost + TWO)["feedback_left_out"] == Severity.WARNING


def test_pictures_are_left_out_and_named_once() -> None:
    stem = "<p><img src='@@PLUGINFILE@@/a%20b.png' alt='a graph'></p>"
    inner = (
        "<generalfeedback format='html'><text></text><file name='c.svg' encoding='base64'>QUJD</file></generalfeedback>"
    )
    report = report_of(quiz(question(inner + TWO, stem=stem)))
    (problem,) = [problem for problem in report.problems if problem.code == "file_left_out"]
    assert (problem.severity, problem.detail) == (Severity.WARNING, "a b.png, c.svg")
    assert report.only.stem.text == '<p><img alt="a graph"></p>'
    markdown = report_of(quiz(question(stem="![x](@@PLUGINFILE@@/d.png)", format_="markdown")))
    assert [problem.detail for problem in markdown.problems if problem.code == "file_left_out"] == ["d.png"]


def test_markup_that_cannot_be_kept_is_told_and_what_is_too_much_is_an_error() -> None:
    assert codes(stem="x<math><mi>y</mi></math>")["markup_removed"] == Severity.WARNING
    assert codes(stem="<div>" * 300)["markup_too_deep"] == Severity.ERROR
    assert codes(stem="<p>" + "x" * 70_000)["field_too_long"] == Severity.ERROR
    unescaped = '<answer fraction="100"><text>a <b>bold</b></text></answer>' + answer("b")
    assert codes(unescaped)["unescaped_markup"] == Severity.ERROR


def test_a_picture_of_megabytes_is_no_reason_to_refuse_a_question() -> None:
    embedded = f"<generalfeedback><text>x</text><file name='big.png'>{'QUJD' * 6_000_000}</file></generalfeedback>"
    assert report_of(quiz(question(embedded + TWO))).only.answer == "A"


def test_more_answers_than_letters_are_refused() -> None:
    many = "".join(answer(f"option {place}", "100" if place == 3 else "0") for place in range(40))
    assert report_of(quiz(question(many))).errors == {1: "too_many_options"}
    most = "".join(answer(f"option {place}", "100" if place == 25 else "0") for place in range(26))
    assert report_of(quiz(question(most))).only.answer == CHOICE_KEYS[-1]


def test_questions_before_a_broken_place_are_given_and_then_the_file_is_refused() -> None:
    cut = quiz(question(), question()).removesuffix(b"</question></quiz>")
    items = parse_moodle(BytesIO(cut), file_name="quiz.xml", bank="security")
    warning, first = next(items), next(items)
    assert isinstance(warning, ImportProblem)
    assert isinstance(first, ImportedQuestion)
    with pytest.raises(MalformedXml):
        next(items)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", EmptyFile),
        (b"question-id,domain\n", MalformedXml),
        (b"<questestinterop><question/></questestinterop>", UnexpectedXml),
        (b"<question/>", UnexpectedXml),
        (b'<!DOCTYPE quiz [<!ENTITY a "b">]><quiz/>', ForbiddenXml),
    ],
)
def test_what_is_no_quiz_is_refused(data: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        report_of(data)


def test_an_empty_quiz_is_an_empty_import() -> None:
    report = report_of(quiz())
    assert (report.questions, report.problems) == ([], [])
