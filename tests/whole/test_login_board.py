"""Login at the real tty of a simulated board, with real jobs; and where no password is found."""

import json
from pathlib import Path

from tests.helpers.board import SAVE, Agent
from tests.whole.test_serial_console import Typist

PLAIN, LINE = "top-secret-1", "line-secret-2"
USERS = (
    "system-view",
    "aaa",
    f"local-user ann password irreversible-cipher {PLAIN}",
    "local-user ann privilege level 3",
    "local-user ann service-type terminal",
    f"local-user bob password irreversible-cipher {LINE}",
    "local-user bob privilege level 1",
    "local-user bob service-type terminal",
    "user-interface console 0",
)


def call(agent: Agent, prompt: str) -> Typist:
    """Somebody at the line, who has been asked."""
    typist = Typist(agent)
    typist.type("", prompt)
    return typist


def test_names_and_passwords_through_a_power_cut(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        said = agent.must(*USERS, "authentication-mode aaa", *SAVE)
        agent.kill()
        agent.start()
        typist = call(agent, "Username:")
        typist.type("ann", "Password:")
        assert "Error: Authentication failed." in typist.type(LINE, "Username:")
        typist.type("nobody", "Password:")
        assert "Error: Authentication failed." in typist.type(PLAIN, "Username:")
        typist.type("bob", "Password:")
        said += typist.type(LINE)
        assert "Info: Failed attempts on this line so far: 2." in said
        assert "Error: This command needs level 2." in typist.type("system-view")
        said += typist.type("display current-configuration | include local-user")
        said += typist.type("display logbuffer | include SHELL", ">")
        typist.type("quit", "quit\r\n")
        typist.close()
        typist = call(agent, "Username:")
        typist.type("ann", "Password:")
        typist.type(PLAIN)
        (serial, script) = json.loads(agent.must("display users json"))["items"]
        assert (serial["line"], serial["user"], serial["level"]) == ("CON 0", "ann", 3)
        assert serial["place"].startswith("/dev/pts/")
        assert (script["line"], script["own"]) == ("SOCK 0", True)
        said += typist.type("system-view") + typist.type("display this")
        typist.close()
        said += agent.log() + typist.text
    image = (tmp_path / "board" / "flash.bin").read_bytes()
    assert b"$scrypt$ln=14,r=8,p=1$" in image
    for plain in (PLAIN, LINE):
        assert plain.encode() not in image
        assert plain not in said.replace(f"cipher {plain}\n", ""), "beside the echo of the script"


def test_the_password_of_the_line_and_a_hang_up_at_its_prompt(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        first = f"set authentication password cipher {LINE}"
        agent.must("system-view", "user-interface console 0", first, "authentication-mode password")
        typist = call(agent, "Password:")
        typist.keys(b"half")
        typist.close()
        typist = call(agent, "Password:")
        assert typist.type(LINE, ">").endswith("<Huawei>")
        assert "\x08" not in typist.text
        assert LINE not in typist.text
        typist.close()
        agent.must("system-view", "undo user-interface console 0")
        typist = call(agent, ">")
        typist.close()


def test_the_same_password_keeps_its_hash_and_a_hash_is_taken_from_another_board(
    tmp_path: Path,
) -> None:
    with Agent(tmp_path / "one") as one, Agent(tmp_path / "two") as two:
        shown = one.must(*USERS, "display current-configuration")
        hashes = [line.strip() for line in shown.splitlines() if "$scrypt$" in line]
        assert len(hashes) == 2
        one.must("system-view", "aaa", USERS[2])
        assert hashes[0] in one.must("display current-configuration")
        two.must("system-view", "aaa", *hashes)
        shown = two.must("display current-configuration")
        assert all(line in shown for line in hashes)
        bad = hashes[0].replace("ln=14", "ln=30")
        said = two.script("system-view", "aaa", bad)
        assert said.status == 1
        assert "cannot be checked" in said.text
