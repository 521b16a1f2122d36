"""Counts of calls: what takes how many steps, on any machine and at any load."""

import sys
from collections.abc import Callable
from types import FrameType, FunctionType


def calls(act: Callable[[], object], of: Callable[..., object] | None = None) -> int:
    """How often functions of Python are called by an act: one of them, or all together."""
    code = of.__code__ if isinstance(of, FunctionType) else None
    count = 0

    def seen(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        if event == "call" and (code is None or frame.f_code is code):
            count += 1

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count
