"""Blocks of inputs for the decoders, from a seed; and failures made small.

A block is inputs for one decoder after the other, drawn from its own generator, which is seeded by
its code `SEED.NUMBER`; behind it stands the number of an input, so a short code replays a failure
on the same corpus. The failure itself is told as a row for `tests/tools/decoder_regressions.json`,
whose bytes need no corpus.
"""

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from tools.fuzz.decoders import mutations
from tools.fuzz.decoders.corpus import Corpus, Sample
from tools.fuzz.decoders.elements import exchanged, found_in
from tools.fuzz.decoders.judging import ESCAPED, Fault, judged
from tools.fuzz.decoders.targets import Place, Target

BLOCK = 250  # inputs
SPLICED = 0.04  # of the inputs begin with a message of another kind
GROWN = "growth"
SHRINKING = 400  # attempts to make a failure smaller


class Failure(NamedTuple):
    code: str
    target: str
    fault: Fault
    data: bytes

    def row(self) -> str:
        """The row of `tests/tools/decoder_regressions.json`."""
        text = base64.b64encode(zlib.compress(self.data)).decode()
        return json.dumps({"target": self.target, "why": self.fault.text[:200], "data": text})


class Outcome(NamedTuple):
    """What came of a block; it ends with its first failure."""

    inputs: int
    failure: Failure | None


class Rig:
    """The decoders of a table on a corpus."""

    def __init__(self, corpus: Corpus, targets: Mapping[str, Target]) -> None:
        self.corpus, self.targets = corpus, targets
        self._pool = mutations.Pool([sample.data for sample in corpus.samples])
        self._samples = {name: self._for(target) for name, target in targets.items()}
        self._names = [name for name, samples in self._samples.items() if samples]
        self._weights = [targets[name].weight for name in self._names]
        self._places = [Place.of(world) for world in corpus.worlds]

    def _for(self, target: Target) -> list[Sample]:
        return [sample for kind in target.kinds for sample in self.corpus.of(kind)]

    def drawn(self, random: Random) -> tuple[str, Sample, bytes]:
        """A decoder, the message to begin with, and the input."""
        (name,) = random.choices(self._names, self._weights)
        target = self.targets[name]
        sample = random.choice(self._samples[name])
        data = sample.data
        if random.random() < SPLICED:
            data = random.choice(self._pool.messages)
        made = mutations.mutated(random, data, self._pool, target.text)
        return name, sample, made[: target.most]

    def run(self, seed: int, number: int, count: int = BLOCK) -> Outcome:
        code = f"{seed}.{number}"
        random = Random(code)
        for done in range(1, count + 1):
            name, sample, data = self.drawn(random)
            fault = self._judged(name, data, sample.world)
            if fault:
                fault, data = self._small(name, data, sample.world, fault)
                return Outcome(done, Failure(f"{code}.{done}", name, fault, data))
        return Outcome(count, None)

    def _judged(self, name: str, data: bytes, world: int) -> Fault | None:
        return judged(self.targets[name].decode, data, self._places[world])

    def _small(self, name: str, data: bytes, world: int, fault: Fault) -> tuple[Fault, bytes]:
        """The same kind of fault from less, as far as some hundred attempts lead."""
        if fault.kind != ESCAPED:  # the others are about size, and each attempt costs seconds
            return fault, data

        def fails(less: bytes) -> bool:
            found = self._judged(name, less, world)
            return found is not None and _kind(found) == _kind(fault)

        return fault, shrunk(data, fails)


def _kind(fault: Fault) -> tuple[str, str]:
    return fault.kind, fault.text.partition(":")[0]


def shrunk(data: bytes, fails: Callable[[bytes], bool], attempts: int = SHRINKING) -> bytes:
    """Less of the bytes that still fails: without some of its elements, then of its bytes."""
    size = 0
    while size != len(data) and attempts > 0:
        size = len(data)
        for less in (*_without_elements(data), *_without_bytes(data)):
            attempts -= 1
            if attempts <= 0:
                break
            if len(less) < len(data) and fails(less):
                data = less
                break
    return data


def _without_elements(data: bytes) -> list[bytes]:
    elements = found_in(data)
    return [exchanged(data, elements, number, b"") for number in range(len(elements))]


def _without_bytes(data: bytes) -> list[bytes]:
    found, size = [], len(data) // 2
    while size:
        found += [data[:at] + data[at + size :] for at in range(0, len(data), size)]
        size //= 4
    return found
