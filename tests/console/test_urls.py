r"""URLs: typed in plain or behind `esc`, unescaped first, judged then, shown as they were typed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.console.language import urls
from agent.console.language.grammar import Parameter
from tests.helpers.terminal import realm_script

HOSTS = ("ca", "ca.example.com", "192.0.2.1", "[2001:db8::1]", "c_a-1.example", "host%41")
PORTS = ("", ":1", ":80", ":65535")
PLAIN = ("", "/", "/scep", "/certsrv/mscep/mscep.dll", "/a/b.exe", r"/a\b", "/" + "x" * 200)
# Behind `esc`: what is typed, and the URL that it means.
QUERIES = (
    (r"\x3fpage1", "?page1"),
    (r"/\x3fpage1", "/?page1"),
    (r"/a\x3Fb=c&d", "/a?b=c&d"),
    (r"/a\x3fp\\x3f", r"/a?p\x3f"),
    (r"/a\\x3f", r"/a\x3f"),
    (r"/a\b\x3fc", r"/a\b?c"),
    (r"\x3fa\x3fb", "?a?b"),
)


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("scheme", ["http", "HTTP", "https"])
def test_every_form_in_plain_and_escaped(scheme: str, host: str, port: str) -> None:
    place = f"{scheme}://{host}{port}"
    for path in PLAIN:
        assert urls.URL.read(place + path) == place + path
        assert urls.ESCAPED_URL.read(place + path) == place + path
    for typed, meant in QUERIES:
        assert urls.ESCAPED_URL.read(place + typed) == place + meant
    cdp = [kind.read for kind in (urls.CDP, urls.ESCAPED_CDP)]
    for read in cdp:
        if scheme == "https":
            with pytest.raises(ValueError, match="a URL is"):
                read(place)
        else:
            assert read(place) == place


@pytest.mark.parametrize("kind", [urls.URL, urls.ESCAPED_URL, urls.CDP, urls.ESCAPED_CDP])
@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("ca.example", "a URL is"),
        ("ftp://ca", "a URL is"),
        ("http://", "a URL is"),
        ("http:///scep", "a URL is"),
        (r"http://ho\st/x", "a URL is"),
        (r"http://ho\\x3fst/x", "a URL is"),
        ("http://ho|st/x", "a URL is"),
        ('http://ho"st', "a URL is"),
        ("http://user@ca/", "a URL is"),
        ("http://ca/a b", "a URL is"),
        ("http://ca/\u00e9", "a URL is"),
        ("http://b\u00fccher/", "a URL is"),
        ("http://ca:0/", "a port is"),
        ("http://ca:65536/", "a port is"),
        ("http://ca:/", "a URL is"),
        ("http://ca:x/", "a URL is"),
        ("http://[2001::db8::1]/", "neither"),
        ("http://ca/" + "x" * 246, "1 to 255"),
    ],
)
def test_what_no_form_of_a_url_may_be(kind: Parameter, word: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        kind.read(word)


@pytest.mark.parametrize("kind", [urls.URL, urls.CDP])
def test_a_question_mark_in_plain(kind: Parameter) -> None:
    with pytest.raises(ValueError, match="behind the keyword `esc`"):
        kind.read("http://ca/?x")


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(["\\", "\\x3f", "\\\\x3f", "\\x3F", "x3f", "a"]), max_size=8))
def test_what_was_typed_behind_esc_is_shown_so_that_it_means_the_same(parts: list[str]) -> None:
    url = urls.unescape("http://h/" + "".join(parts))
    assert urls.unescape(urls.escape(url)) == url


@pytest.mark.parametrize("words", ["enrollment-url", "cdp-url"])
@pytest.mark.parametrize("place", ["http://host:80", "http://[::1]:80", "http://host"])
def test_at_the_console(words: str, place: str) -> None:
    _device, script, realm = realm_script()
    line = rf"{words} esc {place}\x3fpage1\\x3f"
    assert script.run(line) == ("", 0)
    assert (realm.url if words == "enrollment-url" else realm.cdp_url) == rf"{place}?page1\x3f"
    assert f" {line}\n" in script.run("display this")[0]
    text, status = script.run(rf"{words} http://ho\st/x")
    assert "Error: Wrong parameter found" in text
    assert status == 1
