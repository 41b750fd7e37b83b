"""Questions as a package of QTI 3.0: an item for each, and a manifest.

Facts of the format (1EdTech QTI 3.0 packaging and its published examples): the manifest is in the namespace
`qtiv3p0/imscp_v1p1` with the schema "QTI Package", version 3.0.0; an item is a resource of type `imsqti_item_xmlv3p0`.
What an item cannot say stands in the metadata of its resource, as IEEE LOM: tags as keywords, the domain as a
classification by discipline, the difficulty as LOM calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, ClassVar, Final

from adapters.files.qti_questions.projecting import project_qti3
from adapters.files.qti_questions.qti3_items import item_of
from adapters.files.qti_questions.xml_writing import in_text
from adapters.files.safe_archive import write_archive
from application.question_bank.ports.exporting import ExportShape, Losses, QuestionWriter
from domain.question_bank.imported import ImportedQuestion

_SPOOLED: Final = 4 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_NAMESPACE: Final = "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1"
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<manifest xmlns="{_NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    f'xsi:schemaLocation="{_NAMESPACE} '
    'https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqtiv3p0_imscpv1p2_v1p0.xsd" identifier="questions">\n'
    "<metadata><schema>QTI Package</schema><schemaversion>3.0.0</schemaversion></metadata>\n"
    "<organizations/>\n<resources>\n"
).encode()
_TAIL: Final = b"</resources>\n</manifest>\n"
_LOM_DIFFICULTIES: Final = {"easy": "easy", "medium": "medium", "hard": "difficult"}


class Qti3Writer(QuestionWriter):
    """Writes a package of QTI 3.0; see `project_qti3` for what it keeps."""

    format: ClassVar[str] = "qti3"
    media_type: ClassVar[str] = "application/zip"
    ending: ClassVar[str] = ".zip"

    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        return write_archive(_files(questions, losses))


def _files(questions: Iterable[ImportedQuestion], losses: Losses) -> Iterator[tuple[str, bytes | Iterable[bytes]]]:
    """The manifest comes last, for it names all the others; until then it waits in a file of its own."""
    with SpooledTemporaryFile(max_size=_SPOOLED) as resources:
        number = 0
        for question in questions:
            left = project_qti3(question)
            losses.compare(question, left)
            if left is None:
                continue
            number += 1
            href = f"items/{number:06}.xml"
            resources.write(_resource(left, number, href).encode())
            yield href, item_of(left).encode()
        resources.seek(0)
        yield "imsmanifest.xml", _manifest(resources)


def _manifest(resources: IO[bytes]) -> Iterator[bytes]:
    yield _HEAD
    while chunk := resources.read(_CHUNK):
        yield chunk
    yield _TAIL


def _resource(question: ImportedQuestion, number: int, href: str) -> str:
    return (
        f'<resource identifier="item-{number}" type="imsqti_item_xmlv3p0" href="{href}">'
        f'{_metadata(question)}<file href="{href}"/></resource>\n'
    )


def _metadata(question: ImportedQuestion) -> str:
    described = _keywords(question.tags) + _level(question.difficulty) + _discipline(question.domain)
    return f'<metadata><lom xmlns="http://ltsc.ieee.org/xsd/LOM">{described}</lom></metadata>' if described else ""


def _keywords(tags: Iterable[str]) -> str:
    keywords = "".join(f"<keyword><string>{in_text(tag)}</string></keyword>" for tag in tags)
    return f"<general>{keywords}</general>" if keywords else ""


def _level(difficulty: str | None) -> str:
    if difficulty is None:
        return ""
    level = f"<source>LOMv1.0</source><value>{_LOM_DIFFICULTIES[difficulty]}</value>"
    return f"<educational><difficulty>{level}</difficulty></educational>"


def _discipline(domain: str) -> str:
    if not domain:
        return ""
    return (
        "<classification><purpose><source>LOMv1.0</source><value>discipline</value></purpose>"
        f"<taxonPath><taxon><entry><string>{in_text(domain)}</string></entry></taxon></taxonPath></classification>"
    )
