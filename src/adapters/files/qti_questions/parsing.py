"""The reading of a whole QTI file: a document of any version, or a package of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Final

from adapters.files.qti_questions import qti2, qti12
from adapters.files.qti_questions.drafts import Collector, Unsupported
from adapters.files.qti_questions.elements import attribute
from adapters.files.qti_questions.package import LIMITS, Manifest, Resource, open_entry, read_manifest
from adapters.files.qti_questions.titles import title_of
from adapters.files.safe_archive import MissingEntry, SafeArchive
from adapters.files.safe_xml import Element, XmlStream
from domain.question_bank.import_refusals import MalformedXml, UnexpectedXml
from domain.question_bank.imported import ParsedItem, shown

_ARCHIVES: Final = (".zip", ".imscc")
_SIGNATURE: Final = b"PK"
_DOCUMENTS: Final = frozenset({"questestinterop", "item"}) | qti2.ITEM_TAGS
_ITEMS: Final = qti12.ITEM_TAGS | qti2.ITEM_TAGS
_REFERENCES: Final = frozenset({"assessmentItemRef", "qti-assessment-item-ref"})


def parse_qti(file: IO[bytes], *, file_name: str, bank: str, with_rejects: bool = False) -> Iterator[ParsedItem]:
    """Read questions lazily, in the order of the file or of its manifest; memory holds one item at a time.

    Every item gives exactly one of: a question (after its warnings), problems with an error among them, or a problem of
    severity `skipped` for what is no choice question. Raises an `ImportRefused` where the file as a whole cannot be
    read, which for broken XML is noticed after the questions before the break. In a package a broken or missing file
    is one record with an error. `with_rejects` also gives id and text of every record with an error.
    """
    collector = Collector(file=file_name, bank=bank, with_rejects=with_rejects)
    file.seek(0)
    start = file.read(len(_SIGNATURE))
    file.seek(0)
    if start == _SIGNATURE or file_name.lower().endswith(_ARCHIVES):
        yield from _Package(file, collector).read()
        return

    def reopened() -> IO[bytes]:
        file.seek(0)
        return file

    yield from _document(reopened, collector, Resource(href=file_name), "")


class _Package:
    """An archive with a manifest."""

    def __init__(self, file: IO[bytes], collector: Collector) -> None:
        self._archive = SafeArchive(file, LIMITS)
        self._entry = self._archive.manifest()
        self._collector = collector

    def read(self) -> Iterator[ParsedItem]:
        manifest = read_manifest(self._archive, self._entry)
        tests = _Tests(default=manifest.title, titles={})
        yield from self._read_tests(manifest, tests)
        seen: set[str] = set()
        for resource in manifest.resources:
            if resource.is_test:
                continue
            try:
                located = self._archive.locate(resource.href, beside=self._entry)
            except MissingEntry:
                yield from self._missing(resource)
                continue
            if located not in seen:
                seen.add(located)
                yield from self._read(located, resource, tests.title_of(located))

    def _read(self, entry: str, resource: Resource, title: str) -> Iterator[ParsedItem]:
        try:
            yield from _document(partial(open_entry, self._archive, entry), self._collector, resource, title)
        except _NoQuestions as fault:
            if resource.is_main and fault.tag not in qti2.TEST_TAGS:
                yield from self._collector.collect(Unsupported(type=fault.tag))
        except MalformedXml as fault:
            yield from self._collector.failed("malformed_xml", f"{shown(entry)}: {fault.detail}", entry)

    def _read_tests(self, manifest: Manifest, tests: _Tests) -> Iterator[ParsedItem]:
        for resource in manifest.resources:
            if not resource.is_test:
                continue
            try:
                self._read_test(self._archive.locate(resource.href, beside=self._entry), tests)
            except MissingEntry:
                yield from self._missing(resource)
            except MalformedXml as fault:
                yield from self._collector.failed(
                    "malformed_xml", f"{shown(resource.href)}: {fault.detail}", resource.href
                )

    def _read_test(self, entry: str, tests: _Tests) -> None:
        with open_entry(self._archive, entry) as file:
            title = XmlStream(file, ()).find_root().attributes.get("title", "").strip()
        tests.default = tests.default or title
        with open_entry(self._archive, entry) as file:
            for reference in XmlStream(file, _REFERENCES):
                # The manifest decides what is read; a file that it names and that is not there is told for that.
                with suppress(MissingEntry):
                    tests.titles.setdefault(self._archive.locate(attribute(reference, "href"), beside=entry), title)

    def _missing(self, resource: Resource) -> Iterator[ParsedItem]:
        message = f"The archive does not hold {shown(resource.href)}."
        yield from self._collector.failed("missing_file", message, resource.href)


@dataclass(slots=True)
class _Tests:
    """The titles of the tests that items belong to, by the entry of the item."""

    default: str
    titles: dict[str, str]

    def title_of(self, entry: str) -> str:
        return self.titles.get(entry) or self.default


class _NoQuestions(UnexpectedXml):
    """A document that holds no items by its nature."""

    def __init__(self, tag: str) -> None:
        super().__init__(f"{shown(tag)} is not a document of questions")
        self.tag = tag


def _document(
    opened: Callable[[], IO[bytes]], collector: Collector, resource: Resource, title: str
) -> Iterator[ParsedItem]:
    """The items of one document; `opened` gives the file anew, at its start."""
    domain = resource.domain if resource.domain is not None else title
    own_title = title_of(opened()) or title
    for element in _of_questions(XmlStream(opened(), _ITEMS)):
        if element.tag in qti2.ITEM_TAGS:
            found = qti2.read_item(element, domain, resource.difficulty, resource.tags)
        else:
            found = qti12.read_item(element, own_title)
        yield from collector.collect(found, element.line)


def _of_questions(stream: XmlStream) -> Iterator[Element]:
    """The elements of a document of questions; raises `_NoQuestions` for any other."""
    for element in stream:
        if stream.root is None or stream.root.tag not in _DOCUMENTS:
            break
        yield element
    if stream.root is None or stream.root.tag not in _DOCUMENTS:
        raise _NoQuestions(stream.root.tag if stream.root else "")
