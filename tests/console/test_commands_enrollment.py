"""Applications, and requests that somebody carries."""

from tests.helpers.appliance_values import IDLE, PENDING, START_S, certificate, error
from tests.helpers.terminal import furnished, realm_script, system


def test_enrolment() -> None:
    device, script, realm = realm_script()
    text, status = script.run("pki enroll-certificate realm abc")
    assert (status, text.count("Error:")) == (1, 1)
    realm.url = "http://ca"
    device.statuses["abc"] = PENDING
    text, status = script.run("pki enroll-certificate realm ABC password topsecret")
    assert (status, device.asked[-1]) == (0, ("abc", "topsecret"))
    assert "Info: Realm abc: pending: the CA has not decided.\n Next step: poll 2 of 5, " in text
    device.locals["abc"] = certificate()
    assert "[Y/N]" in script.run("pki enroll-certificate realm abc")[0]
    assert script.run("y")[1] == 0
    device.locals["abc"] = certificate(not_after_s=START_S - 1)
    assert "[Y/N]" not in script.run("pki enroll-certificate realm abc")[0]
    assert "no realm x" in script.run("pki enroll-certificate realm x")[0]


def test_a_failed_enrolment_is_told_in_three_lines() -> None:
    device, script, realm = realm_script()
    realm.url, device.eager = "http://ca", False
    assert script.run("pki enroll-certificate realm abc")[1] is None
    device.finish(error())
    assert script.take() == (
        "Error: The CA said no.\n Cause: the challenge is wrong.\n Next step: ask the operator.\n"
    )
    assert script.status == 1


def test_a_renewal_by_hand() -> None:
    device, script, _realm = realm_script()
    text, status = script.run("pki update-certificate realm abc")
    assert (status, text.count("Error:")) == (1, 1)
    assert "has no local certificate" in text
    device.locals["abc"] = certificate()
    device.statuses["abc"] = PENDING
    text, status = script.run("pki update-certificate realm ABC")
    assert status == 0
    assert "Info: Realm abc: pending: the CA has not decided.\n Next step: poll 2 of 5, " in text


def test_abort_request() -> None:
    device, script, _ = realm_script()
    assert "no request under way" in script.run("pki abort-request realm abc")[0]
    device.statuses["abc"] = PENDING
    assert "was given up" in script.run("pki abort-request realm abc")[0]


def test_a_request_for_a_ca_that_is_reached_by_hand() -> None:
    found = furnished()
    text, status = system(found, "pki enroll-certificate realm abc pkcs10")
    assert (status, found.exchange.asked) == (0, [("request", "abc", "abc.req", False)])
    assert "Next step:" in text
    system(found, "pki enroll-certificate realm abc pkcs10 filename mine.req")
    assert found.exchange.asked[-1] == ("request", "abc", "mine.req", False)
    line = "pki enroll-certificate realm abc pkcs10 with-password"
    text, status = system(found, line, "y")
    assert found.exchange.asked[-1] == ("request", "abc", "abc.req", True)
    assert "without the challenge password" in text, "the realm has none"
    assert "This command needs level 3" in system(found, line, level=2)[0]


def test_another_renewal_point_is_shown_where_a_certificate_has_one() -> None:
    device, script, _ = realm_script()
    device.statuses["abc"] = IDLE._replace(renew_s=START_S + 86400)
    script.run("system-view")
    script.run("pki realm abc")
    assert "renewal point" not in script.run("enrollment-url http://ca/scep interval 5")[0]
    said = "Info: The renewal point of realm abc is 2026-11-24 14:05:00 UTC (in 1 d)."
    assert said in script.run("auto-enroll 50")[0]
    assert said in script.run("enrollment-url http://ca/scep interval 9")[0]
    device.statuses["abc"] = IDLE
    assert "renewal point" not in script.run("auto-enroll 60")[0]
