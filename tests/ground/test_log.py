"""Log lines: priority, VRP's shape, no control characters, a bounded buffer."""

import os

from agent import limits
from agent.log import NOTICE, WARNING, Log


def test_lines_go_to_the_buffer_the_listeners_and_the_descriptor() -> None:
    read, write = os.pipe()
    log, heard = Log(lambda: 17, write), []
    cancel = log.listen(heard.append)
    log.report("GET_LOCAL_CERT_OK", "realm abc: done\r\n\x1b[2Jevil")
    log.report("GET_CA_CERT_ERR", "no")
    log.report("LOGIN", "ann", "SHELL")
    assert [line.level for line in log.lines] == [NOTICE, WARNING, NOTICE]
    assert list(log.lines) == heard
    assert os.read(read, 4096).decode().splitlines() == [
        r"<5>PKI/5/GET_LOCAL_CERT_OK: realm abc: done\x0d\x0a\x1b[2Jevil",
        "<4>PKI/4/GET_CA_CERT_ERR: no",
        "<5>SHELL/5/LOGIN: ann",
    ]
    cancel()
    cancel()
    log.report("GET_CA_CERT_ERR", "unheard")
    assert len(heard) == 3
    os.close(read)
    os.close(write)


def test_the_buffer_is_bounded_and_a_lost_standard_error_is_survived() -> None:
    read, write = os.pipe()
    os.close(write)
    os.close(read)
    log = Log(lambda: 0, write)
    for number in range(limits.LOG_LINES + 5):
        log.report("X", str(number))
    assert len(log.lines) == limits.LOG_LINES
    assert log.lines[-1].text.endswith(str(limits.LOG_LINES + 4))


def test_a_standard_error_that_nobody_reads_does_not_stop_the_agent() -> None:
    read, write = os.pipe()
    log = Log(lambda: 0, write)
    for _line in range(3000):  # a pipe holds 64 KiB
        log.report("X", "y" * 100)
    assert log.lost > 1000
    while log.lost and os.read(read, 65536):
        log.lost = 0
    log.report("X", "read again")
    assert log.lost == 0
    assert b"read again" in os.read(read, 65536)
    os.close(read)
    os.close(write)


def test_a_long_line_is_cut_so_that_a_pipe_takes_it_whole() -> None:
    read, write = os.pipe()
    Log(lambda: 0, write).report("X", "z" * 100_000)
    said = os.read(read, 65536)
    assert said.endswith(b"z\n")
    assert len(said) < 4096
    os.close(read)
    os.close(write)
