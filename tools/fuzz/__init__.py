"""Fuzzing of the console: very many bytes for the editor and the session, very many lines for the
parser. `python -m tools.fuzz --help`; planted faults prove the rig itself (tests/rigs/planted).
"""
