"""How items of QTI 2 and 3 are understood, in either spelling."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.question_bank.imported import FormattedText, TextFormat
from tests.unit.question_bank.qti_support import (
    item3,
    report_of,
)

HTML = TextFormat.HTML


def weights(question_weights: list[str]) -> list[Decimal]:
    return list(map(Decimal, question_weights))


OUTCOMES = '<qti-outcome-declaration identifier="SCORE" normal-maximum="4"/>'
MAP_TEMPLATE = '<qti-response-processing template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/map_response"/>'


def mapping(entries: str, more: str = "") -> str:
    pairs = (entry.split("=") for entry in entries.split())
    written = "".join(f'<qti-map-entry map-key="{key}" mapped-value="{value}"/>' for key, value in pairs)
    return f"<qti-mapping {more}>{written}</qti-mapping>"


def test_an_item_says_what_is_right_and_how_it_is_shown() -> None:
    choices = (
        '<qti-simple-choice identifier="A" fixed="true">aa</qti-simple-choice>'
        '<qti-simple-choice identifier="B"><div><p>bb</p></div></qti-simple-choice>'
    )
    question = report_of(item3(choices=choices, correct=["B"], outcomes=OUTCOMES)).only
    assert (question.answer, question.points, question.shuffle) == ("B", Decimal(4), True)
    assert [(choice.text.text, choice.pinned) for choice in question.choices] == [("aa", True), ("bb", False)]
    assert question.stem == FormattedText(text="Why?")


def test_the_older_spelling_means_the_same() -> None:
    new = item3(mapping=mapping("A=2 B=1"), outcomes=OUTCOMES, processing=MAP_TEMPLATE)
    old = new.replace("qti-", "").replace("-identifier", "Identifier").replace("base-type", "baseType")
    for word in ("assessment-item", "response-declaration", "correct-response", "item-body", "choice-interaction"):
        first, last = word.split("-")
        old = old.replace(word, first + last.capitalize())
    for word in ("simple-choice", "outcome-declaration", "normal-maximum", "map-entry", "map-key", "mapped-value"):
        first, last = word.split("-")
        old = old.replace(word, first + last.capitalize())
    old = old.replace("max-choices", "maxChoices").replace("response-processing", "responseProcessing")
    assert "<assessmentItem" in old
    assert report_of(old).only.content_hash == report_of(new).only.content_hash


def test_a_mapping_is_partial_credit_where_the_item_uses_it() -> None:
    used = report_of(item3(mapping=mapping("A=4 B=1 C=-2 D=9 B=much"), outcomes=OUTCOMES, processing=MAP_TEMPLATE)).only
    assert [choice.weight for choice in used.choices] == weights(["1", "0.25", "-0.5"])
    unused = report_of(item3(mapping=mapping("A=4 B=1"), outcomes=OUTCOMES)).only
    assert [choice.weight for choice in unused.choices] == [None, None, None]
    spelt_out = "<qti-response-processing><qti-map-response identifier='RESPONSE'/></qti-response-processing>"
    assert report_of(item3(mapping=mapping("A=4"), outcomes=OUTCOMES, processing=spelt_out)).only.choices[0].weight == 1


def test_the_full_mark_is_what_is_stated_or_what_the_right_answer_earns() -> None:
    several = {"cardinality": "multiple", "correct": ["A", "B"], "processing": MAP_TEMPLATE}
    summed = report_of(item3(mapping=mapping("A=1 B=3", 'default-value="-1"'), **several)).only  # type: ignore[arg-type]
    assert summed.points == 4
    assert [choice.weight for choice in summed.choices] == weights(["0.25", "0.75", "-0.25"])
    bounded = report_of(item3(mapping=mapping("A=1 B=3", 'upper-bound="2"'), **several)).only  # type: ignore[arg-type]
    assert bounded.points == 2
    assert [choice.weight for choice in bounded.choices] == weights(["0.5", "1", "0"])
    default = "<qti-default-value><qti-value>3</qti-value></qti-default-value>"
    most = f'<qti-outcome-declaration identifier="MAXSCORE">{default}</qti-outcome-declaration>'
    assert report_of(item3(outcomes=most)).only.points == 3
    assert report_of(item3()).only.points == 1


def test_a_mapping_against_the_key_is_left_out_and_told() -> None:
    report = report_of(
        item3(mapping=mapping("A=2 B=-1 C=1"), cardinality="multiple", correct=["A", "B"], processing=MAP_TEMPLATE)
    )
    assert all(choice.weight is None for choice in report.only.choices)
    assert "weights_left_out" in [problem.code for problem in report.problems]


def test_a_mapping_alone_tells_what_is_right() -> None:
    several = item3(mapping=mapping("A=1 B=2 C=-1"), cardinality="multiple", correct=[], processing=MAP_TEMPLATE)
    assert report_of(several).only.answer == "A,B"
    assert report_of(several.replace('"multiple"', '"single"')).only.answer == "B"
    assert report_of(item3(correct=[])).errors == {1: "missing_answer"}


def test_feedback_called_like_a_choice_explains_it() -> None:
    choices = (
        '<qti-simple-choice identifier="A">aa<qti-feedback-inline outcome-identifier="F" identifier="A" '
        'show-hide="show"> yes</qti-feedback-inline></qti-simple-choice>'
        '<qti-simple-choice identifier="B">bb</qti-simple-choice>'
    )
    modal = (
        '<qti-modal-feedback outcome-identifier="F" identifier="B" show-hide="show"><qti-content-body><p>no</p>'
        "</qti-content-body></qti-modal-feedback>"
        '<qti-modal-feedback outcome-identifier="F" identifier="A" show-hide="hide"><qti-content-body>It is '
        "<b>A</b></qti-content-body></qti-modal-feedback>"
        '<qti-modal-feedback outcome-identifier="F" identifier="B" show-hide="show"><p/></qti-modal-feedback>'
    )
    question = report_of(item3(choices=choices, more=modal)).only
    assert [choice.text.text for choice in question.choices] == ["aa", "bb"]
    assert [choice.explanation.text for choice in question.choices if choice.explanation] == ["yes", "no"]
    assert question.explanation == FormattedText(text="It is <b>A</b>", format=HTML)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<div>a\n   b</div>", FormattedText(text="a b")),
        ("<pre>a\n   b</pre>", FormattedText(text="a\n   b")),
        ("<div><p>a &lt;b&gt;</p></div>", FormattedText(text="a <b>")),
        ("<p>a</p><p>b</p>", FormattedText(text="<p>a</p><p>b</p>", format=HTML)),
        ("<div><p>a</p><p>b</p></div>", FormattedText(text="<p>a</p><p>b</p>", format=HTML)),
        ('<p>a<img src="https://x.test/y.png" alt="&quot;z"/></p>', None),
        ('<qti-rubric-block view="candidate"><p>a</p></qti-rubric-block>', None),
    ],
)
def test_text_without_markup_is_plain_and_a_lone_pre_keeps_its_blanks(body: str, text: FormattedText | None) -> None:
    stem = report_of(item3(body)).only.stem
    assert stem == text if text else stem.format is HTML or stem.text == "a"


def test_a_prompt_follows_what_stands_before_the_choices() -> None:
    item = item3("<p>Look.</p>").replace('max-choices="1">', 'max-choices="1"><qti-prompt>Why?</qti-prompt>')
    assert report_of(item).only.stem == FormattedText(text="Look.\n\nWhy?")


def test_what_belongs_to_the_item_and_is_not_imported_is_told() -> None:
    body = (
        '<p>a<object data="x.png" type="image/png">an x</object></p>'
        '<qti-rubric-block view="scorer"><p>1p</p></qti-rubric-block>'
    )
    stimulus = '<qti-assessment-stimulus-ref identifier="s" href="s.xml"/>'
    report = report_of(item3(body, outcomes=stimulus))
    told = {problem.code: problem.detail for problem in report.problems if problem.code != "missing_domain"}
    assert told == {"file_left_out": "x.png", "rubric_left_out": None, "stimulus_left_out": "s.xml"}
    assert "1p" not in report.only.stem.text
    assert "an x" in report.only.stem.text


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        ('<qti-choice-interaction response-identifier="R2"/>', "choiceInteraction"),
        ("<p><qti-text-entry-interaction/></p>", "textEntryInteraction+choiceInteraction"),
    ],
)
def test_items_with_several_interactions_are_skipped(body: str, type_: str) -> None:
    report = report_of(item3(body))
    assert [(problem.code, problem.detail) for problem in report.problems] == [("unsupported", type_)]


def test_without_a_declaration_the_interaction_tells_how_many_may_be_chosen() -> None:
    item = item3(mapping=mapping("A=1")).replace('identifier="RESPONSE" cardinality="single"', 'identifier="OTHER"')
    assert report_of(item).errors == {1: "missing_answer"}
