"""Questions as a quiz that Canvas imports: a ZIP archive with one QTI 1.2 assessment, its settings and a manifest.

Facts of the format (files that Canvas and text2qti write, and the converter and exporter of Canvas, which is open
source): the assessment is a resource of type `imsqti_xmlv1p2`, its `assessment_meta.xml` one of associated content on
which it depends; the identifier of the quiz is the name of both folder and file, and importing the same one again
replaces the quiz, so it follows from the name of the bank. Scores are out of 100; several right answers are one `and`
with the wrong ones negated; feedback is called `general_fb` or `<choice>_fb`. `qmd_topic`, `qmd_levelofdifficulty`,
`qmd_keywords` and `rshuffle` are of QTI 1.2 itself; Canvas reads over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from itertools import chain, islice
from typing import ClassVar, Final

from adapters.files.qti_questions.identifiers import identifier_of
from adapters.files.qti_questions.projecting import project_canvas_qti
from adapters.files.qti_questions.xml_writing import in_attribute, in_text, representable
from adapters.files.safe_archive import write_archive
from application.question_bank.ports.exporting import ExportShape, Losses, QuestionWriter
from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, TextFormat
from domain.question_bank.kinds import QuestionKind

_TYPES: Final = {
    QuestionKind.SINGLE: "multiple_choice_question",
    QuestionKind.TRUE_FALSE: "true_false_question",
    QuestionKind.MULTIPLE: "multiple_answers_question",
}
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_INSTANCE: Final = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_QTI: Final = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
_CANVAS: Final = "http://canvas.instructure.com/xsd/cccv1p0"
_PACKAGE: Final = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
_DEFAULT_TITLE: Final = "Questions"

QUESTIONS_IN_QUIZ: Final = 5_000
"""More of them are further quizzes of the same package: a file of a package is read up to a certain size only."""


class CanvasWriter(QuestionWriter):
    """Writes a Canvas quiz; see `project_canvas_qti` for what it keeps."""

    format: ClassVar[str] = "canvas_qti"
    media_type: ClassVar[str] = "application/zip"
    ending: ClassVar[str] = ".zip"

    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        return write_archive(_files(iter(questions), losses))


@dataclass(slots=True)
class _Quiz:
    """What the settings tell about all the questions, known when the last one is written."""

    title: str
    identifier: str
    points: Decimal = Decimal(0)
    shuffle: bool = False

    @property
    def file(self) -> str:
        return f"{self.identifier}/{self.identifier}.xml"

    @property
    def settings_file(self) -> str:
        return f"{self.identifier}/assessment_meta.xml"


def _files(questions: Iterator[ImportedQuestion], losses: Losses) -> Iterator[tuple[str, bytes | Iterable[bytes]]]:
    """A quiz, and further ones where a single file would grow beyond what importers take; then the manifest."""
    quizzes: list[_Quiz] = []
    following = next(questions, None)
    bank = representable(following.bank) if following is not None else ""
    while following is not None or not quizzes:
        part = f" ({len(quizzes) + 1})" if quizzes else ""
        quiz = _Quiz(title=f"{bank or _DEFAULT_TITLE}{part}", identifier=_identifier("quiz", f"{bank}{part}"))
        quizzes.append(quiz)
        first = [] if following is None else [following]
        yield quiz.file, _assessment(quiz, chain(first, islice(questions, QUESTIONS_IN_QUIZ - 1)), losses)
        yield quiz.settings_file, _settings(quiz).encode()
        following = next(questions, None)
    yield "imsmanifest.xml", _manifest(quizzes).encode()


def _assessment(quiz: _Quiz, questions: Iterable[ImportedQuestion], losses: Losses) -> Iterator[bytes]:
    yield (
        f'{_DECLARATION}<questestinterop xmlns="{_QTI}" {_INSTANCE} xsi:schemaLocation="{_QTI} '
        'http://www.imsglobal.org/xsd/ims_qtiasiv1p2p1.xsd">\n'
        f'<assessment ident="{quiz.identifier}" title="{in_attribute(quiz.title)}">\n'
        f"<qtimetadata>{_field('cc_maxattempts', '1')}</qtimetadata>\n"
        '<section ident="root_section">\n'
    ).encode()
    for question in questions:
        left = project_canvas_qti(question)
        losses.compare(question, left)
        if left is not None:
            quiz.points += left.points
            quiz.shuffle |= left.shuffle
            yield _item(left).encode()
    yield b"</section>\n</assessment>\n</questestinterop>\n"


def _item(question: ImportedQuestion) -> str:
    identifier = identifier_of(question.external_id)
    title = in_attribute(representable(question.external_id))
    return (
        f'<item ident="{identifier}" title="{title}">\n{_metadata(question)}\n'
        f"<presentation>{_material(question.stem)}{_response(question)}</presentation>\n"
        f"{_processing(question)}\n{''.join(_feedback(question))}</item>\n"
    )


def _metadata(question: ImportedQuestion) -> str:
    fields = [
        ("question_type", _TYPES[question.kind]),
        ("points_possible", f"{question.points:f}"),
        ("original_answer_ids", ",".join(choice.key for choice in question.choices)),
        # Said where there is none too, for else the title of the quiz would be read as the topic.
        ("qmd_topic", question.domain),
        *(("qmd_levelofdifficulty", level) for level in [question.difficulty] if level),
        *(("qmd_keywords", tag) for tag in question.tags),
    ]
    pairs = "".join(_field(label, entry) for label, entry in fields)
    return f"<itemmetadata><qtimetadata>{pairs}</qtimetadata></itemmetadata>"


def _field(label: str, entry: str) -> str:
    return (
        f"<qtimetadatafield><fieldlabel>{label}</fieldlabel>"
        f"<fieldentry>{in_text(entry)}</fieldentry></qtimetadatafield>"
    )


def _response(question: ImportedQuestion) -> str:
    cardinality = "Multiple" if question.kind is QuestionKind.MULTIPLE else "Single"
    shuffle = ' shuffle="Yes"' if question.shuffle else ""
    labels = "".join(map(_label, question.choices))
    return (
        f'\n<response_lid ident="response1" rcardinality="{cardinality}">'
        f"<render_choice{shuffle}>\n{labels}</render_choice></response_lid>"
    )


def _label(choice: ImportedChoice) -> str:
    pinned = ' rshuffle="No"' if choice.pinned else ""
    return f'<response_label ident="{choice.key}"{pinned}>{_material(choice.text)}</response_label>\n'


def _material(text: FormattedText) -> str:
    kind = "html" if text.format is TextFormat.HTML else "plain"
    return f'<material><mattext texttype="text/{kind}">{in_text(text.text)}</mattext></material>'


def _processing(question: ImportedQuestion) -> str:
    shown = _shown("<other/>", "general") if question.explanation else ""
    shown += "".join(_shown(_chosen(choice), choice.key) for choice in question.choices if choice.explanation)
    return (
        '<resprocessing><outcomes><decvar maxvalue="100" minvalue="0" varname="SCORE" vartype="Decimal"/></outcomes>\n'
        f'{shown}<respcondition continue="No"><conditionvar>{_right(question)}</conditionvar>'
        '<setvar action="Set" varname="SCORE">100</setvar></respcondition></resprocessing>'
    )


def _shown(condition: str, feedback: str) -> str:
    return (
        f'<respcondition continue="Yes"><conditionvar>{condition}</conditionvar>'
        f'<displayfeedback feedbacktype="Response" linkrefid="{feedback}_fb"/></respcondition>\n'
    )


def _right(question: ImportedQuestion) -> str:
    if question.kind is not QuestionKind.MULTIPLE:
        return "".join(_chosen(choice) for choice in question.choices if choice.correct)
    tests = (_chosen(choice) if choice.correct else f"<not>{_chosen(choice)}</not>" for choice in question.choices)
    return f"<and>{''.join(tests)}</and>"


def _chosen(choice: ImportedChoice) -> str:
    return f'<varequal respident="response1">{choice.key}</varequal>'


def _feedback(question: ImportedQuestion) -> Iterator[str]:
    texts = [("general", question.explanation), *((choice.key, choice.explanation) for choice in question.choices)]
    for owner, text in texts:
        if text is not None:
            yield f'<itemfeedback ident="{owner}_fb"><flow_mat>{_material(text)}</flow_mat></itemfeedback>\n'


def _settings(quiz: _Quiz) -> str:
    """An unpublished quiz with the settings that Canvas gives a new one."""
    title, points = in_text(quiz.title), f"{quiz.points:f}"
    assignment = _identifier("assignment", quiz.identifier)
    return (
        f'{_DECLARATION}<quiz identifier="{quiz.identifier}" xmlns="{_CANVAS}" {_INSTANCE} '
        f'xsi:schemaLocation="{_CANVAS} https://canvas.instructure.com/xsd/cccv1p0.xsd">\n'
        f"<title>{title}</title>\n<description></description>\n"
        f"<shuffle_answers>{str(quiz.shuffle).lower()}</shuffle_answers>\n"
        "<scoring_policy>keep_highest</scoring_policy>\n<hide_results></hide_results>\n"
        f"<quiz_type>assignment</quiz_type>\n<points_possible>{points}</points_possible>\n"
        "<show_correct_answers>true</show_correct_answers>\n<anonymous_submissions>false</anonymous_submissions>\n"
        "<allowed_attempts>1</allowed_attempts>\n<one_question_at_a_time>false</one_question_at_a_time>\n"
        "<cant_go_back>false</cant_go_back>\n<available>false</available>\n"
        f'<assignment identifier="{assignment}">\n<title>{title}</title>\n'
        "<workflow_state>unpublished</workflow_state>\n"
        f"<quiz_identifierref>{quiz.identifier}</quiz_identifierref>\n<points_possible>{points}</points_possible>\n"
        "<grading_type>points</grading_type>\n<submission_types>online_quiz</submission_types>\n</assignment>\n</quiz>\n"
    )


def _manifest(quizzes: Sequence[_Quiz]) -> str:
    first = quizzes[0]
    resources = "".join(map(_resources, quizzes))
    return (
        f'{_DECLARATION}<manifest identifier="{_identifier("manifest", first.identifier)}" xmlns="{_PACKAGE}" '
        f'xmlns:imsmd="http://www.imsglobal.org/xsd/imsmd_v1p2" {_INSTANCE}>\n'
        "<metadata><schema>IMS Content</schema><schemaversion>1.1.3</schemaversion><imsmd:lom><imsmd:general>"
        f"<imsmd:title><imsmd:string>{in_text(first.title)}</imsmd:string></imsmd:title>"
        "</imsmd:general></imsmd:lom></metadata>\n<organizations/>\n<resources>\n"
        f"{resources}</resources>\n</manifest>\n"
    )


def _resources(quiz: _Quiz) -> str:
    settings = _identifier("settings", quiz.identifier)
    return (
        f'<resource identifier="{quiz.identifier}" type="imsqti_xmlv1p2"><file href="{quiz.file}"/>'
        f'<dependency identifierref="{settings}"/></resource>\n'
        f'<resource identifier="{settings}" type="associatedcontent/imscc_xmlv1p1/learning-application-resource" '
        f'href="{quiz.settings_file}"><file href="{quiz.settings_file}"/></resource>\n'
    )


def _identifier(use: str, of: str) -> str:
    """Of the shape that Canvas gives its own: a letter and 32 hexadecimal digits."""
    return f"i{sha256(f'{use}:{of}'.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
