"""Authors' texts: a little Markdown, no HTML, links to few kinds of places, and answers within them that stay words."""

from __future__ import annotations

import re
import tomllib

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.abuse.hostile import VALUES, XSS
from tests.conftest import SURVEYS
from wtp.survey.piping import literal, piped
from wtp.survey.questions import OpenText
from wtp.survey.texts import texts_of
from wtp.web.markdown import markdown

KNOWN = {"p", "em", "strong", "ul", "ol", "li", "a", "br"}


def page(text: str) -> BeautifulSoup:
    return BeautifulSoup(markdown(text), "html.parser")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>\n"),
        ("one\ntwo", "<p>one\ntwo</p>\n"),
        ("*one* **two** _three_", "<p><em>one</em> <strong>two</strong> <em>three</em></p>\n"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"),
        ("We ask:\n1. one\n2. two", "<p>We ask:</p>\n<ol>\n<li>one</li>\n<li>two</li>\n</ol>\n"),
        (
            "[us](https://www.example.com/a?b=1&c=2)",
            '<p><a href="https://www.example.com/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">us</a></p>\n',
        ),
        (
            "[us](mailto:us@example.com)",
            '<p><a href="mailto:us@example.com" rel="noopener noreferrer">us</a></p>\n',
        ),
        (r"\*one\*", "<p>*one*</p>\n"),
    ],
)
def test_what_authors_may_write(text: str, html: str) -> None:
    assert markdown(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "5 * 3 * 2 is 30, snake_case_name, a*b",
        "31. December is the last day",
        "# no heading",
        "> no quotation",
        "    no code",
        "`no code` and ```no code```",
        "| no | table |",
        "---",
        "https://www.example.com stays words",
        "<https://www.example.com> &amp; &#60;",
        "<b>no HTML</b> <!-- x -->",
        "![no picture]",
        "[a]: https://www.example.com",
        "{{7*7}} {% x %}",
    ],
)
def test_everything_else_shows_as_it_was_typed(text: str) -> None:
    shown = page(text)
    assert shown.get_text().strip("\n") == text.strip()
    assert {tag.name for tag in shown.find_all()} == {"p"}


def test_the_texts_that_there_are_look_as_before() -> None:
    """Paragraphs, one after another, with the words in them."""
    seen = 0
    for file in (*SURVEYS.glob("*/survey.toml"), SURVEYS.parent / "tests/every_question/survey.toml"):
        for found in texts_of(tomllib.loads(file.read_text(encoding="utf-8"))):
            if found.place[-1] not in {"text", "why"}:
                continue
            for text in map(str.strip, found.texts.values()):
                seen += 1
                paragraphs = [part.strip() for part in text.split("\n\n")]
                assert [tag.get_text() for tag in page(text).find_all(recursive=False)] == paragraphs
                assert {tag.name for tag in page(text).find_all()} == {"p"}
    assert seen > 20


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "&#106;avascript:alert(1)",
        "&#x6A;avascript&colon;alert(1)",
        "%6Aavascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/manage",
        "\\\\evil.example",
        "ftp://evil.example",
        "http:evil.example",
        "https:/evil.example",
        "x",
        "",
    ],
)
def test_links_lead_to_the_web_and_to_mail_alone(address: str) -> None:
    for form in (f"[x]({address})", f"[x](<{address}>)", f"![x]({address})"):
        assert not page(form).find_all("a"), form


@pytest.mark.parametrize("payload", XSS)
def test_no_author_can_write_an_element(payload: str) -> None:
    for text in (payload, f"*{payload}*", f"- {payload}", f"[{payload}](https://e.com)", f"[x](https://e.com/{payload})", f'[x](https://e.com "{payload}")'):  # fmt: skip
        shown = page(text)
        assert {tag.name for tag in shown.find_all()} <= KNOWN
        for link in shown.find_all("a"):
            assert str(link["href"]).startswith("https://e.com")
            assert set(link.attrs) <= {"href", "title", "target", "rel"}


@given(st.text(st.sampled_from("ab 1.*_[]()<>!\\`#-\n&:/\"'"), max_size=60) | st.sampled_from(VALUES))
@settings(max_examples=300, deadline=None)
def test_nothing_else_than_these_elements_can_come_of_a_text(text: str) -> None:
    shown = page(text.replace("\0", ""))
    assert {tag.name for tag in shown.find_all()} <= KNOWN
    assert all(re.match("https?://|mailto:", str(a["href"]), re.IGNORECASE) for a in shown.find_all("a"))


@given(
    st.text(st.sampled_from("ab 1.*_[]()<>!\\`#-\n&:/\"'{}"), max_size=60) | st.sampled_from((*VALUES, "1. x", "- x"))
)
@settings(max_examples=300, deadline=None)
def test_an_answer_within_a_text_stays_words(answer: str) -> None:
    question = OpenText.model_validate({"type": "text", "id": "name", "label": {"en": "Name"}})
    said = answer.replace("\0", "").encode("utf-8", "replace").decode()
    text = piped({"en": "{answer:name}\n\n*Dear* {answer:name}!"}, [question], {"name": said}, markdown=True)["en"]
    shown = page(text)
    assert {tag.name for tag in shown.find_all()} <= {"p", "em"}
    assert [tag.get_text() for tag in shown.find_all("em")] == ["Dear"]
    words = " ".join(said.split())
    assert shown.find_all("p")[-1].get_text() == f"Dear {words}!"
    assert page(literal(said)).get_text().strip() == words


def test_without_the_backslashes_an_answer_would_be_read_as_markdown() -> None:
    question = OpenText.model_validate({"type": "text", "id": "name", "label": {"en": "Name"}})
    answers = {"name": "[x](https://evil.example)"}
    plain = piped({"en": "Dear {answer:name}"}, [question], answers)["en"]
    assert page(plain).find_all("a"), "the protection is what keeps it from being a link"
    assert not page(piped({"en": "Dear {answer:name}"}, [question], answers, markdown=True)["en"]).find_all("a")
