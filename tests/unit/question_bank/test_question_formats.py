"""Which format a file is in: by what was said, by its name, by what stands in it; never by a guess."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.files.question_files import FormatUnknown, QuestionFilesByFormat
from adapters.files.question_writers import QuestionWritersByFormat
from application.question_bank.ports.exporting import ExportFormat, Losses
from application.question_bank.ports.importing import FileOptions
from domain.question_bank.import_refusals import ImportRefused, InvalidImportOption
from domain.question_bank.imported import FormattedText, ImportedQuestion, TextFormat
from tests.unit.question_bank.test_text_format_rules import a_question

NOTHING = FileOptions()
GIFT = b"// a comment\nWhy?{=a ~b}\n"
AIKEN = "Où?\nA. x\nB. y\nANSWER: B\r\n".encode()
MOODLE = b"<?xml version='1.0'?><!-- x --><quiz></quiz>"
QTI = b"<assessmentItem xmlns='http://www.imsglobal.org/xsd/imsqti_v2p1' identifier='a'/>"
PLAIN = b"Just a letter to a friend.\n"


def format_of(name: str, content: bytes, options: FileOptions = NOTHING) -> str:
    return QuestionFilesByFormat().from_file(name, io.BytesIO(content), options).format


@pytest.mark.parametrize(
    ("name", "content", "format_"),
    [
        ("bank.csv", b"", "csv"),
        ("bank.TSV", b"", "csv"),
        ("bank.jsonl", b"", "jsonl"),
        ("bank.ndjson", b"", "jsonl"),
        ("bank.gift", AIKEN, "gift"),
        ("bank.zip", b"", "qti"),
        ("course.imscc", b"", "qti"),
        ("bank.xml", MOODLE, "moodle_xml"),
        ("bank.xml", QTI, "qti"),
        ("bank.xml", b"<questestinterop/>", "qti"),
        ("bank.txt", GIFT, "gift"),
        ("bank.txt", b"\xef\xbb\xbf$CATEGORY: a\n", "gift"),
        ("bank.txt", AIKEN, "aiken"),
        ("bank.txt", AIKEN.decode().encode("utf-16"), "aiken"),
        ("bank", b"PK\x03\x04 and the rest", "qti"),
        ("bank", b"\xef\xbb\xbf" + MOODLE, "moodle_xml"),
        ("bank", QTI, "qti"),
        ("bank", GIFT, "gift"),
        ("bank", AIKEN, "aiken"),
        ("bank", b'{"question-id": "q::1"}\n', "jsonl"),
        ("bank", b"\xef\xbb\xbfquestion-id;Question Text\nq1;What is {x: 1}?\n", "csv"),
    ],
)
def test_the_name_tells_the_format_and_where_it_cannot_the_content_does(
    name: str, content: bytes, format_: str
) -> None:
    assert format_of(name, content) == format_


def test_what_was_said_comes_first() -> None:
    assert format_of("bank.csv", AIKEN, FileOptions(format="aiken")) == "aiken"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bank", PLAIN),
        ("bank", b""),
        ("bank", b"<html/>"),
        ("bank.docx", GIFT),
        ("bank.txt", PLAIN),
        ("bank.xml", b"<html/>"),
        ("bank.txt", b""),
    ],
)
def test_a_file_that_does_not_show_what_it_is_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(FormatUnknown):
        format_of(name, content)
    with pytest.raises(FormatUnknown):
        format_of(name, content, FileOptions(format="docx"))


def test_xml_that_is_dangerous_is_refused_before_anything_is_known_about_it() -> None:
    with pytest.raises(ImportRefused):
        format_of("bank.xml", b"<!DOCTYPE quiz [<!ENTITY a 'b'>]><quiz>&a;</quiz>")


@pytest.mark.parametrize(
    "options",
    [
        FileOptions(format="jsonl", encoding="utf-8"),
        FileOptions(format="gift", delimiter=";"),
        FileOptions(format="aiken", answer_base=0),
        FileOptions(format="gift", encoding="no-such-encoding"),
    ],
)
def test_options_that_mean_nothing_to_a_format_are_refused(options: FileOptions) -> None:
    with pytest.raises(InvalidImportOption):
        format_of("bank", b"", options)


def test_text_can_be_read_in_a_stated_encoding() -> None:
    content = "Où?{=a ~b}\n".encode("cp1252")
    file = QuestionFilesByFormat().from_file("f.gift", io.BytesIO(content), FileOptions(encoding="cp1252"))
    (question,) = [item for item in file.read("bank") if isinstance(item, ImportedQuestion)]
    assert question.stem.text == "Où?"


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "gift", "aiken", "moodle_xml", "qti"])
def test_a_file_can_be_sent_to_another_process(tmp_path: Path, file_format: str) -> None:
    writers = {"qti": ExportFormat.QTI3}
    writer = QuestionWritersByFormat().writer(writers.get(file_format) or ExportFormat(file_format), excel_safe=False)
    path = tmp_path / f"bank{writer.ending}"
    path.write_bytes(b"".join(writer.write([a_question()], Losses())))
    file = QuestionFilesByFormat().from_path(path, FileOptions(format=file_format))
    sent = pickle.loads(pickle.dumps(file))
    assert (sent.name, sent.format) == (path.name, file_format)
    assert list(sent.read("bank")) == list(file.read("bank"))
    assert [item.answer for item in sent.read("bank") if isinstance(item, ImportedQuestion)] == ["B"]


def test_every_format_is_written_and_every_writer_tells_its_losses() -> None:
    stem = FormattedText(text="*Why*?", format=TextFormat.MARKDOWN)
    marked = replace(a_question(), stem=stem, difficulty="hard", shuffle=False)
    for file_format in ExportFormat:
        writer = QuestionWritersByFormat().writer(file_format, excel_safe=False)
        assert writer.format == file_format
        losses = Losses()
        assert b"".join(writer.write([marked], losses))
        assert bool(losses.counts) == (file_format is not ExportFormat.JSONL)
