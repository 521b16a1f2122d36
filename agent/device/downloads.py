"""Files that a person fetches into device storage, for a later import.

They are as good as whoever answers for the URL: nothing of them is read here, and what imports one
judges it. So that nobody on the way exchanges what is there already, no file is replaced.
"""

from __future__ import annotations

from agent.appliance import Done
from agent.device.realms import Realms
from agent.device.shared import Shared
from agent.device.storage import DeviceStorage
from agent.errors import fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer


class Downloads:
    """The part of `agent.appliance.Exchange` that is about URLs."""

    def __init__(self, shared: Shared, realms: Realms, storage: DeviceStorage) -> None:
        self._shared, self._realms, self._storage = shared, realms, storage

    def get(self, name: str, url: str, file: str, done: Done[None]) -> int:
        """By the source, the VPN instance and the `https ca-file` of the realm of this name.

        AgentError `file-exists`, also when the file has come while the job ran.
        """
        realm = self._realms.realm(name)
        self._refuse_to_replace(file)
        job = {
            **maps.download_job(realm, url, self._shared.interface_names.linux),
            **maps.moment(self._shared.time.now()),
        }

        def write(answer: Answer) -> None:
            data = answers.field(answer, "data", bytes)
            self._refuse_to_replace(file)
            self._storage.write(file, data)
            self._shared.log.report("HTTP_GET_FILE_OK", f"{len(data)} bytes written to {file}")

        return self._shared.task(job, write, done)

    def _refuse_to_replace(self, file: str) -> None:
        if self._storage.exists(file):
            raise fail("file-exists", name=file)
