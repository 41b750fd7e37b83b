"""How items of QTI 1.2 are understood: what is right, what it is worth, what is said about it, what is skipped."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.question_bank.imported import FormattedText, TextFormat
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.qti_support import (
    chosen12,
    condition12,
    document12,
    field12,
    item12,
    report_of,
    scored12,
)

SET_100 = '<setvar varname="SCORE" action="Set">100</setvar>'
HTML = TextFormat.HTML


def weights(question_weights: list[str]) -> list[Decimal]:
    return list(map(Decimal, question_weights))


def test_the_choice_that_scores_is_right() -> None:
    question = report_of(document12(item12(scored12("B", "100", "Set", "SCORE")))).only
    assert (question.kind, question.answer, question.external_id) == (QuestionKind.SINGLE, "B", "q1")
    assert (question.domain, question.points, question.shuffle) == ("Ports", Decimal(1), False)
    assert [choice.weight for choice in question.choices] == [None, None, None]


def test_the_best_of_several_scores_is_right_and_the_others_earn_their_part() -> None:
    question = report_of(document12(item12(scored12("A", "4"), scored12("B", "10", "Set"), scored12("C", "-1")))).only
    assert question.answer == "B"
    assert [choice.weight for choice in question.choices] == weights(["0.4", "1", "-0.1"])


def test_a_score_is_set_or_added_or_subtracted() -> None:
    conditions = [scored12("A", "9"), scored12("A", "4", "Set"), scored12("B", "4"), scored12("B", "6")]
    question = report_of(document12(item12(*conditions, scored12("C", "5", "Subtract")))).only
    assert question.answer == "B"
    assert [choice.weight for choice in question.choices] == weights(["0.4", "1", "-0.5"])


def test_scores_of_several_answers_add_up_to_the_full_mark() -> None:
    item = item12(scored12("A", "30"), scored12("B", "-15"), scored12("C", "30"), cardinality="Multiple")
    question = report_of(document12(item)).only
    assert (question.kind, question.answer) == (QuestionKind.MULTIPLE, "A,C")
    assert [choice.weight for choice in question.choices] == weights(["0.5", "-0.25", "0.5"])


def test_one_condition_on_all_choices_names_the_right_ones() -> None:
    test = f"<and>{chosen12('A')}<not>{chosen12('B')}</not>{chosen12('C')}</and>"
    partial = condition12(
        f"<and>{chosen12('A')}<not>{chosen12('C')}</not></and>",
        '<setvar varname="SCORE" action="Set">50</setvar>',
    )
    question = report_of(document12(item12(partial, condition12(test, SET_100), cardinality="Multiple"))).only
    assert question.answer == "A,C"
    assert all(choice.weight is None for choice in question.choices)


def test_the_declared_type_counts_before_the_cardinality() -> None:
    declared = item12(scored12("A", "1"), fields=field12("question_type", "multiple_answers_question"))
    assert report_of(document12(declared)).only.kind is QuestionKind.MULTIPLE


def test_a_true_false_question_has_two_choices() -> None:
    fields = field12("question_type", "true_false_question")
    assert report_of(document12(item12(scored12("A", "1"), fields=fields))).only.kind is QuestionKind.SINGLE
    labels = "".join(
        f'<response_label ident="{word}"><material><mattext>{word}</mattext></material></response_label>'
        for word in ("True", "False")
    )
    statement = item12(scored12("True", "1"), fields=fields, labels=labels)
    assert report_of(document12(statement)).only.kind is QuestionKind.TRUE_FALSE


@pytest.mark.parametrize(
    "conditions", [(), (scored12("A", "0"),), (scored12("A", "-5"),), (scored12("Z", "100"),), (scored12("A", "NaN"),)]
)
def test_an_item_without_a_right_answer_is_an_error(conditions: tuple[str, ...]) -> None:
    several = item12(*conditions, cardinality="Multiple")
    report = report_of(document12(item12(*conditions), several, item12(scored12("A", "1"), ident="q2")))
    assert report.errors == {1: "missing_answer", 2: "missing_answer"}
    assert [question.external_id for question in report.questions] == ["q2"]


@pytest.mark.parametrize(
    ("entry", "points"), [("2.5", "2.5"), ("3.0", "3"), ("0.00009", "0.0001"), ("9999.9999", "9999.9999")]
)
def test_points_are_those_that_canvas_states(entry: str, points: str) -> None:
    item = item12(scored12("A", "1"), fields=field12("points_possible", entry))
    assert report_of(document12(item)).only.points == Decimal(points)


@pytest.mark.parametrize("entry", ["0", "-1", "many", "10000", "1e99", "0.00001", "NaN", "9" * 50])
def test_points_that_are_none_are_an_error(entry: str) -> None:
    item = item12(scored12("A", "1"), fields=field12("points_possible", entry))
    assert report_of(document12(item)).errors == {1: "bad_points"}


def test_points_may_stand_in_the_score_where_it_is_no_percentage() -> None:
    outcomes = '<outcomes><decvar varname="SCORE" maxvalue="100"/><decvar varname="que_score" maxvalue="5"/></outcomes>'
    assert report_of(document12(item12(outcomes, scored12("A", "5")))).only.points == 5


def test_feedback_belongs_to_its_choice_or_to_the_question() -> None:
    conditions = [
        condition12("<other/>", feedback="general_fb"),
        condition12(chosen12("A"), SET_100, "correct_fb"),
        condition12(chosen12("A"), feedback="A_fb"),
        condition12(chosen12("B"), feedback="note"),
    ]
    feedback = "".join(
        f'<itemfeedback ident="{ident}"><material><mattext>{ident}!</mattext></material></itemfeedback>'
        for ident in ("note", "correct_fb", "general_fb", "A_fb", "other")
    )
    question = report_of(document12(item12(*conditions, more=feedback))).only
    notes = [choice.explanation.text if choice.explanation else None for choice in question.choices]
    assert notes == ["A_fb!", "note!", None]
    assert question.explanation == FormattedText(text="general_fb!\n\ncorrect_fb!\n\nother!")


def test_plain_text_stays_as_it_is_and_markup_is_cleaned() -> None:
    labels = (
        '<response_label ident="A"><material><mattext texttype="text/plain">a &lt;b&gt;  c</mattext></material>'
        '</response_label><response_label ident="B"><material><mattext texttype="text/html">'
        '&lt;b onclick="x()"&gt;b&lt;/b&gt;'
        "</mattext></material></response_label>"
        '<response_label ident="C"><material><mattext texttype="text/html"><![CDATA[ a &amp;&amp; b ]]></mattext>'
        "</material></response_label>"
    )
    question = report_of(document12(item12(scored12("A", "1"), labels=labels))).only
    assert [choice.text for choice in question.choices] == [
        FormattedText(text="a <b>  c"),
        FormattedText(text="<b>b</b>", format=HTML),
        FormattedText(text="a && b"),
    ]


def test_all_the_text_before_the_choices_is_the_question() -> None:
    stem = '<mattext>Look:</mattext><mattext texttype="text/html">&lt;p&gt;Why?&lt;/p&gt;</mattext>'
    question = report_of(document12(item12(scored12("A", "1"), stem=stem))).only
    assert question.stem == FormattedText(text="<p>Look:</p><p>Why?</p>", format=HTML)


def test_pictures_scripts_and_rubrics_are_told_when_they_are_left_out() -> None:
    stem = (
        '<mattext texttype="text/html">&lt;p&gt;Why?&lt;img src="a/x.png"&gt;&lt;script&gt;y&lt;/script&gt;&lt;/p&gt;'
        '</mattext><matimage uri="y.png"/>'
    )
    rubric = "<rubric><material><mattext>For you</mattext></material></rubric>"
    report = report_of(document12(item12(scored12("A", "1"), stem=stem, more=rubric)))
    told = {problem.code: problem.detail for problem in report.problems}
    assert told == {"file_left_out": "a/x.png, y.png", "markup_removed": "script", "rubric_left_out": None}
    assert report.only.stem.text == "<p>Why?<img></p>"


def test_blank_options_that_are_wrong_are_left_out_and_told() -> None:
    labels = "".join(
        f'<response_label ident="{ident}"><material><mattext>{text}</mattext></material></response_label>'
        for ident, text in (("A", ""), ("B", "bee"), ("C", " "), ("D", "dee"))
    )
    report = report_of(document12(item12(scored12("D", "1"), labels=labels)))
    assert [choice.text.text for choice in report.only.choices] == ["bee", "dee"]
    assert report.only.answer == "B"
    assert [(problem.code, problem.detail) for problem in report.problems] == [("blank_options_left_out", "2")]
    blank = report_of(document12(item12(scored12("A", "1"), labels=labels)))
    assert set(blank.errors.values()) == {"option_gap"}


def test_options_are_shuffled_and_pinned_as_the_item_says() -> None:
    labels = (
        '<response_label ident="A"><material><mattext>a</mattext></material></response_label>'
        '<response_label ident="B" rshuffle="No"><material><mattext>b</mattext></material></response_label>'
        '<response_label ident="C" lock="Yes"><material><mattext>c</mattext></material></response_label>'
    )
    item = item12(scored12("A", "1"), labels=labels).replace("<render_choice>", '<render_choice shuffle="Yes">')
    question = report_of(document12(item)).only
    assert question.shuffle
    assert [choice.pinned for choice in question.choices] == [False, True, True]


@pytest.mark.parametrize(
    ("item", "type_"),
    [
        (item12(fields=field12("question_type", "essay_question")), "essay_question"),
        (item12(cardinality="Ordered"), "response_lid ordered"),
        ('<item ident="i"><presentation><response_str ident="r"/></presentation></item>', "response_str"),
        ('<item ident="i"/>', "no response"),
        (
            (
                f'<item ident="i"><itemmetadata>{field12("question_type", "multiple_choice_question")}</itemmetadata>'
                '<presentation><response_lid ident="r"/><response_lid ident="s"/></presentation></item>'
            ),
            "multiple_choice_question with 2 response_lid",
        ),
        ('<bankentry_item item_ref="x"/>', "bankentry_item"),
    ],
)
def test_what_is_no_choice_question_is_skipped_by_its_type(item: str, type_: str) -> None:
    report = report_of(document12(item))
    assert report.questions == []
    assert [(problem.code, problem.severity, problem.detail) for problem in report.problems] == [
        ("unsupported", "skipped", type_)
    ]


def test_a_repeated_identifier_is_an_id_of_the_content_for_the_second_content() -> None:
    stem = "<mattext>How?</mattext>"
    same, other = item12(scored12("A", "1")), item12(scored12("A", "1"), stem=stem)
    report = report_of(document12(same, same, other))
    assert [question.external_id for question in report.questions[:2]] == ["q1", "q1"]
    assert report.questions[2].external_id.startswith("h-")
    assert report.remarks == {3: "identifier_repeated"}
    assert report_of(document12(item12(scored12("A", "1"), ident=""))).only.external_id.startswith("h-")


def test_the_bank_gives_the_domain_where_there_is_no_assessment() -> None:
    content = field12("bank_title", "Ports &amp; more") + item12(scored12("A", "1"))
    bank = f'<questestinterop><objectbank ident="b">{content}</objectbank></questestinterop>'
    assert report_of(bank).only.domain == "Ports & more"
    topic = item12(scored12("A", "1"), fields=field12("qmd_topic", "DNS") + field12("qmd_keywords", "net"))
    assert (report_of(document12(topic)).only.domain, report_of(document12(topic)).only.tags) == ("DNS", ("net",))


def test_a_document_names_its_lines() -> None:
    report = report_of(f"<questestinterop>\n\n{item12()}\n{item12(scored12('A', '1'))}</questestinterop>")
    assert [problem.line for problem in report.problems if problem.severity == "error"] == [3]
    assert report.only.origin.line == 4


def test_old_encodings_are_read() -> None:
    document = document12(item12(scored12("A", "1"), stem="<mattext>Größe?</mattext>"))
    encoded = f'<?xml version="1.0" encoding="ISO-8859-1"?>{document}'.encode("latin-1")
    assert report_of(encoded).only.stem.text == "Größe?"
