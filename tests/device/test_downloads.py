"""Files from a URL: by which way they are asked for, and that they replace nothing."""

import pytest

from agent.errors import AgentError
from agent.settings import Realm
from tests.helpers.device_bench import Bench, Waiter, ready, refuse

URL = "http://files.example/ca.pem"


def download(bench: Bench, file: str = "new.pem", realm: str = "abc") -> Waiter:
    waiter = Waiter()
    bench.device.exchange.download(realm, URL, file, waiter.done)
    return waiter


def test_a_file_comes_by_the_way_of_the_realm() -> None:
    bench = ready()
    realm = bench.device.settings.realms["abc"]
    realm.source_address, realm.vpn_instance, realm.https_ca_file = "192.0.2.7", "red", "ca.pem"
    waiter = download(bench)
    bench.turn()
    assert waiter.results == [None]
    assert bench.files.content["new.pem"] == b"content"
    (job,) = bench.worker.jobs
    assert (job["op"], job["url"], job["https_ca_file"]) == ("fetch-file", URL, "ca.pem")
    assert (job["source"]["address"], job["source"]["vrf"]) == ("192.0.2.7", "red")
    assert "HTTP_GET_FILE_OK: 7 bytes written to new.pem" in bench.logged()


def test_a_realm_that_has_nothing_is_enough() -> None:
    bench = Bench()
    bench.device.settings.realms["x"] = Realm("x")
    waiter = download(bench, realm="X")
    bench.turn()
    assert waiter.results == [None]


def test_no_file_is_replaced_whenever_it_came() -> None:
    bench = ready()
    bench.files.content["new.pem"] = b"old"
    with pytest.raises(AgentError) as caught:
        download(bench)
    assert caught.value.code == "file-exists"
    assert bench.worker.jobs == []
    del bench.files.content["new.pem"]
    waiter = download(bench)
    bench.files.content["new.pem"] = b"of somebody else"
    bench.turn()
    assert waiter.code == "file-exists"
    assert bench.files.content["new.pem"] == b"of somebody else"


def test_a_failure_leaves_no_file() -> None:
    bench = ready()
    for answer in (refuse("file-unreachable", url=URL, what="no", cause="no"), {"data": "text"}):
        bench.worker.answers["fetch-file"] = answer
        waiter = download(bench)
        bench.turn()
        assert waiter.code in ("file-unreachable", "job-answer")
        assert "new.pem" not in bench.files.content
