"""What a hostile text may not do to a terminal, a page or Markdown."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from initcheck.reporting.templating import templates
from initcheck.texts import for_axis, for_drawing, for_html, for_markdown, for_terminal, reason_of

STEERING = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066\r\n\x9b31m"


@pytest.mark.parametrize("make", [for_terminal, for_html, for_drawing, for_axis, for_markdown])
def test_nothing_that_steers_is_left(make):
    kept = str(make(STEERING))
    assert "owned" in kept
    assert not any(letter in kept for letter in "\x1b\x07\u202e\u2066\r\x9b")


@given(st.text())
def test_a_text_for_a_terminal_is_printable_and_as_long_as_it_was(text):
    assert for_terminal(text).isprintable()
    assert len(for_terminal(text)) == len(text)


@given(st.text())
def test_a_plain_text_stays_as_it_is(text):
    plain = "".join(letter for letter in text if letter.isprintable())
    assert for_terminal(plain) == for_html(plain) == plain


class Shown(HTMLParser):
    """What a browser shows of a page, and the tags that it sees."""

    def __init__(self, page):
        super().__init__()
        self.text, self.tags = "", []
        self.feed(page)
        self.close()

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


@given(st.text())
def test_a_page_shows_a_text_as_it_is_and_sees_no_markup_in_it(text):
    shown = Shown(templates().from_string("<p>{{ text }}</p>").render(text=text))
    assert shown.tags == ["p"]
    assert shown.text == for_html(text)


@given(st.text(), st.integers(10, 200))
def test_markdown_is_one_line_without_its_own_signs(text, most):
    made = for_markdown(text, most)
    assert "\n" not in made
    assert not set("<>|`*~$!\\[]") & set(made)
    assert len(made) <= most + 1


def test_every_page_goes_through_it_and_markup_stays():
    template = templates().from_string("{{ text }}{{ markup }}")
    assert template.render(text="<a>\x1b", markup=Markup("<b>")) == "&lt;a&gt;\N{REPLACEMENT CHARACTER}<b>"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError(), "ValueError"),
        (ValueError("two\nlines \x1b[1mbold\x1b[0m"), "ValueError: two lines bold"),
        (ValueError("in user code:\n\n    File 'a.py', line 1\n\n    ValueError: no step\n"), "ValueError: no step"),
        (KeyError("x" * 300), f"KeyError: '{'x' * 199}…"),
    ],
)
def test_the_reason_of_an_exception_is_its_type_and_message_on_one_line(error, reason):
    assert reason_of(error) == reason
