"""nornir with nornir-netmiko, four hosts at once."""

from cases import HOST, PASSWORD, PORT, USER, check, run
from nornir.core import Nornir
from nornir.core.inventory import ConnectionOptions, Defaults, Groups, Host, Hosts, Inventory
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.plugins.runners import ThreadedRunner
from nornir_netmiko.tasks import netmiko_save_config, netmiko_send_config


def four():
    """four hosts are configured and saved at once"""
    extras = {"conn_timeout": 60, "banner_timeout": 60, "auth_timeout": 60}
    extras["read_timeout_override"] = 60
    options = {"netmiko": ConnectionOptions(platform="huawei", extras=extras)}
    hosts = Hosts(
        {
            f"r{n}": Host(f"r{n}", HOST, PORT, USER, PASSWORD, connection_options=options)
            for n in range(4)
        }
    )
    ConnectionPluginRegister.auto_register()
    all_of_them = Nornir(Inventory(hosts, Groups(), Defaults()), runner=ThreadedRunner(4))

    def task(task):
        name = task.host.name
        task.run(netmiko_send_config, config_commands=[f"pki entity {name}", "common-name x"])
        task.run(netmiko_save_config, confirm=True)

    found = all_of_them.run(task)
    check(not found.failed, {name: one.exception for name, one in found.items()})


run("nornir", four)
