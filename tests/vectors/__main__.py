"""`python -m tests.vectors`: makes all files of the vectors anew."""

import sys
from collections.abc import Callable, Iterable

from tests.vectors import certificates, httpwire, lists, messages, published
from tests.vectors.bench import Bench
from tests.vectors.row import Row, write

FAMILIES: dict[str, Callable[[Bench], Iterable[Row]]] = {
    "http": httpwire.rows,
    "capabilities": published.capabilities,
    "caset": published.ca_sets,
    "nextca": published.next_sets,
    "crl": lists.rows,
    "lies": messages.lies,
    "outer": messages.outer,
    "attributes": messages.attributes,
    "envelope": messages.envelopes,
    "inner": messages.inner,
    "certificate": certificates.rows,
}


def main(wanted: list[str]) -> int:
    with Bench() as bench:
        for family in wanted or FAMILIES:
            rows = list(FAMILIES[family](bench))
            write(family, rows)
            print(f"{family}: {len(rows)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
