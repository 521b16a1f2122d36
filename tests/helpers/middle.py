"""Somebody between the device and its CA, who sees everything and answers as he likes.

    with Middle(ca.url) as middle:          # `middle.url` is what the device is told
        middle.answers = middle.replay(0)   # from now on
        middle.answers = None               # and an honest proxy again

He holds no key of the CA: what he has is what went by, in `seen`, and what he makes himself.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from tests.helpers.labca_http import http_request
from tests.helpers.scep_http import Server, ok

PKI = "PKIOperation"


class Passed(NamedTuple):
    """One exchange that went by; what is not of SCEP is known by its path."""

    operation: str
    request: bytes
    reply: bytes


Answers = Callable[[str, bytes], bytes | None]


class Middle:
    """`answers(operation, body)` is asked first; None passes the request on to the CA."""

    def __init__(self, url: str) -> None:
        self._ca = url
        self._lock = threading.Lock()
        self.seen: list[Passed] = []
        self.answers: Answers | None = None

    def __enter__(self) -> Self:
        self._server = Server(self._answer)
        self.url = self._server.url(urlsplit(self._ca).path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()

    def lead(self, url: str) -> None:
        """To another CA from now on."""
        self._ca = url

    def replies(self, operation: str = PKI) -> list[bytes]:
        """What the CA has answered so far, oldest first."""
        return [one.reply for one in self.seen if one.operation == operation]

    def replay(self, number: int, operation: str = PKI) -> Answers:
        """Every PKIOperation gets what the CA has said to an earlier one."""
        old = self.replies(operation)[number]
        return lambda asked, _body: old if asked == operation else None

    def _answer(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        path, _, query = target.partition("?")
        operation = query.partition("operation=")[2].partition("&")[0] or path
        with self._lock:
            own = self.answers(operation, body) if self.answers else None
            if own is not None:
                return ok(own)
            place = urlsplit(self._ca)._replace(path=path).geturl()
            passed = http_request(place, query, body if method == "POST" else None)
            self.seen.append(Passed(operation, body, passed.body))
        return ok(passed.body, status=f"{passed.status} As It Came")

    def ask(self, operation: str, body: bytes | None = None) -> bytes:
        """What the CA itself answers; nobody else hears of it."""
        reply = http_request(self._ca, f"operation={operation}", body).body
        self.seen.append(Passed(operation, body or b"", reply))
        return reply
