"""`python -m tests.rigs.interop`: runs what the tables name, and writes docs/interop.md.

The last line has the figures; the status is 0 when nothing failed.
"""

import argparse
import datetime
import sys
import time
from collections import Counter
from pathlib import Path

from tests.rigs.interop import outcomes, page
from tests.rigs.interop.servers import CLIENTS, SERVERS, Cell

PAGE = Path(__file__).parents[3] / "docs" / "interop.md"
QUIET = ("-q", "-p", "no:cacheprovider")
PYTEST, COLLECT = (*QUIET, "-n", "2"), (*QUIET, "--collect-only", "-qq")


def cells() -> list[Cell]:
    """All that tests shall prove: those of servers, and one for each client."""
    found = [cell for server in SERVERS for cell in server.cells.values()]
    return [cell for cell in (*found, *(client.cell for client in CLIENTS)) if cell.proofs]


def versions() -> str:
    """What the peers call themselves, as far as they are here."""
    looks = [server.version for server in SERVERS] + [client.version for client in CLIENTS]
    return ", ".join(dict.fromkeys(filter(None, (look() for look in looks)))) or "none"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rigs.interop", description=__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page goes")
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    proofs = [proof for cell in cells() for proof in cell.proofs]
    found, status = outcomes.run(proofs, PYTEST)
    if not found:
        outcomes.run(proofs, COLLECT)  # one process says which of them it does not know
        return 1
    counts = Counter(outcomes.verdict(cell.proofs, found) for cell in cells())
    figures = " ".join(f"{word}={counts[word]}" for word in ("passed", "failed", "skipped"))
    today = datetime.datetime.now(datetime.UTC).date()
    options.page.write_text(page.text(found, f"{today}: {figures} cells. Peers: {versions()}."))
    seconds = int(time.monotonic() - begin)
    print(f"interop: servers={len(SERVERS)} cells={len(cells())} {figures} seconds={seconds}")
    return int(status != 0 or counts[outcomes.FAILED] > 0)


if __name__ == "__main__":
    sys.exit(main())
