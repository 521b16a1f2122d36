"""From settings and records to job maps: complete or named, and the same bytes every time."""

import pytest

from agent.errors import AgentError
from agent.jobs import maps
from agent.settings import Entity, Realm, Settings
from hal import cbor
from hal.records import (
    CaRecord,
    CertificateRecord,
    KeyRecord,
    LinkRecord,
    LocalRecord,
    RenewalRecord,
    RequestRecord,
)

LEAF = CertificateRecord(b"ca", "CN=CA", "CN=CA", "01", 0, 1)
CA = CaRecord("ab", "cd", "ef", 0, "fingerprint", [LEAF], ["AES"], 3)
KEY = KeyRecord("k1", 2, 2048, False, 7, b"spki", b"sealed")
KEYS = maps.Keys(KEY, KEY)


def configured() -> tuple[Settings, Realm, Entity]:
    settings, realm, entity = Settings(), Realm("abc"), Entity("r1")
    entity.common_name, entity.organization_unit = "r1.example", ("a", "b")
    realm.entity, realm.key_pair, realm.url = "R1", "k1", "http://ca/scep"
    settings.entities["r1"], settings.realms["abc"] = entity, realm
    return settings, realm, entity


def request(realm: Realm, entity: Entity) -> RequestRecord:
    shaped = maps.snapshot(realm, entity, ["192.0.2.1"], None)
    return RequestRecord("sent", "t" * 32, 42, 2, shaped, "%^%#x%^%#", 0)


def test_a_complete_realm_has_its_entity() -> None:
    _settings, realm, entity = configured()
    assert maps.check_complete(realm, entity) is entity


@pytest.mark.parametrize(
    ("attribute", "code", "word"),
    [
        ("url", "realm-incomplete", "enrollment-url"),
        ("key_pair", "realm-incomplete", "rsa local-key-pair"),
        ("entity", "realm-incomplete", "entity"),
    ],
)
def test_what_is_missing_is_named(attribute: str, code: str, word: str) -> None:
    _settings, realm, entity = configured()
    setattr(realm, attribute, None)
    with pytest.raises(AgentError) as caught:
        maps.check_complete(realm, entity)
    assert caught.value.code == code
    assert word in caught.value.remedy


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(AgentError, match="entity, rsa local-key-pair, enrollment-url") as caught:
        maps.check_complete(Realm("new"), None)
    assert caught.value.remedy == (
        "type `pki realm new`, `entity ...`, `rsa local-key-pair ...`, `enrollment-url http://...`"
    )


def test_an_entity_that_is_gone_or_nameless_is_named() -> None:
    _settings, realm, entity = configured()
    entity.common_name = None
    with pytest.raises(AgentError, match="no common name"):
        maps.check_complete(realm, entity)
    with pytest.raises(AgentError, match="no entity R1"):
        maps.check_complete(realm, None)


def test_a_snapshot_survives_flash_unchanged() -> None:
    _settings, realm, entity = configured()
    shaped = maps.snapshot(realm, entity, ["192.0.2.1"], "SN1")
    assert cbor.loads(cbor.dumps(shaped), max_bytes=4096) == shaped


def test_jobs_take_the_request_from_its_record_and_policy_from_the_moment() -> None:
    _settings, realm, entity = configured()
    record = request(realm, entity)
    before = maps.request_job("enrol", realm, record, CA, KEYS, str.lower)
    entity.common_name, realm.url, realm.digest = "other", "http://other/", "md5"
    realm.weak, realm.source_interface, realm.bind_device = ("des",), "ETH0", True
    realm.compatibility = ("http-get",)
    after = maps.request_job("enrol", realm, record, CA, KEYS, str.lower)
    shaped = {"url", "entity", "digest", "key_usage", "transaction", "request_time_s", "password"}
    assert {name: before[name] for name in shaped} == {name: after[name] for name in shaped}
    assert after["weak"] == ["des"]
    assert after["source"] == {
        "address": None,
        "interface": "eth0",
        "bind_device": True,
        "vrf": None,
    }
    assert after["http"] == "get"
    assert after["key"] == {"name": "k1", "generation": 2, "sealed": b"sealed", "spki": b"spki"}
    fetch = maps.fetch_job(realm, record.settings, CA, str.lower)
    assert (fetch["op"], fetch["url"]) == ("fetch-ca", "http://ca/scep")
    assert fetch["stored"] == b"ca"
    assert maps.fetch_job(realm, record.settings, None, str.lower)["stored"] is None
    assert "password" not in fetch
    assert "key" not in fetch


def test_who_may_be_the_ra_follows_the_settings_of_the_moment() -> None:
    """A pin that is typed while a request waits counts for its polls; what was seen goes along."""
    _settings, realm, entity = configured()
    record = request(realm, entity)
    fetch = maps.fetch_job(realm, record.settings, None, str.lower)
    assert fetch["ra_fingerprint"] is None
    realm.ra_fingerprint = ("sha1", ("aa", "bb"))
    seen = CA._replace(ra_proven=True)
    for job in (
        maps.fetch_job(realm, record.settings, None, str.lower),
        maps.request_job("poll", realm, record, seen, KEYS, str.lower),
        maps.published_job(realm, seen, str.lower),
    ):
        assert job["ra_fingerprint"] == {"algorithm": "sha1", "hex": ["aa", "bb"]}
        trusted = job.get("ca")
        assert trusted is None or (isinstance(trusted, dict) and trusted["ra_proven"] is True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("192.0.2.1", True), ("2001:db8::1", True), ("eth0", False), ("1.2.3", False), ("", False)],
)
def test_an_address_is_not_an_interface(text: str, expected: bool) -> None:
    assert maps.is_address(text) is expected


def test_a_renewal_says_who_signs_it_and_with_which_key() -> None:
    _settings, realm, entity = configured()
    old = KeyRecord("k0", 1, 2048, False, 7, b"old spki", b"old sealed")
    way = RenewalRecord(17, LEAF, "k0", 1, False)
    record = request(realm, entity)._replace(renewal=way)
    job = maps.request_job("enrol", realm, record, CA, maps.Keys(KEY, old), str.lower)
    assert job["key"] == maps.key_map(KEY)
    assert job["renewal"] == {
        "message_type": 17,
        "certificate": b"ca",
        "key": maps.key_map(old),
        "with_password": False,
    }
    plain = maps.request_job("enrol", realm, request(realm, entity), CA, KEYS, str.lower)
    assert plain["renewal"] is None


@pytest.mark.parametrize("with_password", [False, True])
def test_the_challenge_goes_to_no_job_that_sends_none(with_password: bool) -> None:
    _settings, realm, entity = configured()
    way = RenewalRecord(17, LEAF, "k0", 1, with_password)
    for op, renewal, sent in (
        ("enrol", None, True),
        ("enrol", way, with_password),
        ("poll", None, False),
        ("get-cert", way, False),
    ):
        record = request(realm, entity)._replace(renewal=renewal, password="sealed")
        job = maps.request_job(op, realm, record, CA, KEYS, str.lower)
        assert (job["password"] == "sealed") is sent, op


def test_a_certificate_of_another_ca_goes_into_use_with_that_one() -> None:
    """Field case 11 (a)."""
    _settings, realm, _entity = configured()
    realm.root_fingerprints = (("sha1", "12"),)
    local = LocalRecord(LEAF, [b"old ca"], "k1", 1, 5, pin="01d")
    former = CA._replace(lineage=[LinkRecord("01d", "", "", LEAF, b"message")])
    for known in (None, CA._replace(pin="01d"), former):
        assert maps.former_ca(realm, known, local) == {}
    assert maps.former_ca(realm, CA, local._replace(pin="")) == {}  # of an older release
    ca = maps.former_ca(realm, CA, local)["ca"]
    assert isinstance(ca, dict)
    assert (ca["certificates"], ca["pin"]) == ([b"old ca"], "01d")
    assert ca["anchor"] == {"algorithm": "sha256", "hex": "01d"}
    assert ca["roots"] == [{"algorithm": "sha1", "hex": "12"}]
