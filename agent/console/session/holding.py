"""A session while a task holds it: what is typed is kept for later, and Ctrl+C detaches."""

from collections.abc import Callable

from agent.console.session.screen import Showing
from agent.console.session.work import GOES_ON, Hold
from agent.errors import AgentError


class Holding(Showing):
    """Shows things, and waits for one task at a time."""

    _hold: Hold | None = None

    def go_on(self) -> None:
        """Looks at what has arrived meanwhile."""
        raise NotImplementedError

    def drop_input(self) -> None:
        """Forgets what was typed ahead."""
        raise NotImplementedError

    def start(
        self,
        label: str,
        begin: Callable[[Hold], int],
        then: Callable[[object], None],
        left: str = GOES_ON,
    ) -> None:
        """Holds the session until the task that `begin` starts is done; then `then(result)`.

        `left` says what Ctrl+C means: `then` is not called, whatever the device does.
        """
        self.refuse_while_loading()
        if self.terminal:
            self.progress(f"{label} ")
        elif not self.wants_json:
            self.line(f"{label} ...")
        hold = self._hold = Hold(self, then, left)
        try:
            hold.handle = begin(hold)
        except AgentError:
            hold.end()
            self._hold = None
            raise

    def release(self, call: Callable[[], None]) -> None:
        """The task has ended; `call` tells its result."""
        self._hold = None
        self.take_reader()  # a question of a task ends with it
        self.run(call)
        self.go_on()

    @property
    def held(self) -> bool:
        """Whether a task runs that asks nothing."""
        return self._hold is not None and not self.asking

    def leave_task(self) -> None:
        """Ctrl+C: the person reads what becomes of the work."""
        if self._hold:
            left = self._hold.left
            self.detach()
            self.info(left)

    def detach(self) -> None:
        """The task, if there is one, goes on without this session."""
        hold, self._hold = self._hold, None
        if hold:
            hold.end()
            if hold.handle is not None:
                self.device.detach(hold.handle)
