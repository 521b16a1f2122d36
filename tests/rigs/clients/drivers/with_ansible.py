"""ansible-core: `ce_config` of community.network twice, its `ce_facts`, and `cli_command` of
ansible.netcommon.

Of the facts those of the software and of the configuration can be had; memory, neighbours and the
like belong to a router, of which the agent is a part.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cases import HOST, PASSWORD, PORT, USER, check, run

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - community.network.ce_config:
        lines: [common-name a1.example]
        parents: [pki entity a1]
        save: true
    - community.network.ce_config:
        lines: [common-name a1.example]
        parents: [pki entity a1]
    - ansible.netcommon.cli_command:
        command: display version
    - community.network.ce_facts:
        gather_subset: [default, config]
"""


def configures_twice():
    """ce_config changes, then changes nothing; cli_command shows; ce_facts has the name"""
    with tempfile.TemporaryDirectory() as folder:
        play = Path(folder) / "play.yml"
        play.write_text(PLAY)
        variables = {
            "ansible_connection": "ansible.netcommon.network_cli",
            "ansible_network_os": "community.network.ce",
            "ansible_network_cli_ssh_type": "paramiko",
            "ansible_host": HOST, "ansible_port": PORT,
            "ansible_user": USER, "ansible_password": PASSWORD,
            "ansible_host_key_checking": False,
            "ansible_command_timeout": 120, "ansible_connect_timeout": 120,
        }  # fmt: skip
        words = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "r1,", str(play)]
        done = subprocess.run(
            [*words, "-e", json.dumps(variables)],
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
                 "ANSIBLE_HOST_KEY_CHECKING": "False", "HOME": folder, "LC_ALL": "C.UTF-8"},
            capture_output=True, text=True, timeout=500, check=False,
        )  # fmt: skip
    check(done.returncode == 0, done.stdout + done.stderr)
    tasks = json.loads(done.stdout[done.stdout.index("{") :])["plays"][0]["tasks"]
    results = [task["hosts"]["r1"] for task in tasks]
    check([result["changed"] for result in results[:2]] == [True, False], results)
    check("software, Version" in results[2]["stdout"], results)
    facts = results[3]["ansible_facts"]
    check((facts["hostname"], facts["config"][1]) == ("Huawei", "sysname Huawei"), facts)


run("ansible-core", configures_twice)
