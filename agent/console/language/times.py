"""Times as people read them: in the zone of `clock timezone`, with how far away they are."""

from __future__ import annotations

from hal import calendar
from hal.named import NamedTuple

_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_SIZES_S = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


class Times(NamedTuple):
    """How a session shows times: what it is now, and the zone. All are Unix seconds."""

    now_s: int
    zone: str = "UTC"
    ahead_s: int = 0  # of UTC; negative to its west

    def moment(self, time_s: int) -> str:
        """`2026-11-23 14:05:00 UTC`; a year that has not four digits is shown as seconds."""
        local_s = time_s + self.ahead_s
        if not calendar.FIRST_S <= local_s <= calendar.LAST_S:
            return f"{time_s} s"
        return f"{calendar.text(local_s)} {self.zone}"

    def month_first(self, time_s: int) -> str:
        """`Nov 23 2026 14:05:00`, as VRP shows the times of files; else as `moment`."""
        local_s = time_s + self.ahead_s
        if not calendar.FIRST_S <= local_s <= calendar.LAST_S:
            return self.moment(time_s)
        text = calendar.text(local_s)  # 2026-11-23 14:05:00
        at = int(text[5:7]) * 3
        return f"{_MONTHS[at - 3 : at]} {text[8:10]} {text[:4]} {text[11:]}"

    def relative(self, time_s: int) -> str:
        """A time, and how far it is from now."""
        apart = duration(abs(time_s - self.now_s))
        away = f"in {apart}" if time_s >= self.now_s else f"{apart} ago"
        return f"{self.moment(time_s)} ({away})"


def duration(span_s: int) -> str:
    """The two largest units of a time span: `3 d 4 h`, `2 min 5 s`."""
    parts: list[str] = []
    for unit, size_s in _SIZES_S:
        count, span_s = divmod(span_s, size_s)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def ahead_text(ahead_s: int) -> str:
    """`HH:MM:SS`, as `clock timezone` takes it."""
    return f"{ahead_s // 3600:02}:{ahead_s // 60 % 60:02}:{ahead_s % 60:02}"
