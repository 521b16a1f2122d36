"""The demo: a person at the serial line of a board, from an empty device to a verified certificate.

    python -m tools.demo                  lab CA and simulated board in a temporary folder
    python -m tools.demo --board FILE     the same procedure on a real board
    python -m tools.demo --console        a simulated board and a lab CA to try things by hand
    python -m tools.demo --readme FILE    runs the demo, rewrites its transcript in FILE

Everything is typed over the serial line with pyserial; what is printed is what the line carried.
Exit status: 0 good, 1 something failed, 2 not understood, 128 + N ended by signal N.
"""
