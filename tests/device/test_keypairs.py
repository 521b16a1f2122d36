"""Key pairs: made, taken, refused, destroyed."""

import pytest

from agent.errors import AgentError
from hal.record_codec import encode
from hal.record_keys import key_pair_key
from hal.records import KeyRecord
from tests.helpers.device_bench import Bench, Waiter, ready


def test_key_pairs() -> None:
    bench = ready()
    assert bench.device.key_pair_user("k1") == "abc"
    with pytest.raises(AgentError, match="used by realm abc"):
        bench.device.destroy_key_pair("k1")
    bench.key("k2")
    assert [(key.name, key.generation) for key in bench.device.key_pairs()] == [
        ("k1", 1),
        ("k2", 1),
    ]
    bench.key("k2")
    assert bench.device.key_pairs()[1].generation == 2
    bench.device.destroy_key_pair("k2")
    with pytest.raises(AgentError, match="no RSA key pair"):
        bench.device.destroy_key_pair("k2")
    bench.enrol()
    bench.device.settings.realms["abc"].key_pair = None
    assert bench.device.key_pair_user("k1") == "abc"  # its certificate is in use


def test_an_answer_without_its_fields_is_no_key_pair() -> None:
    bench = Bench()
    bench.worker.answers["generate-key"] = {"spki": "text"}
    waiter = Waiter()
    bench.device.create_key_pair("k1", 2048, False, waiter.done)
    bench.turn()
    assert waiter.code == "job-answer"
    assert bench.device.key_pairs() == []


def test_two_sessions_cannot_make_the_same_key_pair_at_once() -> None:
    bench, first, second = Bench(), Waiter(), Waiter()
    bench.device.create_key_pair("k1", 2048, False, first.done)
    with pytest.raises(AgentError) as caught:
        bench.device.create_key_pair("k1", 2048, False, second.done)
    assert caught.value.code == "key-making"
    bench.turn()
    assert first.code is None


def test_a_key_pair_that_was_taken_meanwhile_is_not_replaced() -> None:
    bench = ready()
    bench.key("k2")
    waiter = Waiter()
    bench.device.create_key_pair("k2", 2048, False, waiter.done)
    bench.device.settings.realms["abc"].key_pair = "k2"
    bench.device.changed()
    bench.turn()
    assert waiter.code == "key-used"
    assert bench.enrol().code is None


def _put(bench: Bench, generation: int, **changes: object) -> None:
    """Another generation of k1, as a renewal with a new key leaves it beside the one in use."""
    pair = KeyRecord("k1", generation, 2048, False, 7, b"spki", b"sealed")._replace(**changes)  # type: ignore[arg-type]
    bench.store.commit({key_pair_key("k1", generation): encode(pair)})


def test_the_newest_generation_is_shown_and_serves_the_next_application() -> None:
    bench = ready()
    bench.enrol()
    _put(bench, 2)
    _put(bench, 10)
    assert [(key.name, key.generation) for key in bench.device.key_pairs()] == [("k1", 10)]
    assert bench.device.local("abc")
    assert bench.enrol().code is None
    assert bench.device.realms.keys_held("abc") == [("k1", 10)]


def test_a_certificate_is_served_with_the_generation_that_it_is_for() -> None:
    bench = ready()
    bench.enrol()
    _put(bench, 2)
    bench.reboot()
    (job,) = [job for job in bench.worker.jobs if job["op"] == "activate"][-1:]
    assert job["key"]["generation"] == 1


def test_a_generation_that_nobody_holds_goes_when_the_name_is_made_anew() -> None:
    bench = Bench()
    for generation in (1, 2, 7):
        _put(bench, generation)
    bench.key()
    assert bench.store.keys("key/") == ["key/k1/8"]
    _put(bench, 9)
    bench.device.destroy_key_pair("k1")
    assert bench.store.keys("key/") == []


def test_a_newest_generation_that_cannot_be_read_is_not_replaced_by_an_older_one() -> None:
    bench = ready()
    _put(bench, 2, kind="of a later release")
    assert bench.device.key_pairs() == []
    assert bench.device.key_pair_unreadable("k1")
    assert "its kind is of a later release" in bench.logged()
    with pytest.raises(AgentError, match="no RSA key pair"):
        bench.device.applications.enrol("abc", None, Waiter(), Waiter().done)
