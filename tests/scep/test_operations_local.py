"""Jobs that need no network, or never come to it: keys, passwords, what is put into use."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AgentError
from agent.scep import vault
from tests.helpers import scep_ca
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.scep.test_operations import DEVICE_KEY, MiniCa, enrolled, job_for, key_fields, run
from tests.scep.test_operations import files as files  # a fixture


def test_a_key_is_generated_sealed_and_used_again(files: list[int]) -> None:
    made = run({"op": "generate-key", "name": "k", "generation": 7, "bits": 2048}, files)
    pair = vault.load(DEVICE_KEY, "k", 7, made["sealed"], made["spki"])
    assert pair.key_size == made["bits"] == 2048


@pytest.mark.parametrize("bits", [1024, 2047, 4097, 0, -1])
def test_key_sizes_out_of_range(files: list[int], bits: int) -> None:
    with pytest.raises(AgentError) as caught:
        run({"op": "generate-key", "name": "k", "generation": 1, "bits": bits}, files)
    assert caught.value.code == "job-request"


def test_passwords(files: list[int]) -> None:
    sealed = run({"op": "seal", "plain": "sekret"}, files)["sealed"]
    assert run({"op": "check-sealed", "sealed": sealed}, files) == {}
    foreign = vault.seal_password(b"x" * 32, "sekret")
    with pytest.raises(AgentError) as caught:
        run({"op": "check-sealed", "sealed": foreign}, files)
    assert caught.value.code == "sealed-foreign"


def test_a_password_is_sealed_once(files: list[int]) -> None:
    before = run({"op": "seal", "plain": "sekret", "before": None}, files)["sealed"]
    again = {"op": "seal", "plain": "sekret", "before": before}
    assert run(again, files)["sealed"] == before
    assert run({**again, "plain": "other"}, files)["sealed"] != before


def test_logins(files: list[int]) -> None:
    word = run({"op": "hash-password", "plain": "sekret", "before": None}, [])["hash"]
    assert run({"op": "hash-password", "plain": "sekret", "before": word}, [])["hash"] == word
    for plain in ("sekret", "other"):
        answer = run({"op": "check-password", "plain": plain, "hash": word}, [])
        assert answer == {"matches": plain == "sekret"}


def test_the_offline_request_is_that_of_an_enrolment(files: list[int]) -> None:
    ca = MiniCa(status="3")
    enrolled(ca, files)
    names = ("entity", "key_usage", "digest", "key", "password")
    job = {name: value for name, value in job_for("").items() if name in names}
    assert run({"op": "request", **job}, files) == {"request": ca.received[0].content}
    without = run({"op": "request", **job, "password": None}, files)["request"]
    assert b"sekret" not in without
    assert scep_ca.read_request(without).dump() == without


def test_without_a_device_key(files: list[int]) -> None:
    os.ftruncate(files[0], 3)
    for job in ({"op": "seal", "plain": "x"}, job_for("http://127.0.0.1:1/")):
        with pytest.raises(AgentError) as caught:
            run(job, files)
        assert caught.value.code == "device-key"


def test_nothing_leaves_when_our_own_side_is_wrong(files: list[int]) -> None:
    foreign = vault.seal_password(b"x" * 32, "sekret")
    pair = key_fields()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"password": foreign}, "sealed-foreign"),
        ({"key": {**pair, "generation": 3}}, "sealed-unreadable"),
        ({"key": {**pair, "spki": lab.public_der("other")}}, "key-mismatch"),
        ({"ca": {"certificates": [], "pin": "00"}}, "ca-pin-missing"),
        ({"ra": True}, "ra-missing"),
        ({"transaction": "no hex"}, "job-request"),
        ({"cipher": "des"}, "job-request"),
        ({"digest": "sha-224"}, "job-request"),
        ({"subject_match": "none"}, "job-request"),
        ({"http": "put"}, "job-request"),
        ({"fingerprint": "ab"}, "job-request"),
        ({"fingerprint": {"algorithm": "sha512", "hex": "ab"}}, "job-request"),
        ({"fingerprint": {"algorithm": "sha1", "hex": b"ab"}}, "job-request"),
        ({"caps": [1]}, "job-request"),
        ({"now_s": None}, "job-request"),
        ({"entity": None}, "job-request"),
        ({"nonce": b"short"}, "job-request"),
        ({"nonce": None}, "job-request"),
    ]
    with web.serving(MiniCa()) as server:
        for change, code in wrong:
            with pytest.raises(AgentError) as caught:
                run({**job_for(server.url()), **change}, files)
            assert caught.value.code == code, change
        assert server.requests == []


def test_inspect(files: list[int]) -> None:
    texts = run({"op": "inspect", "kind": "certificate", "ders": [lab.root().der, b"junk"]}, files)[
        "texts"
    ]
    assert "CN=Lab Root" in texts[0]
    assert "cannot be read" in texts[1]


NAMES = ("cert.pem", "chain.pem", "ca.pem", "bundle.pem", "key.pem")


def activate(folder: Path, files: list[int], **changes: Any) -> Any:
    leaf = lab.certificate({"common_name": "dev1"}, "dev", lab.sub())
    job = {"op": "activate", "key": key_fields(), "certificate": leaf.der,
           "chain": [], "ca": lab.stored(lab.root(), lab.sub()), **lab.JUDGED}  # fmt: skip
    job |= changes
    staged = [os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600) for name in NAMES]
    try:
        return run(job, files + staged)
    finally:
        for descriptor in staged:
            os.close(descriptor)


def test_activate_writes_what_openssl_takes(tmp_path: Path, files: list[int]) -> None:
    ca_first, chain_first = [lab.sub().der, lab.root().der], [lab.sub().der, lab.root().der]
    assert activate(tmp_path, files) == {"chain": chain_first, "ca": ca_first, "notes": []}
    cert, chain, ca, bundle, key = ((tmp_path / name) for name in NAMES)
    assert bundle.read_bytes() == key.read_bytes() + cert.read_bytes() + chain.read_bytes()
    checks = (
        ["verify", "-no_check_time", "-CAfile", str(ca), "-untrusted", str(chain), str(cert)],
        ["pkey", "-in", str(key), "-check", "-noout"],
        ["pkey", "-in", str(key), "-pubout", "-outform", "der"],
    )
    runs = [subprocess.run(["openssl", *c], capture_output=True, check=True) for c in checks]
    assert runs[2].stdout == lab.public_der("dev")
    assert chain.read_text().count("BEGIN CERTIFICATE") == 2


def test_activate_refuses_a_certificate_of_another_key(tmp_path: Path, files: list[int]) -> None:
    for other, code in ((lab.root().der, "key-mismatch"), (b"junk", "issued-malformed")):
        with pytest.raises(AgentError) as caught:
            activate(tmp_path, files, certificate=other)
        assert caught.value.code == code
        public = b"".join((tmp_path / name).read_bytes() for name in NAMES[:4])
        assert b"CERTIFICATE" not in public


def test_a_full_device_is_an_error_of_storage(files: list[int]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    job = {"op": "activate", "key": key_fields(), "chain": [], "ca": None, **lab.JUDGED,
           "certificate": lab.certificate({"common_name": "x"}, "dev", None).der}  # fmt: skip
    try:
        with pytest.raises(AgentError) as caught:
            run(job, files + [full] * 5)
    finally:
        os.close(full)
    assert caught.value.code == "storage-failed"
