"""The text of a configuration: lines in blocks, and how two configurations differ.

A block is a line at the margin and its children behind one space; most settings of the system view
are blocks without children. Within a block the order of lines has no meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent import limits
from agent.pieces import Pieces
from agent.settings import Unapplied, fold
from hal.named import NamedTuple

COMMENT = "!"
_FRAME = ("#", "return", "quit")  # what stands between blocks and is no setting

Tell = Callable[[Unapplied], str]
Blocks = dict[str, tuple[str, list[str]]]  # by their folded first line: that line, the children


class Change(NamedTuple):
    """A line that one of two configurations lacks: `+` or `-`; a blank names the block it is in."""

    sign: str
    block: str
    line: str


def is_comment(line: str) -> bool:
    """Whether a line, typed or loaded, is there for readers alone."""
    return line.lstrip().startswith(COMMENT)


def framed(lines: Iterable[str]) -> Iterator[str]:
    """`#` before each block and at the end, then `return`."""
    for line in lines:
        if not line.startswith(" "):
            yield "#"
        yield line
    yield "#"
    yield "return"


def settings_of(lines: Iterable[str]) -> Iterator[str]:
    """The lines without what stands between and behind the blocks."""
    return (line for line in map(str.rstrip, lines) if line and line not in _FRAME)


def divided(lines: Iterable[str], heads: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The blocks whose first line begins like one of `heads`, and all the others."""
    parts: tuple[list[str], list[str]] = ([], [])
    part = parts[1]
    for line in settings_of(lines):
        if not line.startswith(" "):
            part = parts[0] if fold(line).startswith(heads) else parts[1]
        part.append(line)
    return parts


# -- lines that do not apply -----------------------------------------------------------------------


def as_stored(one: Unapplied) -> str:
    """The line as it was, to be tried again."""
    return one.text


def as_comment(one: Unapplied) -> str:
    """The line as it is shown: pasting it back does nothing."""
    return f"{COMMENT} {one.text} ({one.why})"[: limits.LINE_CHARACTERS - 1]


def with_unapplied(
    lines: Iterable[str], unapplied: Iterable[Unapplied], tell: Tell
) -> Iterator[str]:
    """Adds what does not apply at the end of its block; blocks that do not apply come last.

    A block of which nothing applies is opened for what is kept of it.
    """
    kept = list(unapplied)
    block, seen = "", set()
    for line in lines:
        if not line.startswith(" "):
            yield from _children(kept, block, tell)
            block = fold(line)
            seen.add(block)
        yield line
    yield from _children(kept, block, tell)
    for one in kept:
        if not one.block:
            yield tell(one)
            yield from _children(kept, fold(one.text), tell)
            seen.add(fold(one.text))
    for block in dict.fromkeys(one.block for one in kept if one.block):
        if block not in seen:
            yield block
            yield from _children(kept, block, tell)


def _children(kept: list[Unapplied], block: str, tell: Tell) -> Iterator[str]:
    return (f" {tell(one)}" for one in kept if block and one.block == block)


# -- differences -----------------------------------------------------------------------------------


def difference(old: Iterable[str], new: Iterable[str]) -> Pieces[list[Change]]:
    """What makes the new configuration of the old one, a block a piece. Equal settings give an
    empty list."""
    before, after = (yield from _parsed(old)), (yield from _parsed(new))
    changes: list[Change] = []
    waiting = list(reversed(after))  # what is new stands where the new configuration has it
    left = set(waiting)
    for name, (header, children) in before.items():
        yield
        if name not in after:
            changes += _whole("-", header, children)
            continue
        while name in left:
            yield
            left.discard(waiting[-1])
            changes += _come(waiting.pop(), before, after)
        changes += _within(header, children, after[name][1])
    while waiting:
        yield
        changes += _come(waiting.pop(), before, after)
    return changes


def _come(name: str, before: Blocks, after: Blocks) -> list[Change]:
    return [] if name in before else _whole("+", *after[name])


def _within(header: str, before: list[str], after: list[str]) -> list[Change]:
    gone = [Change("-", header, line) for line in before if line not in after]
    come = [Change("+", header, line) for line in after if line not in before]
    changed = gone + come
    return [Change(" ", header, header), *changed] if changed else []


def _whole(sign: str, header: str, children: list[str]) -> list[Change]:
    return [Change(sign, header, line) for line in (header, *children)]


def _parsed(lines: Iterable[str]) -> Pieces[Blocks]:
    found: Blocks = {}
    children: list[str] = []
    for line in map(str.rstrip, lines):
        if not line or is_comment(line) or line in _FRAME:
            continue
        if line.startswith(" "):
            children.append(line)
        else:
            yield
            _, children = found.setdefault(fold(line), (line, []))
    return found
