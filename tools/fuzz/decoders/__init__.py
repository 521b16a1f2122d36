"""Fuzzing of everything that reads bytes of a peer: `python -m tools.fuzz.decoders --help`.

corpus      good messages of the lab CA, one conversation for each of its quirks, DER and BER
elements    where the elements of a message lie, and messages with one of them exchanged
mutations   what is done to a message: tables of changes, to elements and to bytes
targets     the decoders, as the product calls them
judging     one input at one target: which errors may come out, and what it may cost
rig         blocks of inputs from a seed, and codes that replay a failure
guided      the same targets under Atheris, which looks for new ways through them
"""
