"""From the configuration to an application, on a device without a console."""

import pytest

from agent.errors import AgentError
from tests.helpers.device_bench import ready


def test_the_entity_of_a_realm_is_found_whatever_the_case() -> None:
    device = ready().device
    realm = device.settings.realms["abc"]
    realm.entity = "R1"
    assert "R1" not in device.settings.entities
    entity = device.applications.event(realm).settings["entity"]
    assert isinstance(entity, dict)
    assert entity["common_name"] == "r1.example"


def test_an_entity_that_is_gone_is_named() -> None:
    device = ready().device
    device.settings.entities.clear()
    with pytest.raises(AgentError, match="no entity r1"):
        device.applications.event(device.settings.realms["abc"])
