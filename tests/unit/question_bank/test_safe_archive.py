"""ZIP archives from strangers: paths cannot leave, sizes cannot lie, nothing is inflated that nobody asked for."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.safe_archive import ArchiveLimits, MissingEntry, SafeArchive, write_archive
from domain.question_bank.import_refusals import BadZip, ImportRefused, MissingManifest, UnsafePath, ZipTooLarge


def packed(*files: tuple[str | ZipInfo, bytes], method: int = ZIP_DEFLATED) -> bytes:
    whole = BytesIO()
    with ZipFile(whole, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return whole.getvalue()


def opened(*files: tuple[str | ZipInfo, bytes], limits: ArchiveLimits | None = None) -> SafeArchive:
    return SafeArchive(BytesIO(packed(*files)), limits or ArchiveLimits())


def renamed(old: bytes, new: bytes) -> bytes:
    """An archive whose one entry is called something that `zipfile` would not write."""
    assert len(old) == len(new)
    return packed((old.decode(), b"x"), ("m.xml", b"")).replace(old, new)


def inflate(archive: SafeArchive, name: str) -> tuple[int, str]:
    """How much came out before it was refused, and why."""
    size = 0
    try:
        for chunk in archive.chunks(name):
            size += len(chunk)
    except ZipTooLarge as refused:
        return size, refused.detail
    return size, ""


UNSAFE = [
    b"/a.xml",
    b"../a.x",
    b"a/../b",
    b"C:/a.x",
    b"c:a.xm",
    b"a\\b.xm",
    b"..\\a.x",
    b"a\x00.xml",
    b"a\n.xml",
    b"a/b/..",
]


@pytest.mark.parametrize("name", UNSAFE)
def test_one_dangerous_name_condemns_the_archive(name: bytes) -> None:
    with pytest.raises(UnsafePath):
        SafeArchive(BytesIO(renamed(b"y" * len(name), name)))


@pytest.mark.parametrize(
    "name", ["a..b.xml", "..a", "a../b", "...", "é.xml", "ünï/ço de.xml", "ab:c/d", "\uff0e\uff0e\uff0fa"]
)
def test_names_that_only_look_dangerous_are_names(name: str) -> None:
    assert name in opened((name, b"x"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_special_files_are_refused(kind: int) -> None:
    link = ZipInfo("link.xml")
    link.external_attr = (kind | 0o777) << 16
    with pytest.raises(UnsafePath):
        opened((link, b"/etc/passwd"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("one", "two"), [("a.xml", "a.xml"), ("\u00e9.xml", "e\u0301.xml")])
def test_a_name_that_stands_twice_is_refused(one: str, two: str) -> None:
    with pytest.raises(UnsafePath):
        opened((one, b"1"), (two, b"2"))


def test_encrypted_entries_and_unbounded_methods_are_not_read() -> None:
    data = bytearray(packed(("a.xml", b"x")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive = SafeArchive(BytesIO(bytes(data)))
    with pytest.raises(BadZip, match="encrypted"):
        archive.read("a.xml")
    archive = SafeArchive(BytesIO(packed(("a.xml", b"x" * 1000), method=ZIP_BZIP2)))
    with pytest.raises(BadZip, match="method"):
        archive.read("a.xml")


def test_a_bomb_that_nobody_asks_for_is_not_inflated() -> None:
    archive = opened(("a.xml", b"<a/>"), ("bomb", bytes(60_000_000)))
    assert archive.read("a.xml") == b"<a/>"


def test_a_bomb_is_stopped_by_each_of_the_limits() -> None:
    bomb = packed(("bomb", bytes(3_000_000)))
    for limits, reason in (
        (ArchiveLimits(ratio=100), "times its size"),
        (ArchiveLimits(file_bytes=2_000_000, ratio=10_000), "'bomb' inflates to more than 2000000"),
        (ArchiveLimits(total_bytes=1_000_000, ratio=10_000), "The files inflate to more than 1000000"),
    ):
        inflated, refused = inflate(SafeArchive(BytesIO(bomb), limits), "bomb")
        assert reason in refused
        assert 0 < inflated < 3_000_000
    assert len(SafeArchive(BytesIO(bomb), ArchiveLimits(ratio=10_000)).read("bomb")) == 3_000_000


def test_the_total_counts_all_files_and_repeated_reads() -> None:
    archive = opened(("a", b"x" * 600), ("b", b"y" * 600), limits=ArchiveLimits(total_bytes=1500))
    archive.read("a")
    archive.read("b")
    with pytest.raises(ZipTooLarge):
        archive.read("a")


def test_a_bomb_within_an_archive_within_an_archive_stays_a_file() -> None:
    inner = packed(("bomb", bytes(10_000_000)))
    outer = opened(("inner.zip", packed(("middle.zip", inner))))
    assert outer.names == ("inner.zip",)
    assert len(outer.read("inner.zip")) < 100_000


@pytest.mark.parametrize("stated", [0, 10, 2**31])
def test_sizes_that_lie_are_not_believed(stated: int) -> None:
    """The list of entries states another size than the entry has."""
    data = bytearray(packed(("a.xml", b"x" * 100_000)))
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, stated)
    archive = SafeArchive(BytesIO(bytes(data)))
    try:
        assert archive.read("a.xml") == b"x" * 100_000
    except BadZip:
        assert stated < 100_000, "cut short, and so the checksum is wrong"


def test_a_list_of_entries_without_end_is_not_read() -> None:
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[20] * 2, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
    entries = (entry + b"x") * 100_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(entries), 0, 0)
    with pytest.raises(ZipTooLarge, match="list of entries"):
        SafeArchive(BytesIO(entries + end))


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(ZipTooLarge, match="3 entries"):
        opened(("a", b""), ("b", b""), ("c", b""), limits=ArchiveLimits(entries=2))


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04", b"PK\x05\x06" + bytes(18) + b"x"])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(ImportRefused):
        SafeArchive(BytesIO(data)).manifest()


def test_damage_is_found_when_the_entry_is_read() -> None:
    data = packed(("a.xml", b"hello world" * 10), method=ZIP_STORED).replace(b"hello", b"jello", 1)
    with pytest.raises(BadZip):
        SafeArchive(BytesIO(data)).read("a.xml")


@given(place=st.integers(0, 400), value=st.integers(0, 255), cut=st.integers(0, 400))
def test_any_damage_is_survived(place: int, value: int, cut: int) -> None:
    data = bytearray(packed(("imsmanifest.xml", b"<m/>" * 20), ("q/a.xml", b"<q/>" * 20)))
    if place < len(data):
        data[place] = value
    for damaged in (bytes(data), bytes(data)[:cut], bytes(data)[cut:]):
        try:
            archive = SafeArchive(BytesIO(damaged))
            for name in archive.names:
                archive.read(name)
        except ImportRefused:
            pass


@pytest.mark.parametrize(
    ("names", "manifest"),
    [
        (["imsmanifest.xml", "sub/imsmanifest.xml"], "imsmanifest.xml"),
        (["pack/imsmanifest.xml", "__MACOSX/imsmanifest.xml", "pack/x/imsmanifest.xml"], "pack/imsmanifest.xml"),
    ],
)
def test_the_manifest_is_found_at_the_top_or_in_the_folder_that_was_zipped(names: list[str], manifest: str) -> None:
    archive = opened(*[(name, b"") for name in names])
    assert archive.manifest() == manifest


@pytest.mark.parametrize("names", [["a.xml"], ["a/imsmanifest.xml", "b/imsmanifest.xml"], ["ximsmanifest.xml"]])
def test_without_one_clear_manifest_the_archive_is_refused(names: list[str]) -> None:
    with pytest.raises(MissingManifest):
        opened(*[(name, b"") for name in names]).manifest()


@pytest.mark.parametrize(
    ("href", "entry"),
    [
        ("items/a.xml", "p/items/a.xml"),
        ("./items/./a.xml", "p/items/a.xml"),
        ("items/my%20item.xml", "p/items/my item.xml"),
        ("items/my item.xml", "p/items/my item.xml"),
        ("items/100%25.xml", "p/items/100%.xml"),
        ("items/raw%20name.xml", "p/items/raw%20name.xml"),
        ("items/a.xml#part?x=1", "p/items/a.xml"),
        ("items/caf%C3%A9.xml", "p/items/cafe\u0301.xml"),
    ],
)
def test_references_are_decoded_and_seen_from_the_manifest(href: str, entry: str) -> None:
    names = ["imsmanifest.xml", "items/a.xml", "items/my item.xml", "items/100%.xml", "items/raw%20name.xml"]
    archive = opened(*[(f"p/{name}", b"") for name in [*names, "items/cafe\u0301.xml"]])
    assert archive.locate(href, beside="p/imsmanifest.xml") == entry


@pytest.mark.parametrize(
    "href",
    [
        "a%5Cb.xml",
        "a\\b.xml",
        "a%00.xml",
        "file:///etc/passwd",
        "http://127.0.0.1/a.xml",
        "../a.xml",
        "%2e%2e/a.xml",
        "..%2fa.xml",
        "x/%2e%2e/a.xml",
        "/a.xml",
        "%2Fa.xml",
        "C:/a.xml",
        "C%3A/a.xml",
    ],
)
def test_references_that_lead_out_are_refused_before_and_after_decoding(href: str) -> None:
    with pytest.raises(UnsafePath):
        opened(("a.xml", b"")).locate(href)


@pytest.mark.parametrize("href", ["gone.xml", "", ".", "#a", "%252e%252e/a.xml", "%ff.xml", "folder"])
def test_references_to_what_is_not_there_are_told_apart_from_attacks(href: str) -> None:
    archive = opened(("a.xml", b""), ("folder/", b""))
    with pytest.raises(MissingEntry):
        archive.locate(href)
    with pytest.raises(MissingEntry):
        archive.read(href)


def test_reading_leaves_nothing_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    archive = opened(("q/a.xml", b"x"))
    archive.read("q/a.xml")
    assert list(tmp_path.iterdir()) == []


files = st.dictionaries(st.from_regex(r"\A[a-z]{1,8}(/[a-z]{1,8}){0,2}\.xml\Z"), st.binary(max_size=200), max_size=6)


@given(files)
def test_what_is_written_is_read_back_and_the_bytes_are_always_the_same(content: dict[str, bytes]) -> None:
    written = b"".join(write_archive(content.items()))
    assert written == b"".join(write_archive((name, iter([data])) for name, data in content.items()))
    archive = SafeArchive(BytesIO(written))
    assert archive.names == tuple(content)
    assert {name: archive.read(name) for name in archive.names} == content


def test_an_archive_is_on_its_way_before_its_last_file_is_known() -> None:
    """And the same that `zipfile` makes of it in one go: sizes stand in front of each file."""
    known = []

    def files() -> Iterator[tuple[str, bytes]]:
        for number in range(9):
            known.append(number)
            yield f"{number}.bin", sha256(b"%d" % number).digest() + randbytes(40_000 * (number % 3))

    randbytes = Random(1).randbytes
    pieces = write_archive(files())
    first = next(pieces)
    assert len(known) < 5
    whole = first + b"".join(pieces)
    with ZipFile(BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert [entry.flag_bits for entry in archive.infolist()] == [0] * 9
        assert [entry.filename for entry in archive.infolist()] == [f"{number}.bin" for number in range(9)]
        assert archive.infolist()[-1].header_offset > 64 * 1024


def test_a_written_archive_knows_no_clock_no_owner_and_states_its_sizes() -> None:
    with ZipFile(BytesIO(b"".join(write_archive([("a.xml", b"x" * 1000)])))) as archive:
        (entry,) = archive.infolist()
    assert (entry.date_time, entry.create_system) == ((1980, 1, 1, 0, 0, 0), 3)
    assert entry.external_attr >> 16 == stat.S_IFREG | 0o644
    assert entry.flag_bits & 0x8 == 0, "sizes stand before the content and not behind it"
    assert zlib.crc32(b"x" * 1000) == entry.CRC


@pytest.mark.parametrize("names", [["../a"], ["/a"], ["a", "a"]])
def test_an_archive_that_we_would_refuse_is_not_written(names: list[str]) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        b"".join(write_archive((name, b"") for name in names))
