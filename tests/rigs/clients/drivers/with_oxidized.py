"""Oxidized's model `vrp`: its questions, its prompt and what it makes of the answers, replayed.

The model is Ruby; what is here is its pattern of a prompt, its lines, and `cut_both`.
"""

import re

import paramiko
from cases import HOST, PASSWORD, PORT, USER, check, run

PROMPT = re.compile(r"(<[\w.-]+>)$")
LINES = ("display version", "display device", "display current-configuration all")


def asked(shell, line):
    if line:
        shell.send(line + "\n")
    text = ""
    while not PROMPT.search(text):
        data = shell.recv(65536).decode()
        check(data, f"the session ended: {text}")
        text += data
    return text


def stores():
    """what is stored is the configuration"""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(
        HOST, PORT, USER, PASSWORD, look_for_keys=False, allow_agent=False, timeout=60,
        banner_timeout=60, auth_timeout=60,
    )  # fmt: skip
    with client:
        shell = client.invoke_shell(width=80, height=24)
        shell.settimeout(120)
        asked(shell, "")
        asked(shell, "screen-length 0 temporary")
        found = {line: asked(shell, line).splitlines()[1:-1] for line in LINES}
        plain = asked(shell, "display current-configuration").splitlines()[1:-1]
    check(found[LINES[2]] == plain, found[LINES[2]])
    check(plain[0] == "#" and plain[-1] == "return", plain)
    check(not any("Error" in text for shown in found.values() for text in shown), found)


run("paramiko", stores)
