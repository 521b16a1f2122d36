"""`diagnose realm`: each thing that can be wrong is found, named, and told how to mend."""

import contextlib
from collections.abc import Callable
from string import Formatter

import pytest

from agent.appliance import Check
from agent.catalogue.network import NETWORK
from agent.device.diagnosis import UNTRIED, WAY
from agent.errors import AgentError, fail
from agent.pieces import at_once
from agent.settings import Realm
from hal.fakes.flash import PROGRAM_ERROR
from tests.helpers.appliance import FakeDevice
from tests.helpers.device_bench import RELATIONS, START_S, Bench, Waiter, certificate, ready, refuse
from tests.helpers.terminal import Script


def fields(text: str) -> list[str]:
    return [name for _text, name, _spec, _conversion in Formatter().parse(text) if name]


def checks(bench: Bench, realm: str = "abc") -> dict[str, Check]:
    results: list[list[Check]] = []
    bench.device.diagnose(realm, results.append)  # type: ignore[arg-type]
    bench.turn()
    (found,) = results
    return {check.check: check for check in found}


def test_a_realm_that_is_ready() -> None:
    found = checks(ready())
    local = ["configuration", "key pair", "clock", "source", "store"]
    way = ["name", "route", "port", "HTTP", "capabilities", "CA set"]
    last = ["fingerprint", "CA name", "renewal", "recipient", "algorithms", "challenge"]
    assert list(found) == [*local, *way, *last]
    assert {check.result for check in found.values()} == {"ok", "warning"}
    assert "trusted by fingerprint" in found["fingerprint"].detail


def test_a_password_is_opened_before_it_is_called_good() -> None:
    bench = ready()
    bench.device.settings.realms["abc"].password = "%^%#c2VhbGVk%^%#"
    assert checks(bench)["challenge"].result == "ok"
    assert bench.worker.jobs[-1]["op"] == "check-sealed"


def no_url(bench: Bench) -> None:
    bench.device.settings.realms["abc"].url = None


def no_key(bench: Bench) -> None:
    bench.device.settings.realms["abc"].key_pair = "gone"


def no_time(bench: Bench) -> None:
    bench.clock.jump(-1_700_000_000)


def no_address(bench: Bench) -> None:
    bench.device.settings.realms["abc"].source_interface = "eth7"


def other_address(bench: Bench) -> None:
    bench.device.settings.realms["abc"].source_address = "198.51.100.1"


def no_flash(bench: Bench) -> None:
    for block in range(bench.flash.block_count):
        bench.flash.spoil(block, PROGRAM_ERROR)
    with pytest.raises(Exception, match="did not take"):
        at_once(bench.device.configuration.save())


def no_name(bench: Bench) -> None:
    bench.worker.answers["fetch-ca"] = refuse("name-unresolved", host="ca", what="no such name")


def nonsense(bench: Bench) -> None:
    bench.worker.answers["fetch-ca"] = {"caps": [], "certificates": [{"der": 7}]}


def another_ca(bench: Bench) -> None:
    bench.device.settings.realms["abc"].fingerprint = ("sha256", "66" * 32)


def old_ca(bench: Bench) -> None:
    """Its own certificate has ended; that of the device plays no part."""
    bench.advance(366 * 86400)


def other_device(bench: Bench) -> None:
    """The configuration was copied from one."""
    bench.device.settings.realms["abc"].password = "%^%#c2VhbGVk%^%#"
    bench.worker.answers["check-sealed"] = refuse("sealed-foreign")


@pytest.mark.parametrize(
    ("spoil", "check", "step"),
    [
        (no_url, "configuration", "enrollment-url"),
        (no_key, "key pair", "pki rsa local-key-pair create gone"),
        (no_time, "clock", "clock datetime"),
        (no_address, "source", "display interface brief"),
        (other_address, "source", "display interface brief"),
        (no_flash, "store", "log"),
        (no_name, "name", "check `enrollment-url`"),
        (nonsense, "CA", "try again"),
        (old_ca, "fingerprint", "new fingerprint"),
        (another_ca, "fingerprint", "compare with the CA's operator"),
        (other_device, "challenge", "password cipher"),
    ],
)
def test_what_is_wrong_is_found(spoil: Callable[[Bench], None], check: str, step: str) -> None:
    bench = ready()
    spoil(bench)
    found = checks(bench)
    assert found[check].result == "failed"
    assert step in str(found[check].next_step)


def test_an_ra_that_nobody_reckons_with_is_a_doubt() -> None:
    bench = ready()
    (ca,) = bench.worker.answers["fetch-ca"]["certificates"]
    both = [ca, {**ca, "is_ca": False, "subject": "CN=RA"}]
    bench.worker.answers["fetch-ca"] = {"caps": [], "certificates": both, "notes": []}
    found = checks(bench)["CA set"]
    assert (found.result, found.detail[:14]) == ("warning", "2 certificates")
    assert "`ra`" in str(found.next_step)
    bench.device.settings.realms["abc"].ra = True
    assert checks(bench)["CA set"].result == "ok"


@pytest.mark.parametrize("code", NETWORK)
def test_each_error_of_the_network_ends_one_step_of_the_way(code: str) -> None:
    (stage,) = [stage for stage in WAY if code.startswith(stage.codes)]
    bench = ready()
    if stage.check == "TLS":
        bench.files.write("web.pem", b"x")
        bench.device.settings.realms["abc"].https_ca_file = "web.pem"
        bench.device.settings.realms["abc"].url = "https://ca.example/scep"
    values = {name: "X" for row in [NETWORK[code]] for text in row[2:] for name in fields(text)}
    bench.worker.answers["fetch-ca"] = refuse(code, **values)
    found = checks(bench)
    way = [name for name in found if name in {stage.check for stage in WAY}]
    assert found[way[-1]].result == "failed"
    assert way[-1] == stage.check
    assert all(found[name].result == "ok" for name in way[:-1])
    steps = [one.check for one in WAY if one.check != "TLS" or stage.check == "TLS"]
    passed = [] if code in UNTRIED else steps[: steps.index(stage.check)]
    assert way == [*passed, stage.check], "nothing is said to be good that was not tried"
    assert ("TLS" in way) == (stage.check == "TLS")


def test_a_file_of_device_storage_that_is_not_there() -> None:
    bench = ready()
    bench.device.settings.realms["abc"].https_ca_file = "web.pem"
    assert "TLS" not in checks(bench)  # for http it does not count
    bench.device.settings.realms["abc"].url = "HTTPS://ca.example/scep"
    found = checks(bench)
    assert (found["TLS"].result, "web.pem" in found["TLS"].detail) == ("failed", True)


def test_a_server_without_capabilities() -> None:
    bench = ready()
    bench.worker.answers["fetch-ca"]["caps"] = []
    assert checks(bench)["capabilities"].result == "warning"


def test_a_ca_that_nobody_has_compared_is_a_doubt_with_its_fingerprint() -> None:
    bench = ready()
    bench.device.settings.realms["abc"].fingerprint = None
    found = checks(bench)
    assert found["fingerprint"].result == "warning"
    assert "5a" * 32 in found["fingerprint"].detail


NEXT = {**certificate("CN=next CA", "02", "CN=next CA"), "is_ca": True, "sha256": "6b" * 32}
NEXT |= {**RELATIONS, "md5": "6b" * 16, "sha1": "6b" * 20, "not_after_s": START_S + 9 * 365 * 86400}


def test_it_judges_as_an_application_would_when_the_ca_has_a_successor() -> None:
    """Both are in the set, and the older one has ended: the named successor is the one to trust."""
    bench = ready()
    waiter = Waiter()
    bench.device.exchange.get_ca("abc", waiter, waiter.done)
    bench.turn()
    found = {"certificates": [NEXT], "message": b"signed", "via": [], "notes": []}
    bench.worker.answers["next-ca"] = found
    bench.device.exchange.get_next_ca("abc", waiter, waiter.done)
    bench.turn()
    bench.worker.answers["fetch-ca"]["certificates"].append(NEXT)
    assert checks(bench)["CA name"].detail == "CN=CA"
    bench.advance(366 * 86400)
    found = checks(bench)
    assert "trusted by fingerprint" in found["fingerprint"].detail
    assert found["CA name"].detail == "CN=next CA"


# -- who receives a request ------------------------------------------------------------------------


def entity_without_address(bench: Bench) -> None:
    (entity,) = bench.device.settings.entities.values()
    entity.ip_address = "eth7"


def refused(code: str, **values: str) -> Callable[[Bench], None]:
    def spoil(bench: Bench) -> None:
        bench.worker.answers["diagnose"] = refuse(code, **values)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "check", "detail"),
    [
        (entity_without_address, "entity", "eth7 has no address"),
        (refused("ra-missing", others=""), "recipient", "no RA certificate"),
        (refused("ra-unusable", sha256="5a", subject="CN=RA", reason="it is not in date"),
         "recipient", "it is not in date"),
        (refused("ca-cannot-encrypt", subject="CN=CA", reason="not an RSA key"),
         "recipient", "not an RSA key"),
        (refused("issued-unverifiable", reason="ML-DSA-44"), "recipient", "ML-DSA-44"),
    ],
)  # fmt: skip
def test_what_would_keep_a_request_from_leaving(
    spoil: Callable[[Bench], None], check: str, detail: str
) -> None:
    bench = ready()
    spoil(bench)
    found = checks(bench)
    assert found[check].result == "failed"
    assert detail in found[check].detail
    assert found[check].next_step


def test_the_recipient_is_judged_under_the_ca_that_would_be_trusted() -> None:
    bench = ready()
    bench.device.settings.realms["abc"].cipher = "aes256"
    checks(bench)
    (job,) = [job for job in bench.worker.jobs if job["op"] == "diagnose"]
    assert job["ca"]["pin"] == "5a" * 32
    assert job["ca"]["certificates"] == [b"der of CN=CA 01"]
    assert (job["cipher"], job["digest"], job["caps"], job["ra"]) == (
        "aes256", "sha-256", ["AES"], False,
    )  # fmt: skip


def test_what_is_weak_is_a_doubt() -> None:
    bench = ready()
    bench.worker.answers["diagnose"]["notes"] = ["3des instead of aes128", "sha1 in CN=Sub"]
    found = checks(bench)["algorithms"]
    assert (found.result, found.detail) == ("warning", "3des instead of aes128; sha1 in CN=Sub")


@pytest.mark.parametrize("spoil", [no_name, another_ca])
def test_without_a_ca_nobody_is_asked_who_would_receive(spoil: Callable[[Bench], None]) -> None:
    bench = ready()
    spoil(bench)
    assert "recipient" not in checks(bench)
    assert "diagnose" not in bench.worker.ops()


@pytest.mark.parametrize(
    ("caps", "words", "password", "result", "told"),
    [
        (["AES", "Renewal"], (), None, "ok", "by RenewalReq, with the old certificate"),
        (["AES"], (), None, "warning", "as a new device"),
        (["AES"], (), "%^%#c2VhbGVk%^%#", "ok", "as a new device"),
        (["AES"], ("renew-by-signed-pkcsreq",), None, "ok", "by PKCSReq, with the old certificate"),
        (["renewal"], ("renew-by-pkcsreq",), None, "warning", "as a new device"),
    ],
)
def test_the_way_of_a_renewal(
    caps: list[str], words: tuple[str, ...], password: str | None, result: str, told: str
) -> None:
    bench = ready()
    bench.worker.answers["fetch-ca"]["caps"] = caps
    realm = bench.device.settings.realms["abc"]
    realm.compatibility, realm.password = words, password
    found = checks(bench)["renewal"]
    assert found.result == result
    assert found.detail.startswith(told)


def test_the_way_of_a_renewal_of_the_certificate_in_use() -> None:
    bench = ready()
    waiter = Waiter()
    bench.device.applications.enrol("abc", None, waiter, waiter.done)
    bench.turn()
    assert waiter.results == [None]
    bench.worker.answers["fetch-ca"]["caps"] = ["AES", "Renewal"]
    told = checks(bench)["renewal"].detail
    assert told.startswith("renewing by RenewalReq, signed with certificate ")


GREEN = ("ok", "warning")


@pytest.mark.parametrize(
    "spoil",
    [lambda _bench: None, no_key, no_address, entity_without_address, no_name, another_ca, no_url],
)
def test_green_means_that_an_application_is_sent(spoil: Callable[[Bench], None]) -> None:
    bench = ready()
    spoil(bench)
    is_green = all(check.result in GREEN for check in checks(bench).values())
    bench.worker.jobs.clear()
    with contextlib.suppress(AgentError):
        waiter = Waiter()
        bench.device.applications.enrol("abc", None, waiter, waiter.done)
        bench.turn()
    assert "enrol" in bench.worker.ops() or not is_green
    if spoil is not no_address:  # which the child finds out, and the bench has none
        assert is_green or "enrol" not in bench.worker.ops()


def test_nothing_is_changed() -> None:
    bench = ready()
    before = bench.store.health.sequence
    checks(bench)
    assert bench.store.health.sequence == before
    assert bench.device.ca("abc") is None


def test_a_script_ends_with_status_1_when_something_has_failed() -> None:
    device = FakeDevice(eager=True)
    device.settings.realms["abc"] = Realm("abc")
    text, status = Script(device).run("diagnose realm abc")
    assert (status, "Next step: set one." in text) == (0, True)
    device.eager = False
    script = Script(device)
    script.run("diagnose realm abc")
    device.finish([Check("CA", "failed", "no answer", "wait")])
    assert script.status == 1
    script = Script(device)
    script.run("diagnose realm abc")
    device.finish(fail("job-died"))
    assert script.status == 1
