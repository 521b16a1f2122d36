"""Fuzzing of the console: very many bytes for the editor and the session, very many lines for the
parser. `python -m tools.fuzz --help`; the rig itself is proved by planted faults (tests/planted).
"""
