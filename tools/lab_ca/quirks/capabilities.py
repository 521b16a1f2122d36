"""GetCACaps: how servers list what they can do, or do not (RFC 8894 3.5)."""

from tools.lab_ca.answer import CAPS, CLOSE, Answer
from tools.lab_ca.hooks import Hooks, on

HTML = b"<html><head><title>It works!</title></head></html>\n"


def _says(body: bytes) -> Hooks:
    """Only for the tables below, which replace its sentence."""
    return Hooks("", answer=on(CAPS, lambda answer: answer._replace(body=body)))


def _fails(answer: Answer) -> Answer:
    return answer._replace(status=404, kind="text/html", body=HTML)


CAPABILITIES: dict[str, Hooks] = {
    "caps-none": Hooks(
        "GetCACaps is unknown: 404 with a page (old NDES, RFC 8894 3.5.2)", answer=on(CAPS, _fails)
    ),
    "caps-closed": Hooks(
        "GetCACaps is unknown: the connection is closed without an answer (old IOS CA)",
        answer=on(CAPS, lambda answer: answer._replace(leave=lambda _octets: (), framing=CLOSE)),
    ),
    "caps-html": _says(HTML)._replace(
        says="GetCACaps gets a page of HTML with status 200 (a portal in front of the server)"
    ),
    "caps-empty": _says(b"")._replace(says="GetCACaps gets an empty list (Lexmark's old CA)"),
    "caps-type": Hooks(
        "GetCACaps has the Content-Type of a certificate (servers seen by sscep and certmonger)",
        answer=on(CAPS, lambda answer: answer._replace(kind="application/x-x509-ca-cert")),
    ),
    "caps-crlf": Hooks(
        "the lines of GetCACaps end with CRLF, the last one with nothing (step-ca)",
        answer=on(
            CAPS, lambda answer: answer._replace(body=answer.body.strip().replace(b"\n", b"\r\n"))
        ),
    ),
    "caps-no-newline": Hooks(
        "the last line of GetCACaps has no end (micromdm)",
        answer=on(CAPS, lambda answer: answer._replace(body=answer.body.rstrip(b"\n"))),
    ),
    "caps-lower-case": Hooks(
        "capabilities in lower case (RFC 8894 3.5.2 allows any)",
        words=lambda words: tuple(word.lower() for word in words),
    ),
    "caps-standard-only": Hooks(
        "only SCEPStandard is listed; it implies AES, POST and SHA-256 (RFC 8894 3.5.2)",
        words=lambda _words: ("SCEPStandard",),
    ),
    "caps-more": Hooks(
        "SHA-224, SHA-384 and words that no RFC knows are listed too (Ultimate CA Manager)",
        words=lambda words: ("SHA-224", "SHA-384", "X-Vendor: feature 7", *words),
    ),
    "caps-micromdm": Hooks(
        "lists what micromdm lists, in its order",
        words=lambda _words: (
            *("Renewal", "SHA-1", "SHA-256", "AES", "DES3", "SCEPStandard", "POSTPKIOperation"),
        ),
    ),
    "caps-old-ndes": Hooks(
        "lists DES3, SHA-1 and POST, but neither AES nor SHA-256 (NDES before 2012)",
        words=lambda _words: ("POSTPKIOperation", "Renewal", "SHA-1", "DES3"),
    ),
}
