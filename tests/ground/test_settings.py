"""The model: what nobody has configured, and names whose case does not count."""

import pytest

from agent.settings import Entity, Realm, Settings, fold


def test_names_are_found_whatever_their_case() -> None:
    assert fold("Abc") == fold("aBC")
    assert fold("a-b") != fold("ab")


def test_realm_default_always_exists() -> None:
    assert list(Settings().realms) == ["default"]


def test_nothing_is_shared_between_two_devices() -> None:
    one, other = Settings(), Settings()
    one.realms["default"].ca_id = "x"
    one.entities["e"] = Entity("e")
    assert other.realms["default"].ca_id is None
    assert other.entities == {}


def test_defaults_of_a_realm() -> None:
    realm = Realm("abc")
    assert (realm.poll_interval_min, realm.poll_times, realm.ra) == (1, 5, False)
    assert (realm.digest, realm.cipher, realm.subject_match) == ("sha-256", None, "standard")
    unset = {"name", "poll_interval_min", "poll_times", "digest", "subject_match"}
    assert not any(getattr(realm, name) for name in set(Realm.__slots__) - unset)


def test_a_misspelt_setting_is_an_error() -> None:
    for record in (Entity("e"), Realm("r"), Settings()):
        with pytest.raises(AttributeError):
            record.misspelt = 1  # type: ignore[union-attr]
