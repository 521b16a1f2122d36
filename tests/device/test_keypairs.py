"""Key pairs: made, taken, refused, destroyed."""

import pytest

from agent.errors import AgentError
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
