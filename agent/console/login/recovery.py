"""What a serial line offers that lets nobody in: to erase the device. Sans-IO, as a login is.

Where the storage cannot be used, the line shows too what a person needs who comes to mend it, and
what says nothing of the device's secrets (`reduced.py`).

Whoever holds a router may make it his own, as in the field's password recovery, but empty: he gets
neither its keys nor its certificates. The word `ERASE`, then Y, then a minute in which any key
stops it: long enough for who typed it by mistake, and for whoever reads the log.

Fault model. The line makes up bytes, or automation types what it always types: nothing begins by
less than that word, and noise ends the minute. The line is hung up, or stays silent before the
minute: nothing is done. Root mends the device meanwhile: the end of the minute finds that out.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.appliance import Appliance
from agent.console.login import reduced
from agent.console.terminal.editor import Editor, Interrupt, Line
from agent.console.terminal.output import Output
from agent.errors import AgentError
from hal.ports import Reactor, Timer

SECOND_NS = 1_000_000_000
WORD = "ERASE"
SHUT = "`scep-agent console`, as root of this device, asks for nothing and loses nothing."
OFFER = (
    f"Type {WORD} to erase this device: its configuration, users, key pairs, certificates and"
    " files. It will then be like a new one."
)
SURE = "Warning: All of that will be destroyed for ever. Continue? [Y/N]: "
NOTHING = "Nothing was changed."
_BEHIND_ENTER = b"\n\0"  # what some terminals send behind Enter is no key


class Recovery:
    """One caller at a closed line. `ended`: the line is given up until somebody types again.

    `erased` is called once the device is empty. `report` takes log lines.
    """

    def __init__(
        self,
        device: Appliance,
        send: Callable[[bytes], None],
        reactor: Reactor,
        *,
        report: Callable[[str, str], None],
        erased: Callable[[], None],
        ended: Callable[[], None],
        width: int = limits.SCREEN_COLUMNS,
    ) -> None:
        self._out = Output(send, terminal=True, width=width)
        self._device, self._reactor, self._report = device, reactor, report
        self._erased, self._ended = erased, ended
        self._editor = Editor(width)
        self._read: Callable[[str], None] | None = None  # who takes the next line
        self._timer: Timer | None = None
        self._counting = False  # the minute runs
        self._fresh = False  # and no key has come in it yet
        self._over = False  # nobody is there any more

    # -- what a transport calls --------------------------------------------------------------------

    def begin(self) -> None:
        self._out.info(f"Nobody can log in on this line: {self._device.configuration.closed()}.")
        self._out.info(SHUT)
        if self._device.system.recovery:
            self._out.info(OFFER)
        if self._device.unusable:
            self._out.info(reduced.OFFER)
        if self._device.system.recovery or self._device.unusable:
            self._wait()
        else:
            self._give_up("")
        self._out.flush()

    def _wait(self) -> None:
        self._ask("Word: ", self._word)
        self._after(limits.LOGIN_S, lambda: self._give_up(NOTHING))

    def feed(self, data: bytes) -> None:
        for byte in data:
            if self._counting:
                self._key(byte)
                continue
            event = self._editor.key(byte) if self._read else None
            self._out.write(self._editor.take_output())
            if isinstance(event, Line) and self._read:
                read, self._read = self._read, None
                read(event.text)
            elif isinstance(event, Interrupt):
                self._give_up(NOTHING)
        self._out.flush()

    def close(self) -> None:
        """Hang-up. An erasure that runs goes on."""
        self._over = True
        self._read = None
        self._stop_timer()
        if self._counting:
            self._counting = False
            self._report("ERASE_STOPPED", "the device is not erased")

    # -- asking ------------------------------------------------------------------------------------

    def _ask(self, prompt: str, read: Callable[[str], None]) -> None:
        self._read = read
        self._editor.begin(prompt, question=True)
        self._out.write(self._editor.take_output())

    def _word(self, text: str) -> None:
        shown = reduced.lines(self._device, text) if self._device.unusable else []
        if text == WORD and self._device.system.recovery:
            self._ask(SURE, self._sure)
        elif shown:
            for line in shown:
                self._out.line(line)
            self._wait()
        else:
            self._give_up(NOTHING)

    def _sure(self, text: str) -> None:
        if text.strip().lower() not in ("y", "yes"):
            self._give_up(NOTHING)
            return
        seconds = limits.ERASE_WAIT_S
        self._counting = self._fresh = True
        self._report("ERASING", f"the device is erased in {seconds} s, by somebody at this line")
        self._out.info(f"The device is erased in {seconds} s. Any key stops it.")
        self._after(seconds, self._erase)

    def _key(self, byte: int) -> None:
        """Any key of the minute; not the second half of the Enter before it."""
        fresh, self._fresh = self._fresh, False
        if not (fresh and byte in _BEHIND_ENTER):
            self._give_up(NOTHING)

    # -- the end -----------------------------------------------------------------------------------

    def _erase(self) -> None:
        self._counting = False
        if not self._device.configuration.closed():
            self._report("ERASE_STOPPED", "somebody has mended the device")
            self._give_up(NOTHING)
            return
        unusable = self._device.unusable
        try:
            if unusable:
                unusable.renew(True, self._renewed)
            else:
                self._device.system.erase(self._renewed)
        except AgentError as error:
            self._failed(error)

    def _failed(self, error: AgentError) -> None:
        self._report("ERASE_ERR", error.what)
        if self._over:
            return
        self._out.error(error)
        self._give_up("")

    def _renewed(self, result: AgentError | None) -> None:
        if result:
            self._failed(result)
            return
        self._report("ERASED", "the device is like a new one")
        if self._over:
            return
        self._out.info("This device is like a new one.")
        self._out.flush()
        self.close()
        self._erased()

    def _give_up(self, why: str) -> None:
        self.close()
        if why:
            self._out.info(why)
        self._out.flush()
        self._ended()

    # -- time --------------------------------------------------------------------------------------

    def _after(self, seconds: int, call: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self._reactor.after(seconds * SECOND_NS, call)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
