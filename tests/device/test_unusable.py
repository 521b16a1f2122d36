"""A device whose storage cannot be used: what stays, what is refused, and the way to a new one."""

import pytest

from agent.errors import AgentError
from agent.pieces import at_once
from hal.fakes.flash import ERASE_ERROR, FakeFlash
from hal.flash import is_blank
from tests.helpers.device_bench import CONFIGURATION, Bench, Waiter, ready
from tests.helpers.loss import typed

REASON = "neither our format nor erased"
SAID = "The storage of this device cannot be used"


def unusable(bench: Bench | None = None) -> Bench:
    """A device that has worked, and whose part somebody has filled with something else."""
    bench = bench or ready()
    if "abc" in bench.device.settings.realms:
        bench.enrol()
    bench.keeps_folders = True
    bench.factory = CONFIGURATION
    size = bench.flash.block_size * bench.flash.block_count
    bench.flash = FakeFlash.from_image(b"something else. " * (size // 16), bench.flash.block_size)
    bench.reboot()
    bench.worker.jobs.clear()
    return bench


@pytest.fixture(scope="module")
def stranded() -> Bench:
    """For tests that change nothing."""
    return unusable()


def test_nothing_is_touched_and_nothing_is_made_up(stranded: Bench) -> None:
    """No realm of the factory is taken up; consumers and files have what they had."""
    assert stranded.flash.operations == 0
    assert list(stranded.device.settings.realms) == ["default"]
    assert stranded.device.key_pairs() == []
    assert stranded.memory.current("abc", "cert.pem") == b"cert"
    assert "abc_local.cer" in stranded.files.content
    assert REASON in stranded.logged()
    assert "`reset pki storage`" in stranded.logged()


def test_no_serial_line_lets_anybody_in_whatever_is_configured(stranded: Bench) -> None:
    closed = stranded.device.configuration.closed
    assert REASON in closed()
    stranded.device.settings.console.mode = "aaa"
    assert REASON in closed()
    stranded.device.settings.console.mode = "none"


@pytest.mark.parametrize(
    "line",
    [
        "display pki realm",
        "display pki certificate local",
        "display pki enrollment realm abc",
        "display pki rsa local-key-pair public",
        "display pki crl",
        "display pki statistics",
        "diagnose realm abc",
    ],
)
def test_displays_of_the_storage_say_why_it_is_empty_and_what_to_type(
    stranded: Bench, line: str
) -> None:
    said = typed(stranded, 3, line)
    assert said.startswith(f"Warning: {SAID}: ")
    assert REASON in said
    assert "`reset pki storage`" in said


def test_json_is_for_programs_alone(stranded: Bench) -> None:
    assert typed(stranded, 3, "display pki statistics json").startswith('{"display"')


@pytest.mark.parametrize(
    "lines",
    [
        ("save",),
        ("system-view", "pki enroll-certificate realm abc"),
        ("system-view", "pki rsa local-key-pair create k1"),
        ("system-view", "pki import-certificate ca realm abc"),
        ("system-view", "pki get-crl realm abc"),
        ("reset pki storage unused", "y"),
        ("reset saved-configuration", "y"),
    ],
)
def test_what_the_storage_must_take_is_refused_with_the_reason(
    stranded: Bench, lines: tuple[str, ...]
) -> None:
    stranded.worker.jobs.clear()
    said = typed(stranded, 3, *lines)
    assert f"Error: {SAID}: " in said or "nothing of the saved configuration" in said.lower()
    assert REASON in said
    assert stranded.flash.operations == 0
    assert stranded.worker.jobs == []


def test_a_realm_that_is_configured_all_the_same_leaves_memory_alone() -> None:
    bench = unusable()
    said = typed(
        bench, 3, "system-view", "pki realm abc", "enrollment-url http://ca/", "quit",
        "undo pki realm abc", "y",
    )  # fmt: skip
    assert SAID in said
    assert bench.memory.current("abc", "cert.pem") == b"cert"
    assert "abc_local.cer" in bench.files.content


def test_an_uploaded_configuration_is_refused(stranded: Bench) -> None:
    with pytest.raises(AgentError) as caught:
        stranded.replace(stranded.device.settings)
    assert caught.value.code == "storage-unusable"


def test_certificates_in_the_files_of_storage_can_be_shown(stranded: Bench) -> None:
    stranded.files.content["abc_local.cer"] = b"a certificate"
    stranded.files.content["xyz_local.cer"] = b"another one"
    said = typed(stranded, 3, "display pki certificate local realm ABC")
    assert "text of b'a certificate'" in said
    assert "abc_local.cer" in said
    assert "another one" not in said
    both = typed(stranded, 3, "display pki certificate local")
    assert "a certificate" in both
    assert "another one" in both
    stranded.worker.jobs.clear()


# -- the way on ------------------------------------------------------------------------------------


def test_reset_pki_storage_erases_the_part_and_the_agent_starts_anew() -> None:
    bench = unusable()
    said = typed(bench, 3, "reset pki storage", "y")
    bench.turn(100)
    assert "will be erased for ever" in said
    assert "What consumers read from memory, and the files of storage, stay." in said
    assert is_blank(bench.flash.image())
    assert bench.restarts == [True]
    assert bench.memory.current("abc", "cert.pem") == b"cert"
    bench.reboot()
    assert bench.device.unusable is None
    assert "abc" in bench.device.settings.realms  # the factory's configuration
    at_once(bench.device.configuration.save())


def test_it_is_not_begun_without_a_yes_nor_by_somebody_of_level_2() -> None:
    bench = unusable()
    typed(bench, 3, "reset pki storage", "n")
    assert "level 3" in typed(bench, 2, "reset pki storage", "y")
    bench.turn(100)
    assert (bench.flash.operations, bench.restarts) == (0, [])


def test_each_turn_of_the_loop_erases_one_block() -> None:
    bench = unusable()
    done = Waiter()
    assert bench.device.unusable
    bench.device.unusable.renew(False, done.done)
    most = before = 0
    while not done.results:
        bench.loop.turn(0)
        most, before = max(most, sum(bench.flash.wear) - before), sum(bench.flash.wear)
    assert (most, before) == (1, bench.flash.block_count)


def test_a_block_that_cannot_be_erased_is_told_and_the_condition_stays() -> None:
    bench = unusable()
    bench.flash.spoil(5, ERASE_ERROR)
    done = Waiter()
    assert bench.device.unusable
    bench.device.unusable.renew(True, done.done)
    bench.turn(100)
    assert done.code == "storage-unusable"
    assert bench.restarts == []
    assert bench.memory.current("abc", "cert.pem") == b"cert"
    bench.reboot()
    assert bench.device.unusable


def test_from_a_serial_line_memory_and_files_go_as_well() -> None:
    """Whoever erases from there has shown nobody who he is: he gets no keys and certificates."""
    bench = unusable()
    done = Waiter()
    assert bench.device.unusable
    bench.device.unusable.renew(True, done.done)
    bench.turn(100)
    assert done.results == [None]
    assert bench.memory.realms() == []
    assert bench.files.content == {}
    assert bench.restarts == [True]
