"""Writes docs/commands.md and docs/scep-agent.1."""

import sys
from pathlib import Path

from tools.cmdref import man, page

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = {"commands.md": page.page, "scep-agent.1": man.page}


def main() -> int:
    for name, make in PAGES.items():
        (DOCS / name).write_text(make())
        print(f"cmdref: docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
