"""Certificates whose realm is not configured: it was never saved, or its saved lines are lost.

Key pairs and certificates are in flash from the moment at which they come, a configuration when a
person saves it. So a power cut may leave a certificate without its realm. It stays in use, since
those who read it know nothing of configurations, and each start says so: nothing renews it, and
this is the commonest way in which a certificate ends. A realm of that name that is configured again
takes it over; `undo pki realm` then removes it.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.device.runner import RealmRunner
from agent.device.shared import Shared
from agent.settings import Realm
from agent.visible import brief

UNCONFIGURED = "LOCAL_UNCONFIGURED"


class Orphans:
    """`made` gives the runner of a realm; it does nothing by itself."""

    def __init__(self, shared: Shared, made: Callable[[Realm], RealmRunner]) -> None:
        self._shared, self._made = shared, made
        self._runners: dict[str, RealmRunner] = {}  # by folded name

    def begin(self) -> None:
        """At the start, behind the realms that are configured: into use, and into the log."""
        for key in self._shared.store.keys("realm/"):
            _, name, part = key.split("/", 2)
            if part == "local" and name not in self._shared.settings.realms:
                runner = self._made(Realm(name))
                if local := runner.engine.stored.local:
                    self._runners[name] = runner
                    runner.use.put(again=False)
                    self._shared.log.report(
                        UNCONFIGURED,
                        f"certificate {local.certificate.serial} for"
                        f" {brief(local.certificate.subject)} is in use, and realm {name} is not"
                        f" configured, so nothing renews it: type `pki realm {name}` and its lines"
                        " again, and `save`",
                    )

    def look(self) -> None:
        """Realms that are configured again go on with what is theirs."""
        for name in [name for name in self._runners if name in self._shared.settings.realms]:
            self._runners.pop(name).stop()

    def stop(self) -> list[str]:
        """No callback comes any more; whose they were."""
        names = list(self._runners)
        for name in names:
            self._runners.pop(name).stop()
        return names
