"""Applications with every size of a key that a realm may have, in every digest that it may name."""

import os
from collections.abc import Iterator

import pytest

from agent.scep import vault
from tests.helpers import scep_ca
from tests.helpers import scep_http as web
from tests.scep.test_operations import DEVICE_KEY, MiniCa, job_for, run

SIZES = (2048, 3072, 4096)
DIGESTS = ("md5", "sha1", "sha-256", "sha-384", "sha-512")


@pytest.fixture(params=SIZES)
def key(request: pytest.FixtureRequest) -> Iterator[tuple[int, dict[str, object], list[int]]]:
    sealed, spki = vault.generate(DEVICE_KEY, "k1", 1, request.param)
    fields = {"name": "k1", "generation": 1, "sealed": sealed, "spki": spki}
    descriptor = os.memfd_create("device-key")
    os.write(descriptor, DEVICE_KEY)
    yield request.param, fields, [descriptor]
    os.close(descriptor)


@pytest.mark.slow
def test_every_size_of_a_key_with_every_digest(
    key: tuple[int, dict[str, object], list[int]],
) -> None:
    bits, fields, files = key
    for digest in DIGESTS:
        ca = MiniCa()
        with web.serving(ca) as server:
            answer = run({**job_for(server.url(), digest=digest), "key": fields}, files)
        assert answer["status"] == "issued"
        assert bool([n for n in answer["notes"] if digest in n]) is (digest in DIGESTS[:2])
        (got,) = ca.received  # verified by asn1crypto and the library, in its own digest
        info = got.message["signer_infos"][0]
        request = scep_ca.read_request(got.content)
        named = (info["digest_algorithm"]["algorithm"].native, request["signature_algorithm"])
        assert (named[0], named[1].hash_algo) == (digest.replace("-", ""),) * 2
        key_info = request["certification_request_info"]["subject_pk_info"]
        assert key_info.bit_size == bits
