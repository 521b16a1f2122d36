"""Revocation lists as jobs: where they are looked for, by HTTP and by SCEP, and what is refused."""

import base64
from typing import Any

import pytest
from asn1crypto import x509

from agent.catalogue.table import CATALOGUE
from agent.errors import AgentError, fail
from agent.scep import der, vault, webfile
from tests.helpers import scep_ca
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.helpers.engine_life import values_of
from tests.scep.test_crl_check import made
from tests.scep.test_operations import (
    DEVICE_KEY,
    MiniCa,
    failed,
    job_for,
    key_fields,
    message_of,
    run,
)
from tests.scep.test_operations import files as files  # a fixture


def leaf(url: str | None = None, serial: int = 5) -> lab.Party:
    """The certificate in use, with a distribution point or without."""
    party = lab.certificate({"common_name": "dev1"}, "dev", lab.root(), serial=serial)
    if url is None:
        return party
    return _with_point(party, url)


def _with_point(party: lab.Party, url: str) -> lab.Party:
    tbs = party.cert["tbs_certificate"]
    points = x509.CRLDistributionPoints(
        [
            {
                "distribution_point": {
                    "full_name": [x509.GeneralName("uniform_resource_identifier", u)]
                }
            }
            for u in ("ldap://ca.example/x", url)
        ]
    )
    tbs["extensions"].append(
        x509.Extension({"extn_id": "crl_distribution_points", "extn_value": points})
    )
    body = x509.TbsCertificate.load(tbs.dump(force=True))
    fields = {
        "tbs_certificate": body,
        "signature_algorithm": party.cert["signature_algorithm"],
        "signature_value": lab.sign("root", body.dump(), "sha256"),
    }
    return lab.Party("dev", x509.Certificate.load(x509.Certificate(fields).dump(force=True)))


def job(url: str, op: str = "fetch-crl", **changes: Any) -> dict[str, Any]:
    own = {"realm": "abc", "cdp_url": None, "from_ca": False, "certificate": None, "before_s": None}
    signer = {"certificate": leaf().der, "key": key_fields()}
    return {**job_for(url, op=op), **own, "signer": signer, **changes}


def fetched(data: bytes, files: list[int], *, way: str = "/list", **changes: Any) -> Any:
    with web.serving(lambda _request: web.ok(data)) as server:
        place = f"http://127.0.0.1:{server.port}{way}"
        return run(job(server.url(), **{"cdp_url": place, **changes}), files)


def code_of(data: bytes, files: list[int], **changes: Any) -> str:
    with pytest.raises(AgentError) as caught:
        fetched(data, files, **changes)
    return caught.value.code


def test_by_http_in_both_forms(files: list[int]) -> None:
    data = made((5, ""))
    text = b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(data) + b"-----END X509 CRL-----\n"
    for body in (data, text):
        answer = fetched(body, [])  # without the device key: nobody has signed this yet
        assert (answer["crl"], answer["count"]) == (data, 1)
        assert answer["this_update_s"] == lab.NOW_S - 60
        assert answer["source"].endswith("/list")


def imported(data: bytes, **changes: Any) -> Any:
    """A list in a file: no network is there, nor the device key."""
    fields = {"name": "abc.crl", "data": data, "now_s": lab.NOW_S, "clock_trusted": True}
    return run({**job("", op="import-crl", **fields), **changes}, [])


def test_from_a_file_in_both_forms() -> None:
    data = made((5, "superseded"))
    text = b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(data) + b"-----END X509 CRL-----\n"
    for body in (data, text):
        answer = imported(body, certificate=leaf().der)
        assert (answer["crl"], answer["count"], answer["revoked"]) == (data, 1, ["superseded", ""])
        assert answer["source"] == "file abc.crl"


@pytest.mark.parametrize(
    ("data", "changes", "code"),
    [
        (b"<html>", {}, "crl-malformed"),
        (made(key="other"), {}, "crl-signature"),
        (made(dates=(-90, -30)), {}, "crl-outdated"),
        (made(), {"before_s": lab.NOW_S}, "crl-outdated"),
        (made(), {"fingerprint": {"algorithm": "sha256", "hex": "00" * 32}}, "ca-pin-mismatch"),
    ],
)
def test_a_file_is_judged_as_an_answer_is(data: bytes, changes: Any, code: str) -> None:
    with pytest.raises(AgentError) as caught:
        imported(data, **changes)
    assert caught.value.code == code


def test_md5_between_the_pin_and_a_list_is_noted(files: list[int]) -> None:
    weak = lab.certificate({"common_name": "Weak"}, "sub", lab.root(), ca=True, digest="md5")
    ca = {"certificates": [lab.root().der, weak.der], "pin": lab.root().cert.sha256.hex()}
    (note,) = fetched(made((5, "")), [], ca=ca, weak=["md5"])["notes"]
    assert "CN=Weak" in note
    assert fetched(made((5, "")), [], ca=ca)["notes"] == []


def test_the_path_is_asked_for_as_it_is(files: list[int]) -> None:
    seen: list[bytes] = []

    def answer(request: bytes) -> bytes:
        seen.append(request)
        return web.ok(made())

    with web.serving(answer) as server:
        place = f"http://127.0.0.1:{server.port}/a/b.crl?c=d"
        run(job(server.url(), cdp_url=place), files)
    assert seen[0].startswith(b"GET /a/b.crl?c=d HTTP/1.1\r\n")


def test_the_distribution_point_of_the_certificate_in_use(files: list[int]) -> None:
    with web.serving(lambda _request: web.ok(made((5, "superseded")))) as server:
        place = f"http://127.0.0.1:{server.port}/own"
        answer = run(job(server.url(), certificate=leaf(place).der), files)
    assert answer["source"] == place
    (note,) = answer["notes"]
    assert "it was revoked; to replace it type `pki delete-certificate local realm abc`" in note


def test_of_both_certificates_it_is_told_why_they_are_on_the_list(files: list[int]) -> None:
    data, own = made((5, "keyCompromise"), (7, "certificateHold")), {"certificate": leaf().der}
    assert fetched(data, files)["revoked"] == ["", ""]
    assert fetched(data, files, **own)["revoked"] == ["keyCompromise", ""]
    waits = leaf(serial=7).der
    assert fetched(data, files, **own, waiting=waits)["revoked"][1] == "certificateHold"
    assert fetched(made(), files, **own, waiting=waits)["revoked"] == ["", ""]


@pytest.mark.parametrize("held", [None, leaf().der, leaf("ldap://ca.example/only").der])
def test_no_place_is_an_error_of_its_own(files: list[int], held: bytes | None) -> None:
    with pytest.raises(AgentError) as caught:
        run(job("http://127.0.0.1:9/scep", certificate=held), files)
    assert caught.value.code == "crl-no-place"


def with_points(*points: bytes) -> bytes:
    """A certificate in use with these distribution points, in DER."""
    value = der.sequence(*points)
    more = [("2.5.29.31", False, value)]
    return lab.certificate({"common_name": "dev1"}, "dev", lab.root(), serial=5, more=more).der


def point(*names_: bytes, relative: bool = False) -> bytes:
    tag = der.explicit(1) if relative else der.explicit(0)
    return der.sequence(der.tlv(der.explicit(0), der.tlv(tag, *names_)))


def uri(text: str) -> bytes:
    return der.tlv(der.context(6), text.encode())


CN = der.sequence(der.oid("2.5.4.3"), der.string(der.UTF8, "crl1"))
BAD_POINTS = {
    "relative to the issuer": point(CN, relative=True),
    "LDAP": point(uri("ldap:///CN=Lab%20Root,CN=CDP?certificateRevocationList?base")),
    "a blank": point(uri("http://ca.example/Lab Root.crl")),
    "a file": point(uri("file://\\\\server\\share\\root.crl")),
    "a login": point(uri("http://me:secret@ca.example/root.crl")),
    "no port": point(uri("http://ca.example:65536/root.crl")),
    "https": point(uri("https://ca.example/root.crl")),
    "not ASCII": point(uri("http://ca.example/W\u00fcrzel.crl")),
    "not a sequence": der.integer(5),
    "an odd address": point(der.tlv(der.context(7), b"123")),
    "a directory name": point(der.tlv(der.explicit(4), der.sequence(der.set_of([CN])))),
    "a broken directory name": point(der.tlv(der.explicit(4), der.integer(1))),
    "reasons alone": der.sequence(der.tlv(der.context(1), b"\1\6")),
}


@pytest.mark.parametrize("kind", BAD_POINTS)
def test_one_bad_point_does_not_cost_the_list(files: list[int], kind: str) -> None:
    with web.serving(lambda _request: web.ok(made())) as server:
        place = f"http://127.0.0.1:{server.port}/own"
        for points in (
            (BAD_POINTS[kind], point(uri(place))),
            (point(uri(place)), BAD_POINTS[kind]),
        ):
            answer = run(job(server.url(), certificate=with_points(*points)), files)
            assert answer["source"] == place


def test_of_several_names_of_one_point_the_usable_one_is_taken(files: list[int]) -> None:
    with web.serving(lambda _request: web.ok(made())) as server:
        place = f"http://127.0.0.1:{server.port}/own"
        several = point(uri("ldap:///x"), uri("http://ca.example/a b"), uri(place))
        answer = run(job(server.url(), certificate=with_points(several)), files)
    assert answer["source"] == place


def test_places_that_are_of_no_use_are_named(files: list[int]) -> None:
    bad = with_points(
        BAD_POINTS["relative to the issuer"], BAD_POINTS["LDAP"], BAD_POINTS["a blank"]
    )
    with pytest.raises(AgentError) as caught:
        run(job("http://127.0.0.1:9/scep", certificate=bad), files)
    assert caught.value.code == "crl-no-place"
    assert "ldap:///CN=Lab%20Root" in caught.value.what
    assert "http://ca.example/Lab Root.crl" in caught.value.what
    assert "`cdp-url http://...`" in caught.value.remedy


@pytest.mark.parametrize("code", CATALOGUE)
def test_nothing_of_a_distribution_point_leads_to_the_url_of_the_realm(code: str) -> None:
    if not code.startswith(("http-", "tls-", "connection-", "answer-", "url-", "name-", "no-route",
                            "network-", "source-")):  # fmt: skip
        return
    thrown = fail(code, **values_of(code))
    error = webfile.unreachable(thrown, "http://ca.example/list", "crl-unreachable")
    assert "enrollment-url" not in error.cause + error.remedy


def test_what_is_refused(files: list[int]) -> None:
    assert code_of(b"<html>", files) == "crl-malformed"
    assert code_of(b"-----BEGIN X509 CRL-----\n", files) == "crl-malformed"
    assert code_of(made(key="other"), files) == "crl-signature"
    assert code_of(made(dates=(-90, -30)), files) == "crl-outdated"
    assert code_of(made(), files, before_s=lab.NOW_S) == "crl-outdated"
    assert fetched(made(), files, before_s=lab.NOW_S - 60)["count"] == 0  # the same one again
    assert code_of(made() * 1000, files) == "crl-unreachable"
    assert code_of(made(), files, cdp_url="https://ca.example/x") == "tls-no-trust"


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/list", "http://127.0.0.1:0/list"])
def test_a_place_that_does_not_answer_leads_to_its_own_settings(
    files: list[int], place: str
) -> None:
    """Not to `enrollment-url`, which is right."""
    with pytest.raises(AgentError) as caught:
        run(job("http://127.0.0.1:9/scep", certificate=leaf(place).der), files)
    assert caught.value.code == "crl-unreachable"
    assert place in caught.value.what
    assert "`cdp-url`" in caught.value.remedy
    assert "`crl scep`" in caught.value.remedy


class ListCa(MiniCa):
    """Answers GetCRL with `inner`, the lists that the envelope is to hold."""

    def __init__(self, *lists: bytes, **how: Any) -> None:
        super().__init__(**how)
        self.lists = lists

    def __call__(self, request: bytes) -> bytes:
        got = scep_ca.receive(message_of(request), self.recipient)
        self.received.append(got)
        if self.how.get("status", "0") != "0":
            return web.ok(scep_ca.cert_rep(got, lab.root(), None, **self.how))
        empty = lab.degenerate([])
        inner = _with_lists(empty, self.lists)
        return web.ok(scep_ca.cert_rep(got, lab.root(), lab.seal(inner, got.signer)))


def _with_lists(degenerate: bytes, lists: tuple[bytes, ...]) -> bytes:
    """[0] certificates of an empty set becomes [1] crls."""
    body = degenerate[degenerate.index(b"\xa0", 13) :]
    head, rest = body[: body.index(b"\xa0\x00")], body[body.index(b"\xa0\x00") + 2 :]
    inner = head[head.index(b"\x30") :]
    inner = inner[2:] + lab.tlv(0xA1, b"".join(lists)) + rest
    kind = bytes.fromhex("06092a864886f70d010702")
    return lab.tlv(0x30, kind + lab.tlv(0xA0, lab.tlv(0x30, inner)))


def asked(ca: ListCa, files: list[int], **changes: Any) -> Any:
    with web.serving(ca) as server:
        return run(job(server.url(), op="get-crl", certificate=leaf().der, **changes), files)


def test_by_scep_signed_with_the_certificate_in_use(files: list[int]) -> None:
    ca = ListCa(made((6, "")))
    answer = asked(ca, files)
    assert (answer["source"], answer["count"], answer["notes"]) == ("scep", 1, [])
    (got,) = ca.received
    assert got.attributes["message_type"] == "22"
    assert got.signer.serial_number == 5
    issuer_and_serial = x509.Name.load(lab.root().cert.subject.dump()).dump() + b"\x02\x01\x05"
    assert got.content == lab.tlv(0x30, issuer_and_serial)  # RFC 8894 3.3.5


@pytest.mark.parametrize("lists", [(), (made(), made((6, "")))])
def test_a_reply_holds_exactly_one_list(files: list[int], lists: tuple[bytes, ...]) -> None:
    with pytest.raises(AgentError) as caught:
        asked(ListCa(*lists), files)
    assert caught.value.code == "crl-malformed"


def test_pending_and_failure_are_no_list(files: list[int]) -> None:
    for how, code in (({"status": "3"}, "certrep-status"), ({"status": "2"}, "crl-not-offered")):
        with pytest.raises(AgentError) as caught:
            asked(ListCa(made(), **how), files)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("status", "code"),
    [("500 Internal Server Error", "crl-not-offered"), ("503 Busy", "http-busy")],
)
def test_a_server_that_knows_no_lists_says_where_one_may_be(
    files: list[int], status: str, code: str
) -> None:
    answer = web.ok(b"not implemented", status=status)
    beside_an_ra = job_for("", lab.root(), *lab.ra_pair())["ca"]
    for found in ({}, {"ca": beside_an_ra}):
        with web.serving(answer) as server, pytest.raises(AgentError) as caught:
            run(job(server.url(), op="get-crl", certificate=leaf().der, **found), files)
        assert caught.value.code == code
        assert ("cdp-url" in caught.value.remedy) is (code == "crl-not-offered")


# -- at an application -----------------------------------------------------------------------------


def test_a_certificate_that_is_on_the_list_is_not_taken(files: list[int]) -> None:
    """An old answer with a new wrapping, or a CA that revoked at once."""

    class Fixed(MiniCa):
        def __call__(self, request: bytes) -> bytes:
            got = scep_ca.receive(message_of(request), self.recipient)
            made_for = scep_ca.issue(scep_ca.read_request(got.content), lab.root(), serial=5)
            envelope = lab.seal(lab.degenerate([made_for]), got.signer)
            return web.ok(scep_ca.cert_rep(got, lab.root(), envelope))

    revoked, other = made((5, "keyCompromise")), made((6, ""))
    error = failed(Fixed(), files, revocation={"check": [], "crl": revoked})
    assert (error.code, "keyCompromise" in error.what) == ("issued-revoked", True)
    with web.serving(Fixed()) as server:
        for check, data, noted in (
            (["crl"], other, False),
            (["crl", "none"], None, True),
            ([], None, False),
            (["none"], revoked, False),
        ):
            given = {"check": check, "crl": data}
            answer = run(job_for(server.url(), revocation=given), files)
            assert answer["status"] == "issued"
            assert any("revocation was not checked" in n for n in answer["notes"]) is noted
    missing = failed(Fixed(), files, revocation={"check": ["crl"], "crl": None})
    assert missing.code == "crl-missing"


def test_the_sealed_key_is_needed_for_scep_only(files: list[int]) -> None:
    foreign = {**key_fields(), "sealed": vault.seal(b"x" * 32, b"y", b"key|k1|2")}
    with pytest.raises(AgentError) as caught:
        asked(ListCa(made()), files, signer={"certificate": leaf().der, "key": foreign})
    assert caught.value.code == "sealed-unreadable"
    assert DEVICE_KEY != b"x" * 32
