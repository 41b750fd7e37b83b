"""Packages: which files of a ZIP archive hold questions, as its manifest tells.

Facts of the format (IMS Content Packaging, Common Cartridge, and what Canvas writes): a manifest lists `resource`s with
a type and files; references are URI-encoded and relative to the manifest. Types of QTI start with `imsqti`. A Canvas
cartridge holds a quiz twice: as Common Cartridge restricts it (`<id>/assessment_qti.xml`, type
`imsqti_xmlv1p2/imscc_xmlv1p1/assessment`) and as Canvas knows it, `non_cc_assessments/<id>.xml.qti`, listed as
associated content beside the first or, for a bank, alone. The second says more and is the one that is read.
Metadata of a resource follow IEEE LOM: keywords, difficulty, and the discipline as a classification.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from typing import IO, Final, cast
from xml.etree.ElementTree import Element

from adapters.files.qti_questions.elements import attribute, child, children, descendants, name, text_in
from adapters.files.safe_archive import ArchiveLimits, SafeArchive
from adapters.files.safe_xml import read_elements
from domain.question_bank.import_refusals import ZipTooLarge

LIMITS: Final = ArchiveLimits(entries=65_535)
"""QTI 2 and 3 keep every question in a file of its own."""
_CANVAS_FOLDER: Final = "non_cc_assessments/"
_CANVAS_ENDING: Final = ".xml.qti"
_DIFFICULTIES: Final = {"easy": "easy", "medium": "medium", "difficult": "hard", "hard": "hard"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A file that may hold questions, by its reference in the manifest, and what the manifest says about it."""

    href: str
    is_main: bool = False
    is_test: bool = False
    domain: str | None = None
    difficulty: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The title of a package and its files with questions, each once, in their order."""

    title: str
    resources: tuple[Resource, ...]


def open_entry(archive: SafeArchive, entry: str) -> IO[bytes]:
    """An entry of an archive as a file that is read once, from its start."""
    return cast("IO[bytes]", _Chunks(archive.chunks(entry)))


def read_manifest(archive: SafeArchive, entry: str) -> Manifest:
    """Raises `UnexpectedXml`, `MalformedXml` or `ForbiddenXml` as any reading of XML does, and `ZipTooLarge`."""
    title = ""
    listed: list[tuple[str, Resource]] = []
    copied: set[str] = set()
    files: dict[str, list[str]] = {}
    with open_entry(archive, entry) as file:
        for element in read_elements(file, {"lom", "resource"}, root={"manifest"}):
            if name(element) == "lom":
                title = title or _title(element)
                continue
            identifier = attribute(element, "identifier")
            hrefs = _hrefs(element)
            files[identifier] = [href for href in hrefs if _is_canvas(href)]
            copied.update(href.rpartition("/")[2].removesuffix(_CANVAS_ENDING) for href in files[identifier])
            listed += [(identifier, found) for found in _resources(element, hrefs)]
            if len(listed) > LIMITS.entries:
                raise ZipTooLarge(f"The manifest names more than {LIMITS.entries} files")
    resources = [found for identifier, found in listed if _is_canvas(found.href) or identifier not in copied]
    unique: dict[str, Resource] = {}
    for found in resources:
        unique.setdefault(found.href, found)
    return Manifest(title=title, resources=tuple(unique.values()))


def _resources(element: Element, hrefs: Iterable[str]) -> Iterator[Resource]:
    kind = attribute(element, "type").lower()
    domain, difficulty, tags = _described(element)
    main = attribute(element, "href")
    for href in hrefs:
        if _is_canvas(href) or (kind.startswith("imsqti") and (href == main or href.lower().endswith(".xml"))):
            yield Resource(
                href=href,
                is_main=href == main,
                is_test=href == main and kind.startswith("imsqti_test"),
                domain=domain,
                difficulty=difficulty,
                tags=tags,
            )


def _hrefs(element: Element) -> list[str]:
    """The references of a resource, each once."""
    found = [attribute(element, "href"), *(attribute(file, "href") for file in children(element, "file"))]
    return [*dict.fromkeys(filter(None, found))]


def _is_canvas(href: str) -> bool:
    return _CANVAS_FOLDER in href and href.endswith(_CANVAS_ENDING)


def _title(lom: Element) -> str:
    general = child(lom, "general")
    return _string(child(general, "title")) if general is not None else ""


def _described(element: Element) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Domain, difficulty and tags, as far as the metadata of a resource tell."""
    metadata = child(element, "metadata")
    if metadata is None:
        return None, None, ()
    tags = tuple(dict.fromkeys(filter(None, map(_string, descendants(metadata, "keyword")))))
    levels = [text_in(child(level, "value")).lower() for level in descendants(metadata, "difficulty")]
    return _discipline(metadata), next((_DIFFICULTIES.get(level) for level in levels), None), tags


def _discipline(metadata: Element) -> str | None:
    for classification in descendants(metadata, "classification"):
        purpose = child(classification, "purpose")
        if purpose is not None and text_in(child(purpose, "value")).lower() == "discipline":
            entries = [_string(child(taxon, "entry")) for taxon in descendants(classification, "taxon")]
            return next(filter(None, reversed(entries)), None)
    return None


def _string(element: Element | None) -> str:
    """A text of LOM in the first of its languages."""
    return "" if element is None else text_in(next(iter(element), element))


class _Chunks(BufferedIOBase):
    """A stream over pieces as they come; a read gives at least one byte until the end, and may give more than asked."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks

    def read(self, _: int | None = -1, /) -> bytes:
        return next(self._chunks, b"")
