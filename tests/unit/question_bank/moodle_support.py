"""Small Moodle XML files for tests, what the parser makes of them, and questions to write."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO

from hypothesis import strategies as st

from adapters.files.moodle_questions import MoodleWriter, parse_moodle
from application.question_bank.ports.exporting import Losses
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    Origin,
    TextFormat,
)
from domain.question_bank.kinds import QuestionKind
from tests.unit.question_bank.csv_support import Report, sort_items

ORIGIN = Origin(format="moodle_xml", file="quiz.xml", record=1, line=1)


def answer(text: str, fraction: str = "0", feedback: str = "", format_: str = "html") -> str:
    return (
        f'<answer fraction="{fraction}" format="{format_}"><text><![CDATA[{text}]]></text>'
        f'<feedback format="{format_}"><text><![CDATA[{feedback}]]></text></feedback></answer>'
    )


TWO = answer("yes", "100") + answer("no")


def question(inner: str = TWO, *, stem: str = "Why?", format_: str = "html", type_: str = "multichoice") -> str:
    return (
        f'<question type="{type_}"><name><text>The name</text></name><questiontext format="{format_}">'
        f"<text><![CDATA[{stem}]]></text></questiontext>{inner}</question>"
    )


def quiz(*questions: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<quiz>{"".join(questions)}</quiz>'.encode()


def report_of(data: bytes) -> Report:
    return sort_items(parse_moodle(BytesIO(data), file_name="quiz.xml", bank="security"))


def written(*questions: ImportedQuestion, losses: Losses | None = None) -> bytes:
    return b"".join(MoodleWriter().write(questions, losses or Losses()))


characters = st.characters(codec="utf-8", exclude_categories=["Cs"])
_MARKUP = (
    "<b>b</b>",
    "<p>",
    "]]>",
    "<![CDATA[",
    "&amp;",
    "&lt;",
    "<",
    "&",
    ">",
    "<script>x</script>",
    "<pre>\n\nx</pre>",
)
_PICTURE = "<img src='@@PLUGINFILE@@/x.png' alt='y'>"
odd = st.sampled_from([*_MARKUP, _PICTURE, *"\r\n\x01\ufffe\xa0\u200b /é", "\r\n", "e\u0301", "//"])
raw_texts = st.lists(odd | st.text(characters, max_size=8), min_size=1, max_size=6).map("".join)
formatted = st.builds(FormattedText, text=raw_texts, format=st.sampled_from(TextFormat))
weights = st.none() | st.decimals(-1, 1, places=5)


@st.composite
def questions(draw: st.DrawFn) -> ImportedQuestion:
    """Any question of any kind, sound or not: also what only another way into the bank lets in."""
    kind = draw(st.sampled_from(QuestionKind))
    truth = st.sampled_from(["True", "False"]).map(lambda text: FormattedText(text=text))
    texts = draw(st.lists(truth | formatted if kind is QuestionKind.TRUE_FALSE else formatted, min_size=1, max_size=5))
    right = draw(st.sets(st.integers(0, len(texts) - 1), min_size=1))
    if kind in (QuestionKind.SINGLE, QuestionKind.TRUE_FALSE):
        right = set(list(right)[:1])
    return ImportedQuestion(
        external_id=draw(raw_texts),
        bank="security",
        domain=draw(st.just("") | st.just("top") | raw_texts),
        difficulty=draw(st.none() | st.just("hard")),
        kind=kind,
        stem=draw(formatted),
        choices=tuple(
            ImportedChoice(
                key=CHOICE_KEYS[place],
                text=text,
                correct=place in right,
                weight=draw(weights),
                explanation=draw(st.none() | formatted),
                pinned=draw(st.booleans()),
            )
            for place, text in enumerate(texts)
        ),
        explanation=draw(st.none() | formatted),
        tags=tuple(draw(st.lists(raw_texts, max_size=3))),
        points=draw(st.decimals(Decimal("0.001"), 1000, places=3)),
        shuffle=draw(st.booleans()),
        origin=ORIGIN,
    )
