"""What is shown of a body that is not what it should be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep.text import excerpt

PAGES = [
    # WildFly (EJBCA), Flask, libmicrohttpd, Tomcat, IIS
    (b"<html><head><title>Error</title></head><body>User dev1 not found.</body></html>",
     "Error: User dev1 not found."),
    (b"<!doctype html>\n<html lang=en>\n<title>400 Bad Request</title>\n<h1>Bad Request</h1>\n"
     b"<p>No operation.</p>\n", "400 Bad Request: Bad Request No operation."),
    (b"<html><head><title>Not found</title></head></html>", "Not found"),
    (b"<html><head><style>h1 {color: red}</style></head><body><h1>HTTP 403</h1><hr/></body></html>",
     "HTTP 403"),
    (b"<html><head><!-- <b>no</b> --><script>a < b</script><title>T</title><body>x &lt; y &amp; z",
     "T: x < y & z"),
    (b"<?xml version=\"1.0\"?><error><code>7</code></error>", "7"),
    (b"<TITLE>A\r\n  B</TITLE><STYLE>cut off", "A B"),
    (b"<p>0x80070057 &quot;The parameter&quot;", '0x80070057 "The parameter"'),
    (b"<br>", "<br>"),
    (b"<", "<"),
    (b"no page < 3", "no page < 3"),
    (b"", "nothing in it"),
    (b"\x00\xff", "2 bytes that are no text"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "shown"), PAGES)
def test_a_page_is_shown_by_its_title_and_text(body: bytes, shown: str) -> None:
    assert excerpt(body) == shown


def test_a_long_page_is_cut() -> None:
    assert excerpt(b"<title>T</title>" + b"<p>x</p>" * 9000).startswith("T: x x x")
    assert excerpt(b"<" * 9000)
    assert excerpt(b"<style>" * 9000) != ""


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(["<title>", "</title>", "<style>", "<!--", "-->", "<", ">", "a",
                                 "&lt;", "\x1b[2J", "\u202e"]), max_size=30))  # fmt: skip
def test_any_page_is_fit_for_a_terminal(parts: list[str]) -> None:
    shown = excerpt("".join(parts).encode())
    assert shown
    assert shown.isprintable()
