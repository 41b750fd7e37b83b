"""HTML from strangers: what can run is gone, what can be read stays, and cleaning twice changes nothing."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.files import safe_html
from adapters.files.safe_html import MAX_HTML, MAX_OPEN, cleaned, plain_text, sanitised

HOUSE = "p pre b i table tr td ul li a img"
FOREIGN = "math mi mtext mglyph malignmark annotation-xml svg"
HIDING = "style script title textarea noscript template form select option plaintext"
TAGS = f"{HOUSE} {FOREIGN} {HIDING}".split()
LOOSE = [
    *"<>'\"&=/ \n\r\0\xa0",
    *(
        "<a href='",
        '<img src="',
        " onerror=x ",
        "javascript:alert(1)",
        "&Tab;",
        "&#x6a;",
        "&#13;",
        "<!--",
        "-->",
        "]]>",
    ),
    *("<![CDATA[", "&lt;", "&amp;", "<annotation-xml encoding='text/html'>"),
]
PIECES = [*LOOSE, *(f"<{tag}>" for tag in TAGS), *(f"</{tag}>" for tag in TAGS)]
html = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=30).map("".join)
ATTACK = re.compile(
    r"<\s*/?\s*(?:script|style|iframe|object|svg|math|form|input|template|meta|link|base)\b", re.IGNORECASE
)
TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z]+="[^"]*")*>|</[a-z][a-z0-9]*>')
REFERENCE = re.compile(r' (?:href|src)="([^"]*)"')


@given(html)
@example("<pre>\n\n\nx</pre>")
@example("<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>")
@example("<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>")
@example("<noscript><p title='</noscript><img src=x onerror=alert(1)>'>")
@example("<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>")
def test_cleaning_leaves_nothing_to_clean(source: str) -> None:
    clean = sanitised(source)
    assert sanitised(clean) == clean
    assert not ATTACK.search(clean)
    # Whatever is no tag of ours in full is text, and holds no angle bracket.
    assert "<" not in TAG.sub("", clean)
    for tag in TAG.findall(clean):
        assert not re.search(r" (?:on[a-z]*|style|class|id|srcdoc|formaction)=", tag)
    for reference in REFERENCE.findall(clean):
        assert re.match(r"\s*(?:https?:|mailto:)", reference, re.IGNORECASE)


@pytest.mark.parametrize(
    ("source", "clean"),
    [
        ("<p>x<script>alert(1)</script><b onclick=x>y</b></p>", "<p>x<b>y</b></p>"),
        ("<a href='JaVaScRiPt:alert(1)'>x</a>", '<a rel="noopener noreferrer nofollow">x</a>'),
        ("<a href='java&Tab;script:alert(1)'>x</a>", '<a rel="noopener noreferrer nofollow">x</a>'),
        ("<a href='data:text/html,x'>x</a>", '<a rel="noopener noreferrer nofollow">x</a>'),
        ("<p style='color:red' class=c id=i>x</p>", "<p>x</p>"),
        ("<img src=http://h/i.png alt=a width=1>", '<img src="http://h/i.png" alt="a" width="1">'),
        ("<img src=//h/i.png alt=a>", '<img alt="a">'),
        ("<form action=x><input name=y>z</form>", "z"),
        ("<ol type=A start=3><li>x</ol>", '<ol type="A" start="3"><li>x</li></ol>'),
        ("<ol type=javascript><li>x</ol>", "<ol><li>x</li></ol>"),
        ("H<sub>2</sub>O <code>a &lt; b</code>", "H<sub>2</sub>O <code>a &lt; b</code>"),
        ("<table><tr><td colspan=2>x", '<table><tbody><tr><td colspan="2">x</td></tr></tbody></table>'),
        ("<pre>\n\n\nx</pre>", "<pre>\n\n\nx</pre>"),
        ("a < b", "a &lt; b"),
        (r"\( a < b \)", r"\( a &lt; b \)"),
        ("plain", "plain"),
    ],
)
def test_the_allow_list(source: str, clean: str) -> None:
    assert sanitised(source) == clean


@given(st.text(st.characters(exclude_characters="<&>\r\0\xa0"), max_size=60))
def test_text_without_markup_stays_as_it_is(text: str) -> None:
    assert sanitised(text) == text


def test_markup_that_never_settles_is_shown_as_the_text_that_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sanitised("<p>x") == "<p>x</p>"
    monkeypatch.setattr(safe_html, "_PASSES", 1)
    assert sanitised("<p>x") == "&lt;p&gt;x&lt;/p&gt;"


def test_pictures_of_the_file_keep_their_description_and_are_told_by_name() -> None:
    clean = cleaned(
        '<img src="@@PLUGINFILE@@/a%20b.png" alt="a graph"><a href="@@PLUGINFILE@@/f/notes.pdf">n</a>'
        '<img src="data:image/png;base64,AAAA"><img src="pics/c.png"><a href="#top">t</a>'
    )
    assert '<img alt="a graph">' in clean.text
    assert "PLUGINFILE" not in clean.text
    assert "src=" not in clean.text
    assert set(clean.missing_files) == {"a b.png", "f/notes.pdf", "data:", "pics/c.png"}


def test_a_picture_that_is_pasted_in_does_not_make_a_text_too_long() -> None:
    clean = cleaned(f'<p>x</p><img src="data:image/png;base64,{"A" * 3_000_000}" alt="y">')
    assert (clean.text, clean.fault, clean.missing_files) == ('<p>x</p><img alt="y">', None, ("data:",))


def test_what_was_taken_out_is_told() -> None:
    assert cleaned("<p>a</p><SCRIPT>x</SCRIPT><math><mi>x</mi></math>").removed == ("script", "math")
    assert cleaned("<p>a &lt;script&gt;</p>").removed == ()


@pytest.mark.parametrize("unit", ["<b><p></b>", "<b></div><div></b>", "<font><p></font>", "<a><p></a>", "<p>", "<!--"])
def test_markup_in_disorder_is_read_in_a_moment(unit: str) -> None:
    started = time.process_time()
    clean = sanitised(unit * (MAX_HTML // len(unit)))
    assert sanitised(clean) == clean
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "unit", ["<div>", "<ul><li>", "<a><i>", "<b></p>", "<table><b></table>", "<svg><math>", "<x></y>"]
)
def test_markup_that_costs_without_end_is_not_parsed(unit: str) -> None:
    """Cleaning takes time quadratic in the depth; a minute of it would be free for whoever sends a file."""
    started = time.process_time()
    deep = cleaned(unit * (MAX_HTML // len(unit)))
    assert (deep.fault, "<" in deep.text) == ("markup_too_deep", False)
    long = cleaned(unit * (10 * MAX_HTML // len(unit)))
    assert (long.fault, "<" in long.text) == ("field_too_long", False)
    assert time.process_time() - started < 12
    assert sanitised(deep.text) == deep.text
    assert sanitised(long.text) == long.text


def test_old_markup_without_closing_tags_is_not_deep() -> None:
    clean = cleaned("<ul>" + "<li>x<p>y" * 1000 + "</ul>" + "<br>" * 1000 + "<table>" + "<tr><td>z" * 500)
    assert clean.fault is None
    assert clean.text.count("<li>") == 1000
    assert cleaned("<div>" * MAX_OPEN + "</div>" * MAX_OPEN).fault is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>One</p>\n<p>two<br>three</p>", "One\ntwo\nthree"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("x<sup>2</sup> + H<sub>2</sub>O", "x^2 + H_2O"),
        ('<img src="http://h/i.png" alt="a &lt; b"> seen', "[a < b] seen"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\nc"),
        ("a &lt;b&gt; &amp;amp; &nbsp;c", "a <b> &amp;  c"),
        ("<script>x</script><b>bold</b>", "bold"),
        ('<span title="a>b">x</span>', "x"),
        ("", ""),
    ],
)
def test_plain_text_says_the_same_without_markup(source: str, text: str) -> None:
    assert plain_text(source) == text


@given(html)
def test_plain_text_of_anything_is_text(source: str) -> None:
    text = plain_text(source)
    assert text == text.strip()
