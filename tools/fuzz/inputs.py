"""What is typed: byte sequences and command lines of several kinds, each from a seeded generator.

Nothing here is random but by the generator that is handed in, so a seed is all that a replay needs.
"""

from collections.abc import Callable
from random import Random

from agent.console.language.grammar import Slot, quote
from tests.helpers.command_lines import POOL, Form, accepts, forms

CONTROLS = bytes((*range(1, 32), 127))
ESCAPES = (
    *(b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1bOH", b"\x1bOF", b"\x1b[1~", b"\x1b[3~"),
    *(b"\x1b", b"\x1b[", b"\x1bO", b"\x1b[1;5C", b"\x1b[200~", b"\x1b[999999999", b"\x1b[Z"),
    *(b"\x1b]0;title\x07", b"\x1b[?25h", b"\x9b31m", b"\x1b[\x1b[A", b"\x1bP+q"),
)
TEXTS = ("\u00e9", "\u20ac", "\U0001f600", "e\u0301", "\u202e", "\u200b", "\ufeff", "\u4e2d")
BROKEN = (b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\x80\x80")
LONG = (511, 600, 1500)  # the longest line has 510 characters
ODD = ('"', "?", "|", "  ", "\t", "#", "\\x3f", '"a b"', "%^%#x%^%#", "******", "-1", "9" * 12)


def value(random: Random, form: Form, place: Slot) -> str:
    """A word for a parameter; mostly one that it takes."""
    kind = place.kind
    if random.random() < 0.1:
        return random.choice((*POOL, *ODD))
    if kind.label.startswith("INTEGER") and kind.low is not None and kind.high is not None:
        return str(random.randint(kind.low - 1, kind.high + 1))
    word = random.choice([word for word in (*POOL, kind.example) if accepts(kind, word)])
    last = place is form.words[-1] and kind.rest
    return word if last else quote(word)


def command(random: Random) -> str:
    """A line of the table, some of its keywords cut short."""
    form = random.choice(forms())
    words = []
    for word in form.words:
        if isinstance(word, Slot):
            words.append(value(random, form, word))
        else:
            cut = random.randint(1, len(word.text)) if random.random() < 0.3 else None
            words.append(word.text[:cut])
    return " ".join(words)


def mutated(random: Random) -> str:
    """Such a line with some characters changed, lost or doubled."""
    line = list(command(random))
    for _change in range(random.randint(1, 4)):
        at = random.randrange(len(line) + 1)
        line[at : at + random.randint(0, 2)] = random.choice((*ODD, *TEXTS, "", " ", "a", "Z", "_"))
    return "".join(line)


def salad(random: Random) -> str:
    """Words that the commands are made of, in no order."""
    found = []
    for _word in range(random.randint(1, 8)):
        form = random.choice(forms())
        word = random.choice(form.words)
        found.append(value(random, form, word) if isinstance(word, Slot) else word.text)
    return " ".join(found)


def free_text(random: Random) -> str:
    size = random.choice((5, 40, random.choice(LONG)))
    return "".join(
        random.choice(TEXTS) if random.random() < 0.1 else chr(random.randint(32, 126))
        for _character in range(random.randint(0, size))
    )


LINES: tuple[tuple[int, Callable[[Random], str]], ...] = (
    (40, command),
    (35, mutated),
    (20, salad),
    (5, free_text),
)


def line(random: Random) -> str:
    """A command line, without its end."""
    (make,) = random.choices([make for _, make in LINES], [weight for weight, _ in LINES])
    return make(random)


# -- bytes -----------------------------------------------------------------------------------------


def noise(random: Random) -> bytes:
    return random.randbytes(random.randint(1, 24))


def keys(random: Random) -> bytes:
    """Control keys among characters."""
    return bytes(
        random.choice(CONTROLS) if random.random() < 0.5 else random.randint(32, 126)
        for _key in range(random.randint(1, 16))
    )


def escapes(random: Random) -> bytes:
    """Sequences of function keys, whole and broken off, among characters."""
    pieces = []
    for _piece in range(random.randint(1, 5)):
        sequence = random.choice(ESCAPES)
        cut = random.randint(0, len(sequence)) if random.random() < 0.3 else None
        pieces.append(sequence[:cut] + bytes(random.randint(32, 126) for _ in range(2)))
    return b"".join(pieces)


def broken_text(random: Random) -> bytes:
    """UTF-8, some of it broken."""
    return b"".join(
        random.choice(
            (random.choice(TEXTS).encode(), random.choice(BROKEN), b"a", b"\b", b"\x1b[D")
        )
        for _piece in range(random.randint(1, 8))
    )


def typed_line(random: Random) -> bytes:
    """A command line and Enter, with a key or two in the middle."""
    data = line(random).encode()
    if random.random() < 0.5:
        at = random.randrange(len(data) + 1)
        data = data[:at] + random.choice((keys, escapes, noise))(random) + data[at:]
    return data + random.choice((b"\r", b"\r\n", b"\n", b"\r\0", b"?", b"\t", b"\t\t\x1b[Z"))


def long_line(random: Random) -> bytes:
    """Longer than a line may be, and edited in its middle."""
    text = (line(random) + " x") * random.choice(LONG)
    return text.encode()[: random.choice(LONG)] + keys(random) + b"\r"


SEQUENCES: tuple[tuple[int, Callable[[Random], bytes]], ...] = (
    (250, noise),
    (250, keys),
    (200, escapes),
    (150, broken_text),
    (145, typed_line),
    (5, long_line),
)


def sequence(random: Random) -> bytes:
    """What somebody, or a noisy line, types."""
    (make,) = random.choices([make for _, make in SEQUENCES], [weight for weight, _ in SEQUENCES])
    return make(random)
