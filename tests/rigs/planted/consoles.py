"""Sessions with one fault each, for the fuzzing of the console; the key is what must be found."""

from typing import Any

from agent.console.session.session import Session
from agent.console.terminal.editor import Editor, Event
from tools.fuzz import rig

_leak: list[bytes] = []


class _Raising(Editor):
    """Does not expect UTF-8 behind an escape sequence."""

    def key(self, byte: int) -> Event | None:
        if byte >= 0x80 and self._escape:
            raise IndexError("planted")
        return super().key(byte)


class _Hoarding(Editor):
    """Keeps each key."""

    def key(self, byte: int) -> Event | None:
        self.kept = [*getattr(self, "kept", ()), bytes((byte, 0))]
        return super().key(byte)


class _With(Session):
    """A session with another editor."""

    editor_kind: type[Editor] = Editor

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.keyboard.editor.__class__ = self.editor_kind


class Escaping(_With):
    editor_kind = _Raising


class Growing(_With):
    editor_kind = _Hoarding


class Impatient(Session):
    """Loses what comes in one piece behind Enter."""

    def feed(self, data: bytes) -> None:
        super().feed(data[: data.find(b"\r") + 1] or data)


class Silent(Session):
    """Has no prompt behind a line of odd length that it does not understand."""

    def _misread(self, text: str) -> bool:
        return len(text) % 2 == 1 and text.startswith("display")

    def _line(self, text: str) -> None:
        if not self._misread(text):
            super()._line(text)


class Leaking(Session):
    """Leaves each piece behind in its module."""

    def feed(self, data: bytes) -> None:
        _leak.append(bytes(data) + b" ")
        super().feed(data)


FAULTS: dict[str, type[Session]] = {
    rig.ESCAPED: Escaping,
    rig.DIFFERENT: Impatient,
    rig.UNANSWERED: Silent,
    rig.GROWN: Growing,
}
