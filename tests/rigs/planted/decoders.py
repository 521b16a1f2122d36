"""Decoders with one fault each, for the fuzzing of the decoders; the key is what must be found."""

from agent.scep import ber, ca_query, caset, cms, der
from tools.fuzz.decoders import corpus, judging, rig
from tools.fuzz.decoders.targets import Place, Target

_kept: list[bytes] = []


def _borderless(data: bytes, _place: Place) -> None:
    """What cannot be read is still the reader's own error."""
    caset.readable(cms.certificates_in(data))


def _bottomless(data: bytes, _place: Place) -> None:
    """Follows the first element as deep as there is one."""
    if len(data) > 3 and data[0] & der.CONSTRUCTED:
        size = data[1] & 0x7F if data[1] > 0x80 else 0
        _bottomless(data[2 + size :], _place)


def _quadratic(data: bytes, _place: Place) -> None:
    """Looks for each element among all others."""
    try:
        nodes = [ber.read(data)]
    except ber.BerError:
        return
    for node in nodes:  # grows while it is walked
        nodes += node.children
    for node in nodes:
        for other in nodes:
            if node.raw == other.raw and node.tag != other.tag:
                raise AssertionError


def _believing(data: bytes, _place: Place) -> None:
    """Makes room for as many octets as the sender has promised."""
    if data[1:2] == b"\x84":
        bytearray(int.from_bytes(data[2:6], "big"))


def _hoarding(data: bytes, _place: Place) -> None:
    """Leaves what it was given behind in its module."""
    _kept.append(data[:20] + b" ")
    ca_query.capabilities(data)


def _target(decode: judging.Decode) -> dict[str, Target]:
    return {"planted": Target(decode, (corpus.CA_SET, corpus.CERT_REP), 1, 1 << 18)}


FAULTS = {
    "BerError": (judging.ESCAPED, _target(_borderless)),
    "RecursionError": (judging.ESCAPED, _target(_bottomless)),
    "more than": (judging.SLOW, _target(_quadratic)),
    "out of memory": (judging.BIG, _target(_believing)),
    "objects": (rig.GROWN, _target(_hoarding)),
}
