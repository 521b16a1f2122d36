"""A certificate that never lapses, in real time and with real parts.

Agent and lab CA stand in two network name spaces, with certificates of minutes; the agent is
killed, links go, the CA restarts, renews itself and is followed by another one, the board's clock
steps and leaps. A reader opens what consumers open, ten times a second, and shakes hands with it
once a second. From the first certificate on there is no moment without a valid one, as long as each
outage was a third of the lead at most; one that took longer, on a machine that is busy, is counted
and excuses.
"""
