"""XML from strangers: attacks are refused early, nothing outside is touched, honest documents are read whole."""

from __future__ import annotations

import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, RawIOBase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files import safe_xml
from adapters.files.safe_xml import Element, XmlStream, read_elements, read_tree, sniff_root, text_of
from domain.question_bank.import_refusals import EmptyFile, ForbiddenXml, ImportRefused, MalformedXml, UnexpectedXml


class Endless(RawIOBase):
    """A file that repeats a piece for ever, and counts what was taken of it."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        super().__init__()
        self._ahead, self._piece, self.taken = head, piece, 0

    def read(self, size: int = -1, /) -> bytes:
        self._ahead += self._piece * (size // len(self._piece) + 1)
        found, self._ahead = self._ahead[:size], self._ahead[size:]
        self.taken += len(found)
        return found


def refusal(data: bytes) -> str:
    with pytest.raises(ImportRefused) as caught:
        list(XmlStream(BytesIO(data), {"q"}))
    return ":".join(filter(None, (caught.value.problem_code, caught.value.field)))


@contextmanager
def listening() -> Iterator[tuple[int, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server.getsockname()[1], server


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "document",
    [
        f'<!DOCTYPE q [<!ENTITY l0 "ha">{LAUGHS}]><q>&l9;</q>',
        f'<!DOCTYPE q [<!ENTITY a "{"x" * 50_000}">]><q>{"&a;" * 50_000}</q>',
        '<!DOCTYPE q [<!ENTITY x SYSTEM "file:///etc/passwd">]><q>&x;</q>',
        '<!DOCTYPE q [<!ENTITY x PUBLIC "-//x" "http://127.0.0.1:9/">]><q a="&x;"/>',
        "<!DOCTYPE q [<!ENTITY % p \"<!ENTITY x 'y'>\">%p;]><q>&x;</q>",
        '<!DOCTYPE q [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd">%p;]><q/>',
        '<!DOCTYPE q [<!NOTATION n SYSTEM "n"><!ENTITY x SYSTEM "x.gif" NDATA n>]><q/>',
    ],
    ids=["billion laughs", "quadratic", "file", "http", "parameter", "external parameter", "unparsed"],
)
def test_a_document_that_declares_entities_is_refused(document: str) -> None:
    assert refusal(document.encode()) == "forbidden_xml:entities"


def test_nothing_outside_the_document_is_read_or_called(tmp_path: Path) -> None:
    """A canary file and a listening socket are named in every way that a document can name them."""
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY", "utf-8")
    with listening() as (port, server):
        for target in (f"http://127.0.0.1:{port}/x", canary.as_uri()):
            for document in (
                f'<!DOCTYPE q SYSTEM "{target}"><q>text</q>',
                f'<!DOCTYPE q PUBLIC "-//x" "{target}"><q>&undeclared;</q>',
                f'<!DOCTYPE q [<!ENTITY x SYSTEM "{target}">]><q>&x;</q>',
                f'<!DOCTYPE q [<!ENTITY % x SYSTEM "{target}">%x;]><q/>',
                f'<q xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{target}" parse="text"/></q>',
                f'<?xml-stylesheet href="{target}"?><q/>',
            ):
                try:
                    read = "".join(map(text_of, XmlStream(BytesIO(document.encode()), {"q"})))
                except ImportRefused as refused:
                    read = refused.detail
                assert "CANARY" not in read
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_doctype_is_allowed_and_never_fetched() -> None:
    """Real files of learning platforms carry one, some with an empty list of declarations."""
    (element,) = XmlStream(BytesIO(b'<!DOCTYPE q SYSTEM "ims.dtd" [\n]><q>text</q>'), {"q"})
    assert element.text == "text"


def test_what_a_doctype_says_of_attributes_changes_nothing() -> None:
    """Old QTI files declare defaults for elements of their own."""
    declared = "<!ATTLIST q a CDATA 'default' b (yes|no) 'no' c CDATA #REQUIRED d CDATA #FIXED 'fixed'>"
    elements = list(XmlStream(BytesIO(f"<!DOCTYPE r [{declared}]><r><q/><q b='yes' c='1'/></r>".encode()), {"q"}))
    assert [dict(element.attrib) for element in elements] == [{}, {"b": "yes", "c": "1"}]


def test_a_default_of_an_attribute_is_not_repeated_in_every_element() -> None:
    default, count = "x" * 50_000, 10_000
    data = (
        f'<!DOCTYPE r [<!ATTLIST q a CDATA "{default}"><!ATTLIST e a CDATA "{default}">]><r>{"<q><e/></q>" * count}</r>'
    )
    stream = XmlStream(BytesIO(data.encode()))
    tracemalloc.start()
    try:
        (root,) = stream
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(len(element.attrib) for element in root.iter()) == 0
    assert len(list(root.iter("e"))) == count
    assert peak < 20 * 1024 * 1024


def declaring(attributes: str) -> bytes:
    return f"<!DOCTYPE r [<!ATTLIST q {attributes}>]><r><q/></r>".encode()


def test_a_doctype_declares_no_more_attributes_than_are_gone_through_in_no_time() -> None:
    most = safe_xml.MAX_DECLARED
    assert len(list(XmlStream(BytesIO(declaring(" ".join(f"a{n} CDATA ''" for n in range(most)))), {"q"}))) == 1
    assert refusal(declaring(" ".join(f"a{n} CDATA ''" for n in range(most + 1)))) == "forbidden_xml:declarations"
    apart = "".join(f"<!ATTLIST q{n} a CDATA #IMPLIED>" for n in range(most + 1))
    assert refusal(f"<!DOCTYPE r [{apart}]><r><q/></r>".encode()) == "forbidden_xml:declarations"


@pytest.mark.parametrize(
    "attribute",
    ["xmlns CDATA 'urn:x'", "xmlns:p CDATA 'urn:x'", "xmlns CDATA #FIXED 'urn:x'", "xml:lang CDATA 'en'"],
)
def test_a_namespace_by_default_is_refused_for_it_would_be_looked_up_in_every_element(attribute: str) -> None:
    assert refusal(declaring(attribute)) == "forbidden_xml:declarations"


def test_a_namespace_is_declared_without_a_default() -> None:
    assert (
        len(list(XmlStream(BytesIO(declaring("xmlns CDATA #IMPLIED p:a CDATA #REQUIRED xmlnsx CDATA 'y'")), {"q"})))
        == 1
    )


@pytest.mark.parametrize("prefix", ["", ":p"])
def test_a_namespace_without_end_is_refused_for_every_name_would_begin_with_it(prefix: str) -> None:
    def document(length: int) -> bytes:
        return f'<r xmlns{prefix}="{"u" * length}"><q/></r>'.encode()

    assert len(list(XmlStream(BytesIO(document(safe_xml.MAX_NAMESPACE)), {"q"}))) == 1
    assert refusal(document(safe_xml.MAX_NAMESPACE + 1)) == "forbidden_xml:namespace"


@pytest.mark.parametrize(
    ("head", "piece", "field"),
    [
        (b"", b"<d>", "depth"),
        (b"<q>", b"<d>", "depth"),
        (b"", b"<!-- x -->", "prolog"),
        (b"<?p ", b"x" * 100, "prolog"),
        (b'<q a="', b"x" * 100, "prolog"),
        (b'<r><q a="', b"x" * 100, "token"),
        (b"<q><!--", b"x" * 100, "token"),
        (b"<q><?p ", b"x" * 100, "token"),
        (b"<q>", b"<d/>", "elements"),
        (b"<q>", b"text ", "text"),
    ],
)
def test_an_endless_document_is_refused_after_a_bounded_part_of_it(head: bytes, piece: bytes, field: str) -> None:
    file = Endless(head, piece)
    with pytest.raises(ForbiddenXml) as caught:
        list(XmlStream(file, {"q"}))  # type: ignore[arg-type]
    assert caught.value.field == field
    assert file.taken <= safe_xml.MAX_TEXT + 2 * 1024 * 1024


def test_a_hundred_thousand_levels_are_refused() -> None:
    assert refusal(b"<d>" * 100_000 + b"</d>" * 100_000) == "forbidden_xml:depth"


def test_the_deepest_allowed_document_is_read() -> None:
    depth = safe_xml.MAX_DEPTH
    (element,) = XmlStream(BytesIO(b"<q>" * depth + b"</q>" * depth), {"q"})
    assert len(list(element.iter())) == depth


def test_attributes_beyond_any_use_are_refused() -> None:
    attributes = " ".join(f'a{n}="{"x" * 1000}"' for n in range(300))
    assert refusal(f"<r><q {attributes}/></r>".encode()) == "forbidden_xml:attributes"
    assert refusal(f"<r {attributes}><q/></r>".encode()) == "forbidden_xml:attributes"


def test_names_without_end_are_refused_for_each_stays_in_memory() -> None:
    many = "".join(f"<n{n}/>" for n in range(safe_xml.MAX_NAMES + 1))
    assert refusal(f"<r>{many}</r>".encode()) == "forbidden_xml:names"


@pytest.mark.parametrize(
    "data",
    [
        b"<q>",
        b"<q></r>",
        b"<q/>tail",
        b"text",
        b" \n",
        b"<q>&nbsp;</q>",
        b'<q a="1" a="2"/>',
        b"<q>\x00</q>",
        b"<q>\xff</q>",
        b"<q>&#0;</q>",
        b"<x:q/>",
        b'<?xml version="1.0" encoding="nonsense"?><q/>',
        b'<?xml version="1.0" encoding="shift_jis"?><q/>',
        b'<?xml version="1.0" encoding="zlib"?><q/>',
        "<q/>".encode("utf-32"),
    ],
)
def test_what_is_not_well_formed_is_refused_as_such(data: bytes) -> None:
    assert refusal(data) == "malformed_xml"


def test_an_empty_file_is_refused_as_empty() -> None:
    with pytest.raises(EmptyFile):
        list(XmlStream(BytesIO(b""), {"q"}))


def test_a_malformed_document_tells_where() -> None:
    with pytest.raises(MalformedXml) as caught:
        read_tree(b"<q>\n  <r>\n</q>")
    assert "Line 3, column 3" in caught.value.detail


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252", "us-ascii"])
def test_the_declared_encoding_counts(encoding: str) -> None:
    text = "cafe" if encoding == "us-ascii" else "café"
    declared = encoding.removesuffix("-sig")
    data = f'<?xml version="1.0" encoding="{declared}"?><q a="{text}">{text}</q>'.encode(encoding)
    _, element = read_tree(data)
    assert (element.text, element.get("a")) == (text, text)


def test_utf16_in_either_order_is_told_by_its_mark() -> None:
    for order, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        assert read_tree(mark + "<q>é</q>".encode(order))[1].text == "é"


def test_namespaces_are_stripped_and_the_root_remembers_its_own() -> None:
    data = b'<a:m xmlns:a="urn:one" xmlns:b="urn:two" b:k="far" k="near" b:only="x"><b:q xml:lang="en">t</b:q></a:m>'
    stream = XmlStream(BytesIO(data), {"q"})
    (element,) = stream
    assert (element.tag, dict(element.attrib)) == ("q", {"lang": "en"})
    assert stream.root is not None
    assert (stream.root.tag, stream.root.namespace) == ("m", "urn:one")
    assert stream.root.attributes == {"k": "near", "only": "x"}


def test_wanted_elements_come_whole_with_their_lines_and_nested_ones_inside() -> None:
    data = b"<r>\n<q><q>in</q></q>\n\n<other><q>deep<b>er</b></q></other></r>"
    found = list(XmlStream(BytesIO(data), {"q"}))
    assert [(text_of(element), element.line) for element in found] == [("in", 2), ("deeper", 4)]
    assert all(isinstance(element, Element) for element in found)


def test_text_that_nobody_wants_is_not_kept() -> None:
    data = b'<r><q>a<file name="f">QUJD<x>y</x></file>b</q></r>'
    (element,) = XmlStream(BytesIO(data), {"q"}, without={"file"})
    assert text_of(element) == "ab"
    assert [file.get("name") for file in element.iter("file")] == ["f"]


def test_a_document_of_another_kind_is_refused_whether_it_holds_such_elements_or_not() -> None:
    for data in (b"<r><q/></r>", b"<r/>"):
        with pytest.raises(UnexpectedXml):
            list(read_elements(BytesIO(data), {"q"}, root={"quiz"}))
    assert len(list(read_elements(BytesIO(b"<quiz><q/></quiz>"), {"q"}, root={"quiz"}))) == 1


def test_sniffing_reads_the_first_tag_and_rewinds() -> None:
    file = BytesIO(b"<?xml version='1.0'?><!-- c --><quiz><broken")
    file.seek(5)
    assert sniff_root(file).tag == "quiz"
    assert file.tell() == 0
    assert sniff_root(BytesIO(b"<quiz></other>")).tag == "quiz", "what follows is not looked at"
    for data in (b"", b"PK\x03\x04", b"   "):
        with pytest.raises(ImportRefused):
            sniff_root(BytesIO(data))


def test_memory_holds_one_element_however_many_there_are() -> None:
    class Many(RawIOBase):
        parts = iter([b"<r>", *[b"<q>" + b"x" * 60_000 + b"</q>"] * 400, b"</r>"])

        def read(self, size: int = -1, /) -> bytes:
            return next(self.parts, b"")

    tracemalloc.start()
    try:
        count = len([element.tag for element in XmlStream(Many(), {"q"})])  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 400
    assert peak < 4 * 1024 * 1024


@given(st.binary(max_size=200) | st.text("<>/q'\"&;![]-=? \n", max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        for element in XmlStream(BytesIO(data), {"q"}):
            assert element.tag == "q"
    except ImportRefused:
        pass
