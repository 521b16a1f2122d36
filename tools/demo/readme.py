"""The transcript in the README: shortened, rewritten on request, compared by a test.

What differs from run to run (keys, serial numbers, dates, ports, sizes) is the same after
`normalised`; what is left must be the same, so that the README shows what a reader will see.
"""

import re

BEGIN, END = "<!-- transcript of make demo: begin -->", "<!-- transcript of make demo: end -->"
CUT = "        (shortened)"
CURSOR = re.compile(r" ?\x1b\[\d*[AD]")  # a line that was typed goes on in the next row

# What stands for itself only once.
CHANGING = (
    (r"[0-9a-f]{20,}", "HEX"),
    (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC", "TIME"),
    (r"\(in [^)]*\)", "(in SOME TIME)"),
    (r"=[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4} GMT", "=TIME"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"(?m) +\d+(?=  0[0-7]{3}$)", " SIZE"),
    (r"(?m) \.*$", ""),  # a dot for each second of work
    (r"seconds=\d+", "seconds=N"),
)


def shortened(transcript: str) -> str:
    """Runs of deeply indented lines (the inside of certificates) and of rows become one mark."""
    return re.sub(r"(?m)(?:^(?: {8}.*| [A-Z][A-Za-z ]{20} : .*)\n){4,}", f"{CUT}\n", transcript)


def normalised(text: str) -> str:
    """Without what differs from run to run."""
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    return text


def block(readme: str) -> str:
    """What stands between the marks. Raises ValueError when they are not there."""
    return _split(readme)[1]


def replaced(readme: str, transcript: str) -> str:
    """The README with this transcript in it. Raises ValueError."""
    before, _old, after = _split(readme)
    return f"{before}{fenced(transcript)}{after}"


def fenced(transcript: str) -> str:
    """The block of a transcript; a page has no cursor."""
    text = shortened(CURSOR.sub("", transcript))
    lines = (line.rstrip() for line in text.splitlines())
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines).strip())
    return f"\n```text\n{text}\n```\n"


def _split(readme: str) -> tuple[str, str, str]:
    """What stands before, between and behind the marks, which stay with their sides."""
    before, begin, rest = readme.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"`{BEGIN}` and `{END}` are wanted")
    return before + begin, inside, end + after
