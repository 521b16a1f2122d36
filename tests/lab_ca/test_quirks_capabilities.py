"""Quirks of GetCACaps."""

from collections.abc import Callable

import pytest

from tests.helpers.labca_seen import Seen, prove, words
from tools.lab_ca import quirks


def caps_are(test: Callable[[bytes], bool]) -> Seen:
    return Seen(lambda lab: test(lab.get("GetCACaps").body))


CAPABILITIES = {
    "caps-none": Seen(lambda lab: lab.get("GetCACaps").status == 404),
    "caps-closed": Seen(lambda lab: lab.octets(lab.request("operation=GetCACaps")) == b""),
    "caps-html": caps_are(lambda body: body.startswith(b"<html>")),
    "caps-empty": caps_are(lambda body: body == b""),
    "caps-type": Seen(lambda lab: lab.get("GetCACaps").kind == "application/x-x509-ca-cert"),
    "caps-crlf": caps_are(lambda body: body.count(b"\r\n") >= 5 and body[-1:].isalpha()),
    "caps-no-newline": caps_are(lambda body: b"\n" in body and body[-1:] != b"\n"),
    "caps-lower-case": caps_are(lambda body: body == body.lower()),
    "caps-standard-only": Seen(lambda lab: words(lab) == ["SCEPStandard"]),
    "caps-more": Seen(lambda lab: {"SHA-224", "SHA-384", "AES"} <= set(words(lab))),
    "caps-micromdm": Seen(lambda lab: words(lab)[0] == "Renewal" and len(words(lab)) == 7),
    "caps-old-ndes": Seen(lambda lab: not {"AES", "SHA-256", "SCEPStandard"} & set(words(lab))),
}


@pytest.mark.parametrize("name", CAPABILITIES)
def test_a_quirk_does_what_it_says(name: str) -> None:
    prove(CAPABILITIES[name], quirks.QUIRKS[name])
