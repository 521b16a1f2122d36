"""Years and fleets in virtual time, by the engine and the device code that boards run.

    herd       many devices that are switched on in one second, or that waited for their CA
    timeless   a board that nobody ever tells the time

`python -m tools.sim herd` and `... timeless` print their figures; the status is 0 when nothing fell
short. Time passes only here: what takes ten years takes seconds.
"""
