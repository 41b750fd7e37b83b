"""Laws of Moodle XML: what is written comes back as the projection says, and always in the same bytes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from xml.etree.ElementTree import fromstring

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.files.moodle_questions import MoodleWriter, parse_moodle, project_moodle
from application.question_bank.ports.exporting import Losses
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.imported import (
    BlankRecord,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    ImportProblem,
    NumericBand,
    Severity,
)
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.moodle_support import ORIGIN, answer, question, questions, quiz, report_of, written

PLAIN = ImportedQuestion(
    external_id="NET-1",
    bank="security",
    domain="TCP/IP",
    difficulty=None,
    kind=QuestionKind.MULTIPLE,
    stem=FormattedText(text="Which two?"),
    choices=tuple(
        ImportedChoice(key=key, text=FormattedText(text=text), correct=correct)
        for key, text, correct in (("A", "one ]]> & <b>", True), ("B", "two", False), ("C", "three", True))
    ),
    explanation=None,
    tags=("b", "a"),
    points=Decimal("2.50"),
    shuffle=True,
    origin=ORIGIN,
)


def without_origin(found: ImportedQuestion) -> ImportedQuestion:
    return replace(found, origin=ORIGIN)


@given(st.lists(questions(), max_size=4))
def test_reading_what_was_written_gives_the_projection(originals: list[ImportedQuestion]) -> None:
    projected = [left for original in originals if (left := project_moodle(original))]
    report = report_of(written(*originals))
    assert [without_origin(found) for found in report.questions] == projected
    assert {problem.severity for problem in report.problems} <= {Severity.WARNING}


@given(st.lists(questions(), max_size=3))
def test_the_bytes_are_always_the_same_and_writing_again_changes_nothing(originals: list[ImportedQuestion]) -> None:
    data = written(*originals)
    assert written(*originals) == data
    assert written(*report_of(data).questions) == data


shares = st.sampled_from([2, 3, 6, 7, 9, 11]).flatmap(
    lambda parts: st.lists(st.integers(1, parts), min_size=1, max_size=parts).map(
        lambda taken: [(Decimal(part) / parts).quantize(Decimal("0.0000001")) for part in taken]
    )
)


@given(shares, st.decimals(-1, 0, places=7))
@example([Decimal("0.3333333")] * 3, Decimal(-1))
@example([Decimal("0.1666667")] * 6, Decimal(0))
@example([Decimal(1), Decimal("0.0000001")], Decimal(0))
def test_shares_of_a_mark_are_read_as_the_projection_says_and_never_change_again(
    right: list[Decimal], wrong: Decimal
) -> None:
    choices = tuple(
        ImportedChoice(key=key, text=FormattedText(text=key), correct=weight > 0, weight=weight)
        for key, weight in zip("ABCDEFGHIJKL", [*right, wrong], strict=False)
    )
    original = replace(PLAIN, choices=choices)
    read = without_origin(report_of(written(original)).only)
    assert read == project_moodle(original)
    assert project_moodle(read) == read
    assert [choice.correct for choice in read.choices] == [choice.correct for choice in choices]
    weights = [choice.weight for choice in read.choices if choice.weight is not None]
    total = sum(right, Decimal(0))
    assert sum(weight for weight in weights if weight > 0) == (1 if abs(1 - total) <= Decimal("0.00001") else total)


@given(questions())
def test_the_projection_projects_to_itself_and_every_difference_is_told(original: ImportedQuestion) -> None:
    left = project_moodle(original)
    losses = Losses()
    written(original, losses=losses)
    if left is None:
        assert losses.counts == {"unsupported": 1}
        return
    assert project_moodle(left) == left
    assert bool(losses.counts) == (left != original)


def test_an_ordinary_question_survives_whole() -> None:
    losses = Losses()
    report = report_of(written(PLAIN, losses=losses))
    assert without_origin(report.only) == PLAIN
    assert report.only.content_hash == PLAIN.content_hash
    assert losses.counts == {}


def test_characters_that_xml_does_not_know_are_left_out_and_told() -> None:
    losses = Losses()
    original = replace(PLAIN, stem=FormattedText(text="a\x01b\ufffec\r\nd"), tags=("x\x00",))
    left = report_of(written(original, losses=losses)).only
    assert (left.stem.text, left.tags) == ("abc\nd", ("x",))
    assert losses.counts == {"text_changed": 1, "tags_changed": 1}


def test_weights_survive_and_those_that_are_none_are_not_made_up() -> None:
    weights = (Decimal("0.25"), Decimal(-1), Decimal("0.75"))
    weighted = replace(
        PLAIN,
        choices=tuple(replace(choice, weight=weight) for choice, weight in zip(PLAIN.choices, weights, strict=True)),
    )
    assert [choice.weight for choice in report_of(written(weighted)).only.choices] == list(weights)
    assert [choice.weight for choice in report_of(written(PLAIN)).only.choices] == [None] * 3
    percents = [answer.get("fraction") for answer in fromstring(written(PLAIN)).iter("answer")]
    assert percents == ["50", "-100", "50"], "Moodle gives nothing to whoever ticks everything"


def test_weights_that_contradict_the_key_are_lost_and_the_key_is_not() -> None:
    wrong_way = replace(PLAIN, choices=tuple(replace(choice, weight=Decimal(-1)) for choice in PLAIN.choices))
    losses = Losses()
    report = report_of(written(wrong_way, losses=losses))
    assert report.only.answer == "A,C"
    assert losses.counts == {"weights_lost": 1}


def test_true_or_false_is_moodles_own_type_only_in_moodles_words() -> None:
    def choices(*texts: str) -> tuple[ImportedChoice, ...]:
        return tuple(
            ImportedChoice(key=key, text=FormattedText(text=text), correct=key == "B")
            for key, text in zip("AB", texts, strict=True)
        )

    original = replace(PLAIN, kind=QuestionKind.TRUE_FALSE)
    ours = written(replace(original, choices=choices("False", "True")))
    assert b'type="truefalse"' in ours
    assert (report_of(ours).only.kind, report_of(ours).only.answer) == (QuestionKind.TRUE_FALSE, "B")
    losses = Losses()
    other = report_of(written(replace(original, choices=choices("Yes", "No")), losses=losses)).only
    assert (other.kind, other.answer) == (QuestionKind.SINGLE, "B")
    assert losses.counts == {"kind_changed": 1}


def test_kinds_without_choices_are_counted_as_lost() -> None:
    losses = Losses()
    numeric = replace(PLAIN, kind=QuestionKind.NUMERIC, choices=(), bands=(NumericBand(answer=Decimal(4)),))
    assert report_of(written(numeric, PLAIN, losses=losses)).only.external_id == "NET-1"
    assert losses.counts == {"unsupported": 1}


def test_a_category_is_written_where_the_domain_changes() -> None:
    data = written(PLAIN, PLAIN, replace(PLAIN, domain=""), PLAIN)
    paths = [found.text for found in fromstring(data).iterfind("question/category/text")]
    assert paths == ["$course$/top/TCP//IP", "$course$/top", "$course$/top/TCP//IP"]
    assert [found.domain for found in report_of(data).questions] == ["TCP/IP", "TCP/IP", "", "TCP/IP"]


def test_moodle_finds_its_own_words_in_the_file() -> None:
    (found,) = fromstring(written(PLAIN)).findall("question[@type='multichoice']")
    words = {tag: found.findtext(tag) for tag in ("single", "shuffleanswers", "defaultgrade", "idnumber")}
    assert words == {"single": "false", "shuffleanswers": "true", "defaultgrade": "2.5", "idnumber": "NET-1"}
    assert found.findtext("name/text") == found.findtext("questiontext/text") == "Which two?"
    assert (MoodleWriter.format, MoodleWriter.ending) == ("moodle_xml", ".xml")


fragments = st.sampled_from(
    [
        question(),
        question(type_="essay"),
        question(answer("a")),
        question(stem=""),
        question(type_="truefalse"),
        "<question/>",
        '<question type="multichoice"/>',
        '<question type="category"><category><text>top/x</text></category></question>',
        "<other><question type='essay'/></other>",
        "<!-- c -->",
        " text ",
    ]
)


@given(st.lists(fragments, max_size=10))
@example([question(stem="\ufffd"), question(stem="Why? (Choose two)")])
def test_every_record_has_exactly_one_fate(parts: list[str]) -> None:
    fates: dict[int, list[str]] = {}
    for item in parse_moodle(BytesIO(quiz(*parts)), file_name="quiz.xml", bank="security"):
        assert not isinstance(item, BlankRecord)
        if isinstance(item, ImportedQuestion):
            fates.setdefault(item.origin.record, []).append("question")
        elif isinstance(item, ImportProblem) and item.severity is not Severity.WARNING:
            fates.setdefault(item.record, []).append(item.severity)
    records = sum("<question" in part and "<category>" not in part for part in parts)
    assert sorted(fates) == list(range(1, records + 1))
    assert all(len(set(fate)) == 1 for fate in fates.values())
    assert all(fate.count("question") <= 1 and fate.count("skipped") <= 1 for fate in fates.values())


@given(st.binary(max_size=60), st.integers(0, 1200))
def test_damage_anywhere_is_refused_or_read(noise: bytes, place: int) -> None:
    data = quiz(question(), question(type_="essay"))
    with suppress(ImportRefused):
        report_of(data[:place] + noise + data[place:])
