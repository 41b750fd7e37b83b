"""QTI from strangers: bounded memory and time, no way out of the archive, nothing fetched, nothing left unsaid."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from io import BufferedIOBase, BytesIO
from typing import IO, cast

import pytest

from adapters.files.qti_questions import package, parse_qti
from adapters.files.safe_archive import ArchiveLimits
from domain.question_bank.import_refusals import ImportRefused
from domain.question_bank.imported import ImportedQuestion, ParsedItem
from tests.unit.question_bank.qti_support import (
    document12,
    item3,
    item12,
    manifest,
    packed,
    report_of,
    resource,
    scored12,
)

ITEM = item12(scored12("A", "1"), ident="q{}")
XXE = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


class Endless(BufferedIOBase):
    """A file that is made while it is read; it can be read again from its start."""

    def __init__(self, head: bytes, piece: bytes, times: int, tail: bytes) -> None:
        super().__init__()
        self._parts = (head, piece, times, tail)
        self.given = 0
        self.seek(0)

    def seek(self, _: int, whence: int = 0, /) -> int:
        self._chunks = self._made()
        return whence

    def read(self, size: int | None = -1, /) -> bytes:
        found = next(self._chunks, b"")
        if size is not None and 0 <= size < len(found):
            self._chunks = self._chained(found[size:], self._chunks)
            found = found[:size]
        self.given += len(found)
        return found

    def _made(self) -> Iterator[bytes]:
        head, piece, times, tail = self._parts
        yield head
        for _ in range(times):
            yield piece
        yield tail

    @staticmethod
    def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
        yield first
        yield from rest


def items_of(file: BufferedIOBase) -> Iterator[ParsedItem]:
    return parse_qti(cast("IO[bytes]", file), file_name="file.xml", bank="security")


def refusal_of(data: bytes | str, name: str = "file.xml") -> str:
    with pytest.raises(ImportRefused) as caught:
        report_of(data, name)
    return ":".join(filter(None, (caught.value.problem_code, caught.value.field)))


@pytest.mark.parametrize(
    "href",
    [
        "/etc/passwd",
        "../evil.xml",
        "a/../../evil.xml",
        "%2e%2e/evil.xml",
        "%2Fetc%2Fpasswd",
        "..%5cevil.xml",
        "C:/evil.xml",
        "C%3A%5Cevil.xml",
        "\\\\host\\evil.xml",
        "https://evil.test/a.xml",
        "file:///etc/passwd",
        "a%00.xml",
    ],
)
@pytest.mark.parametrize("kind", ["imsqti_item_xmlv3p0", "imsqti_test_xmlv3p0", "imsqti_xmlv1p2"])
def test_a_reference_that_leads_out_condemns_the_package(href: str, kind: str) -> None:
    files = {"imsmanifest.xml": manifest(resource("a.xml"), resource(href, kind)), "a.xml": item3()}
    assert refusal_of(packed(files), "p.zip") == "unsafe_path"


def test_a_reference_of_a_test_that_leads_out_condemns_the_package() -> None:
    test = '<qti-assessment-test title="t"><qti-assessment-item-ref href="../../a.xml"/></qti-assessment-test>'
    files = {"imsmanifest.xml": manifest(resource("t.xml", "imsqti_test_xmlv3p0")), "t.xml": test}
    assert refusal_of(packed(files), "p.zip") == "unsafe_path"


def test_links_to_the_web_that_are_no_questions_are_not_followed() -> None:
    link = resource("https://elsewhere.test/", "webcontent")
    files = {"imsmanifest.xml": manifest(link, resource("a.xml")), "a.xml": item3()}
    assert report_of(packed(files), "p.zip").only.external_id == "q1"


def test_files_that_the_manifest_does_not_name_are_not_read() -> None:
    files = {"imsmanifest.xml": manifest(resource("a.xml")), "a.xml": item3(), "b.xml": XXE + "<x>&x;</x>"}
    assert len(report_of(packed(files), "p.zip").questions) == 1


@pytest.mark.parametrize("kind", ["imsqti_item_xmlv3p0", "imsqti_test_xmlv3p0"])
def test_entities_in_any_file_of_a_package_refuse_the_whole(kind: str) -> None:
    inside = item3("<p>&x;</p>") if "item" in kind else "<qti-assessment-test>&x;</qti-assessment-test>"
    files = {"imsmanifest.xml": manifest(resource("a.xml", kind)), "a.xml": XXE + inside}
    assert refusal_of(packed(files), "p.zip") == "forbidden_xml:entities"
    assert refusal_of(XXE + item3("<p>&x;</p>")) == "forbidden_xml:entities"
    assert refusal_of(XXE + document12(item12(stem="<mattext>&x;</mattext>"))) == "forbidden_xml:entities"


def test_a_doctype_alone_is_harmless() -> None:
    doctype = '<!DOCTYPE questestinterop SYSTEM "http://nowhere.test/ims_qtiasiv1p2.dtd">'
    assert report_of(doctype + document12(item12(scored12("A", "1")))).only.answer == "A"


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        ("", "file.xml", "empty_file"),
        ("<quiz/>", "file.xml", "unexpected_xml"),
        ("<qti-assessment-test/>", "file.xml", "unexpected_xml"),
        (document12(item12(scored12("A", "1")))[:-20], "file.xml", "malformed_xml"),
        ("PK", "file.xml", "bad_zip"),
        (document12(), "file.zip", "bad_zip"),
        (packed({"a.xml": item3()}), "file.xml", "missing_manifest"),
        (packed({"imsmanifest.xml": "<quiz/>"}), "file.xml", "unexpected_xml"),
        (packed({"imsmanifest.xml": "<manifest>"}), "file.zip", "malformed_xml"),
    ],
)
def test_what_is_no_file_of_questions_is_refused(data: bytes | str, name: str, code: str) -> None:
    assert refusal_of(data, name) == code


def test_one_endless_item_is_refused_before_it_is_held() -> None:
    """60 MB of text in one item: no more than a third of it is ever read."""
    head, tail = document12(item12(stem="<mattext>|</mattext>")).encode().split(b"|")
    file = Endless(head, b"x" * 65536, 960, tail)
    with pytest.raises(ImportRefused) as caught:
        list(items_of(file))
    assert (caught.value.problem_code, caught.value.field) == ("forbidden_xml", "text")
    assert file.given < 20 * 1024 * 1024


def test_an_endless_item_in_a_package_is_refused() -> None:
    data = item3(f"<p>{'x' * 60_000_000}</p>")
    files = {"imsmanifest.xml": manifest(resource("a.xml")), "a.xml": data}
    assert refusal_of(packed(files), "p.zip") == "zip_too_large"


def test_deep_markup_is_refused() -> None:
    assert refusal_of(item3("<p>" * 300 + "</p>" * 300)) == "forbidden_xml:depth"


def test_many_items_take_no_more_memory_than_their_ids() -> None:
    """What stays of an item is its id and the hash of its content."""

    def peak(count: int) -> int:
        head, tail = document12("|").encode().split(b"|")
        body = b"".join(ITEM.format(number).encode() for number in range(count))
        file = BytesIO(head + body + tail)
        tracemalloc.start()
        found = sum(isinstance(item, ImportedQuestion) for item in items_of(file))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == count
        return most

    peak(10)
    assert peak(800) - peak(300) < 500 * 500


def test_questions_come_as_they_are_read() -> None:
    file = Endless(document12("|").encode().split(b"|")[0], ITEM.encode() * 200, 1_000, b"</nonsense>")
    assert isinstance(next(item for item in items_of(file) if isinstance(item, ImportedQuestion)), ImportedQuestion)
    assert file.given < 2 * 1024 * 1024


def test_more_options_than_letters_are_an_error() -> None:
    labels = "".join(
        f'<response_label ident="o{number}"><material><mattext>{number}</mattext></material></response_label>'
        for number in range(2_000)
    )
    assert report_of(document12(item12(scored12("o1", "1"), labels=labels))).errors == {1: "too_many_options"}
    choices = "".join(f'<qti-simple-choice identifier="o{number}">{number}</qti-simple-choice>' for number in range(99))
    assert report_of(item3(choices=choices, correct=["o1"])).errors == {1: "too_many_options"}


def test_a_manifest_names_no_more_files_than_an_archive_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "LIMITS", ArchiveLimits(entries=3))
    files = {"imsmanifest.xml": manifest(*(resource(f"{number}.xml") for number in range(4)))}
    assert refusal_of(packed(files), "p.zip") == "zip_too_large"


def test_markup_beyond_all_measure_is_an_error_of_its_record() -> None:
    stem = f'<mattext texttype="text/html">{"&lt;b>x" * 20_000}</mattext>'
    report = report_of(document12(item12(scored12("A", "1"), stem=stem)))
    assert set(report.errors.values()) == {"field_too_long"}


def test_scripts_never_survive() -> None:
    body = '<p onclick="x()">a<script>alert(1)</script><a href="javascript:x">b</a></p>'
    report = report_of(item3(body))
    assert "script" not in report.only.stem.text
    assert "onclick" not in report.only.stem.text
