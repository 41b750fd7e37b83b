"""How packages are read: which files, in which order, with which metadata, and what becomes of broken ones."""

from __future__ import annotations

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


def test_a_package_is_read_in_the_order_of_its_manifest_with_its_metadata() -> None:
    lom = (
        "<metadata><lom><general><keyword><string>net</string></keyword></general><educational><difficulty>"
        "<value>difficult</value></difficulty></educational><classification><purpose><value>discipline</value></purpose>"
        "<taxonPath><taxon><entry><string>All</string></entry></taxon><taxon><entry><string>DNS</string></entry></taxon>"
        "</taxonPath></classification></lom></metadata>"
    )
    title = (
        "<metadata><lom><general><title><string>Whole</string><string>Ganz</string></title></general></lom></metadata>"
    )
    files = {
        "imsmanifest.xml": manifest(resource("b.xml", inside=lom), resource("a.xml"), more=title),
        "a.xml": item3(ident="a"),
        "b.xml": item3(ident="b"),
    }
    report = report_of(packed(files), "p.zip")
    found = [
        (question.external_id, question.domain, question.difficulty, question.tags) for question in report.questions
    ]
    assert found == [("b", "DNS", "hard", ("net",)), ("a", "Whole", None, ())]


def test_only_a_classification_by_discipline_is_a_domain_and_only_known_levels_are_difficulties() -> None:
    lom = (
        "<metadata><lom><educational><difficulty><value>very difficult</value></difficulty></educational>"
        "<classification><taxonPath><taxon><entry>No</entry></taxon></taxonPath></classification>"
        "<classification><purpose><value>prerequisite</value></purpose><taxonPath><taxon><entry><string>No</string>"
        "</entry></taxon></taxonPath></classification></lom></metadata>"
    )
    files = {"imsmanifest.xml": manifest(resource("a.xml", inside=lom)), "a.xml": item3()}
    question = report_of(packed(files), "p.zip").only
    assert (question.domain, question.difficulty) == ("", None)


def test_a_document_of_questions_may_hold_none() -> None:
    kinds = ("imsqti_xmlv1p2", "imsqti_item_xmlv2p1")
    files = {
        "imsmanifest.xml": manifest(resource("a.xml", kinds[0]), resource("b.xml", kinds[1])),
        "a.xml": "<questestinterop/>",
        "b.xml": "<rss><item/></rss>",
    }
    report = report_of(packed(files), "p.zip")
    assert report.questions == []
    assert [(problem.code, problem.detail) for problem in report.problems] == [("unsupported", "rss")]


def test_a_file_that_is_named_twice_is_read_once_and_a_test_is_no_question() -> None:
    named = (resource("a b.xml"), resource("a%20b.xml"), resource("t.xml"))
    files = {"imsmanifest.xml": manifest(*named), "a b.xml": item3(), "t.xml": "<assessmentTest/>"}
    report = report_of(packed(files), "p.zip")
    assert report.only.external_id == "q1"
    assert {problem.code for problem in report.problems} == {"missing_domain"}


def test_items_belong_to_the_test_that_refers_to_them() -> None:
    test = (
        '<qti-assessment-test title="{0}"><qti-assessment-item-ref href="{1}"/>'
        '<qti-assessment-item-ref href="gone.xml"/></qti-assessment-test>'
    )
    files = {
        "imsmanifest.xml": manifest(
            resource("one.xml", "imsqti_test_xmlv3p0"),
            resource("sub/two.xml", "imsqti_test_xmlv3p0"),
            *(resource(href) for href in ("a.xml", "sub/b.xml", "c.xml", "one.xml")),
        ),
        "one.xml": test.format("First", "a.xml"),
        "sub/two.xml": test.format("Second", "b.xml"),
        **{href: item3(ident=href[-5]) for href in ("a.xml", "sub/b.xml", "c.xml")},
    }
    report = report_of(packed(files), "p.zip")
    domains = {question.external_id: question.domain for question in report.questions}
    assert domains == {"a": "First", "b": "Second", "c": "First"}


def test_a_broken_file_of_a_package_is_one_record_and_the_others_are_read() -> None:
    files = {
        "imsmanifest.xml": manifest(*(resource(href) for href in ("a.xml", "b.xml", "gone.xml", "other.xml", "d.xml"))),
        "a.xml": "<qti-assessment-item>",
        "b.xml": item3(ident="b"),
        "other.xml": "<qti-assessment-stimulus/>",
        "d.xml": item3(ident="d"),
    }
    report = report_of(packed(files), "p.zip")
    assert [question.external_id for question in report.questions] == ["b", "d"]
    assert report.errors == {1: "malformed_xml", 3: "missing_file"}
    skipped = [(problem.record, problem.detail) for problem in report.problems if problem.severity == "skipped"]
    assert skipped == [(4, "qti-assessment-stimulus")]
    assert [question.origin.record for question in report.questions] == [2, 5]


def test_a_broken_or_missing_test_is_told_and_its_items_are_read() -> None:
    kind = "imsqti_test_xmlv3p0"
    files = {
        "imsmanifest.xml": manifest(resource("t.xml", kind), resource("gone.xml", kind), resource("a.xml")),
        "t.xml": "<qti-assessment-test",
        "a.xml": item3(ident="a"),
    }
    report = report_of(packed(files), "p.zip")
    assert report.errors == {1: "malformed_xml", 2: "missing_file"}
    assert report.only.external_id == "a"


def test_a_quiz_that_stands_twice_in_a_cartridge_is_read_once() -> None:
    cc = "imsqti_xmlv1p2/imscc_xmlv1p1/assessment"
    content = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
    quiz = document12(item12(scored12("A", "1"), ident="canvas"))
    files = {
        "imsmanifest.xml": manifest(
            resource("i1/assessment_qti.xml", cc, identifier="i1"),
            resource("i2/assessment_qti.xml", cc, identifier="i2"),
            resource("i1/assessment_meta.xml", content, '<file href="non_cc_assessments/i1.xml.qti"/>', "m"),
        ),
        "i1/assessment_qti.xml": document12(item12(scored12("A", "1"), ident="copy")),
        "i2/assessment_qti.xml": document12(item12(scored12("A", "1"), ident="alone")),
        "i1/assessment_meta.xml": "<quiz/>",
        "non_cc_assessments/i1.xml.qti": quiz,
    }
    report = report_of(packed(files), "course.imscc")
    assert [question.external_id for question in report.questions] == ["alone", "canvas"]
