"""Children that say more of a CA set than is so, and one that serves what it was given."""

from typing import Any

from agent.scep import relations, served
from tests.rigs.mixtures import Parts


def everything_is_below(*given: Any) -> list[dict[str, Any]]:
    """As an attacker would say who has taken over the child that fetches."""
    found = relations.described(*given)
    return [{**one, "below": list(range(len(found)))} for one in found]


def as_it_is_stored(job: dict[str, Any], own: bytes) -> served.Served:
    """Takes an earlier child at its word."""
    found = list(job["ca"]["certificates"])
    return served.Served(found, found, "")


LYING = Parts(everything_is_below)
BELIEVING = Parts(everything_is_below, as_it_is_stored)
