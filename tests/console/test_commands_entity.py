"""The entity view, and entities that are used."""

import pytest

from agent.console.commands.table import render_configuration
from agent.console.configuration.loader import load_configuration
from tests.helpers.appliance import FakeDevice
from tests.helpers.terminal import Script, realm_script


def test_an_entity_in_use_is_kept_whole() -> None:
    device, script, _ = realm_script()
    script.run("pki entity e1", "common-name r1", "pki realm abc", "entity e1")
    assert "used by realm abc" in script.run("undo pki entity e1")[0]
    assert "used by realm abc" in script.run("pki entity e1", "undo common-name")[0]
    script.run("pki realm abc", "undo entity")
    assert script.run("undo pki entity E1") == ("", 0)
    assert device.settings.entities == {}


@pytest.mark.parametrize(
    "line",
    [
        "common-name r1.example.com",
        'common-name "Router 1, room (2)"',
        "country CN",
        "state Jiangsu",
        "locality Nanjing",
        'organization "Example Ltd."',
        "organization-unit noc,core",
        "fqdn r1.example.com",
        "ip-address 192.0.2.1",
        "ip-address 2001:db8::1",
        "ip-address eth0",
        "ip-address GigabitEthernet0/0/1",
        "email noc@example.com",
        "serial-number",
    ],
)
def test_attributes_of_an_entity(line: str) -> None:
    device = FakeDevice()
    script = Script(device)
    assert script.run("system-view", "pki entity e1", line)[1] == 0
    rendered = render_configuration(device.settings)
    assert f" {line}" in rendered
    again = FakeDevice()
    assert load_configuration(again, "\n".join(rendered)) == []
    assert render_configuration(again.settings) == rendered
    assert script.run(f"undo {line.split()[0]}")[1] == 0
    assert render_configuration(device.settings)[4] == "#"
