"""The command reference and the man page, made from the table of commands.

python -m tools.cmdref    writes docs/commands.md and docs/scep-agent.1
"""
