"""XML from strangers: read as a stream, in bounded memory and time, without entities and without reaching out.

A DOCTYPE is allowed, for real files carry one, and it is never fetched; what it says of attributes changes nothing.
What is refused is told by the `field` of `ForbiddenXml`: `entities`, `declarations`, `prolog`, `token`, `depth`,
`names`, `namespace`, `attributes`, `elements` or `text`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any, Final
from xml.etree.ElementTree import Element as _Element
from xml.etree.ElementTree import ParseError, TreeBuilder
from xml.parsers.expat import ErrorString

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

from domain.question_bank.import_refusals import EmptyFile, ForbiddenXml, MalformedXml, UnexpectedXml
from domain.question_bank.imported import shown

_CHUNK: Final = 64 * 1024
MAX_PROLOG: Final = 1024 * 1024
"""Bytes before the first element."""
MAX_TOKEN: Final = 1024 * 1024
"""Bytes of one tag, comment or instruction: the parser looks at an unfinished one again with every block it gets."""
MAX_DEPTH: Final = 200
MAX_NAMES: Final = 10_000
"""Different names of elements and attributes in one file: each stays in memory until its end."""
MAX_NAMESPACE: Final = 256
"""Characters: the parser spells it out before the name of every element that is in it."""
MAX_DECLARED: Final = 100
"""Attributes that a DOCTYPE declares: the parser goes through those of an element wherever it stands."""
MAX_ATTRIBUTES: Final = 256 * 1024
"""Characters in the attributes of one element."""
MAX_ELEMENTS: Final = 200_000
MAX_TEXT: Final = 16 * 1024 * 1024
"""Elements and characters of one element that is kept, with all that is in it."""


class Element(_Element):
    """An element of the standard library with the line on which it starts; 0 below the elements that were asked for.

    Tags and attributes carry their local names: namespaces are stripped, see `Root.namespace`.
    """

    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The start tag of the document: which format it is, and in which version."""

    tag: str
    namespace: str
    attributes: dict[str, str]


class XmlStream:
    """Iterates once over the elements of a file that are called one of `wanted`, each whole and as soon as it ends.

    An element inside another wanted one is part of that one; everything around them is read over and forgotten. Text
    in elements called one of `without` is not kept. Without `wanted` the root itself is the only element. Raises
    `ForbiddenXml` or `MalformedXml` where the file turns out to be so, which may be after some elements.
    """

    def __init__(
        self, file: IO[bytes], wanted: Collection[str] | None = None, *, without: Collection[str] = ()
    ) -> None:
        self._file = file
        self._builder = _Builder(wanted, without)
        self._parser: Any = DefusedXMLParser(target=self._builder)
        self._builder.expat = self._parser.parser
        # A default would be repeated in every element that lacks the attribute: amplification without any entity.
        self._parser.parser.specified_attributes = True
        self._parser.parser.AttlistDeclHandler = self._declared
        self._parser.parser.StartNamespaceDeclHandler = _refuse_long_namespace
        self._declarations = 0
        self._fed = 0

    @property
    def root(self) -> Root | None:
        """Known from the first element on, and at the latest when the iteration has ended."""
        return self._builder.root

    def __iter__(self) -> Iterator[Element]:
        while chunk := self._file.read(_CHUNK):
            self._feed(chunk)
            yield from self._builder.take()
        if not self._fed:
            raise EmptyFile
        _translated(self._parser.close)
        yield from self._builder.take()

    def find_root(self) -> Root:
        """Reads no further than the first tag; the file is left wherever that was."""
        while self.root is None and (chunk := self._file.read(_CHUNK)):
            try:
                self._feed(chunk)
            except MalformedXml:
                if self.root is None:
                    raise
        if self.root is None:
            raise MalformedXml("There is no element in the file")
        return self.root

    def _declared(self, _: str, attribute: str, __: str, default: str | None, ___: int) -> None:
        self._declarations += 1
        # A namespace is bound, and the prefix of a name spelled out, in every element, whatever is asked of the parser.
        has_namespace = default is not None and (attribute == "xmlns" or ":" in attribute)
        if has_namespace or self._declarations > MAX_DECLARED:
            message = f"The document declares namespaces by default or more than {MAX_DECLARED} attributes"
            raise ForbiddenXml(message, field="declarations")

    def _feed(self, chunk: bytes) -> None:
        _translated(self._parser.feed, chunk)
        self._fed += len(chunk)
        if self.root is None and self._fed > MAX_PROLOG:
            raise ForbiddenXml(f"No element within {MAX_PROLOG} bytes", field="prolog")
        if self._fed - max(0, self._parser.parser.CurrentByteIndex) > MAX_TOKEN:
            raise ForbiddenXml(f"A tag or comment is longer than {MAX_TOKEN} bytes", field="token")


def read_elements(
    file: IO[bytes], wanted: Collection[str], *, root: Collection[str], without: Collection[str] = ()
) -> Iterator[Element]:
    """The wanted elements of a document whose root must be called one of `root`; otherwise `UnexpectedXml`."""
    stream = XmlStream(file, wanted, without=without)
    for element in stream:
        _expect(stream, root)
        yield element
    _expect(stream, root)


def read_tree(data: bytes | IO[bytes]) -> tuple[Root, Element]:
    """A small document as a whole: a manifest, one item."""
    stream = XmlStream(BytesIO(data) if isinstance(data, bytes) else data)
    (element,) = stream
    assert stream.root is not None, "a document that was read to its end has a root"
    return stream.root, element


def sniff_root(file: IO[bytes]) -> Root:
    """Which document a seekable file holds; it is at its start before and after."""
    file.seek(0)
    try:
        return XmlStream(file, ()).find_root()
    finally:
        file.seek(0)


def text_of(element: _Element | None) -> str:
    """All text in an element, with what is in its children; "" for one that is not there."""
    return "" if element is None else "".join(element.itertext())


def _expect(stream: XmlStream, names: Collection[str]) -> None:
    if stream.root is None or stream.root.tag not in names:
        found = shown(stream.root.tag) if stream.root else "nothing"
        raise UnexpectedXml(f"The document is {found} and not {' or '.join(sorted(names))}")


class _Builder:
    """Takes the events of the parser and builds the elements that somebody asked for."""

    def __init__(self, wanted: Collection[str] | None, without: Collection[str]) -> None:
        self.expat: Any = None
        self.root: Root | None = None
        self._wanted = wanted
        self._without = without
        self._names: dict[str, str] = {}
        self._depth = 0
        self._tree: TreeBuilder | None = None
        self._tree_depth = 0
        self._silent_depth = 0
        self._elements = 0
        self._characters = 0
        self._line = 0
        self._done: list[Element] = []

    def take(self) -> list[Element]:
        """The elements that have ended since the last call."""
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ForbiddenXml(f"Elements are nested more than {MAX_DEPTH} deep", field="depth")
        tag = self._local(name)
        if attributes:
            attributes = self._plain(attributes)
        if self.root is None:
            namespace = name[1:].rpartition("}")[0]
            self.root = Root(tag=tag, namespace=namespace, attributes=attributes)
        if self._tree is None:
            if self._wanted is not None and tag not in self._wanted:
                return
            self._begin()
        self._extend(tag, attributes)

    def data(self, text: str) -> None:
        if self._tree is None or self._silent_depth:
            return
        self._characters += len(text)
        if self._characters > MAX_TEXT:
            raise ForbiddenXml(f"One element holds more than {MAX_TEXT} characters", field="text")
        self._tree.data(text)

    def end(self, name: str) -> None:
        depth = self._depth
        self._depth -= 1
        if self._tree is None:
            return
        self._tree.end(self._names[name])
        if depth == self._silent_depth:
            self._silent_depth = 0
        if depth == self._tree_depth:
            element = self._tree.close()
            assert isinstance(element, Element)
            element.line = self._line
            self._done.append(element)
            self._tree = None

    def close(self) -> None:
        """The parser calls it at the end of a whole document."""

    def _begin(self) -> None:
        self._tree = TreeBuilder(element_factory=Element)
        self._tree_depth = self._depth
        self._elements = self._characters = 0
        self._line = self.expat.CurrentLineNumber

    def _extend(self, tag: str, attributes: dict[str, str]) -> None:
        assert self._tree is not None
        self._elements += 1
        self._characters += sum(map(len, attributes.values()))
        if self._elements > MAX_ELEMENTS:
            raise ForbiddenXml(f"One element holds more than {MAX_ELEMENTS} others", field="elements")
        self._tree.start(tag, attributes)
        if tag in self._without and not self._silent_depth:
            self._silent_depth = self._depth

    def _plain(self, attributes: dict[str, str]) -> dict[str, str]:
        """The attributes under their local names; one without a namespace wins over its namesake."""
        if sum(map(len, attributes.values())) > MAX_ATTRIBUTES:
            raise ForbiddenXml(f"The attributes of one element exceed {MAX_ATTRIBUTES} characters", field="attributes")
        named = {self._local(name): value for name, value in attributes.items() if name.startswith("{")}
        return named | {self._local(name): value for name, value in attributes.items() if not name.startswith("{")}

    def _local(self, name: str) -> str:
        known = self._names.get(name)
        if known is None:
            if len(self._names) >= MAX_NAMES:
                raise ForbiddenXml(f"More than {MAX_NAMES} different names", field="names")
            known = self._names[name] = name.rpartition("}")[2]
        return known


def _refuse_long_namespace(_: str | None, namespace: str | None) -> None:
    if namespace and len(namespace) > MAX_NAMESPACE:
        raise ForbiddenXml(f"The name of a namespace is longer than {MAX_NAMESPACE} characters", field="namespace")


def _translated(step: Any, *arguments: bytes) -> None:
    """Does a step of the parser; what it raises becomes a refusal."""
    try:
        step(*arguments)
    except DefusedXmlException:
        raise ForbiddenXml("The document declares entities", field="entities") from None
    except ParseError as fault:
        line, column = fault.position
        raise MalformedXml(f"Line {line}, column {column + 1}: {ErrorString(fault.code)}") from None
    except (ValueError, LookupError):
        # An encoding that does not exist or has several bytes a character.
        raise MalformedXml("The encoding that the file declares cannot be read") from None
