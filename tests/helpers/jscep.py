"""A CA on jscep's servlet (Java), as `make peers-java` has fetched it.

Tomcat and jscep come from Maven Central into `.peers/jscep`; the CA around them is
`tests/peers/jscep/JscepCa.java`, compiled as it starts. It answers with 3DES, SHA-1 and BER.
"""

import select
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
JARS = ROOT / ".peers" / "jscep"
SOURCE = ROOT / "tests" / "peers" / "jscep" / "JscepCa.java"
START_S = 240  # a virtual machine and a compiler on a busy machine
STOP_S = 60
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # to start, not to run for long


def missing() -> str:
    """Why it cannot run here; empty when it can."""
    if not shutil.which("javac"):
        return "needs a JDK"
    return "" if (JARS / "ready").exists() else "needs `make peers-java` (maven, once)"


class JscepCa:
    """`with JscepCa(tmp_path) as ca:`; `url`, `fingerprint`, `dir`.

    Files of `dir` tell it what to do: `touch("manual")`, `drop("manual")`; see its source. One that
    is looked at when it starts is touched before it is entered. `forget` makes it as it was when it
    began, for the next test.
    """

    def __init__(self, folder: Path, challenge: str = "sekret") -> None:
        self.dir, self._challenge = folder / "jscep", challenge
        self.dir.mkdir()
        self.url = self.fingerprint = ""
        self._told: set[str] = set()
        self._known: set[str] = set()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        with open(self.dir / "log", "ab") as log:
            self._process = subprocess.Popen(
                ["java", *QUICK, "-cp", f"{JARS}/*", str(SOURCE), str(self.dir), self._challenge],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        out = self._process.stdout
        assert out is not None
        line = out.readline() if select.select([out], [], [], START_S)[0] else ""
        if not line:
            self.stop()
            raise AssertionError(f"jscep did not start: {(self.dir / 'log').read_text()}")
        self.url, self.fingerprint = line.split()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(STOP_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def touch(self, name: str) -> None:
        (self.dir / name).touch()
        self._told.add(name)

    def drop(self, name: str) -> None:
        (self.dir / name).unlink()
        self._told.remove(name)

    def forget(self) -> None:
        for name in tuple(self._told):
            self.drop(name)
        self._known = self._serials()

    def issued(self) -> list[str]:
        """Serial numbers in hexadecimal, in their order."""
        return sorted(self._serials() - self._known)

    def _serials(self) -> set[str]:
        return {path.stem.partition("-")[2] for path in self.dir.glob("issued-*.pem")}
