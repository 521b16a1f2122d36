"""Faults of the product as patches, each found by a test that its head names, in time.

    What: one line     Test: a test of tests/, as pytest is told     Budget: SECONDS

`python -m tests.planted` plants all of them, one after the other. A patch is made with
`git diff -U0`, so that it goes on to fit when the lines around it change; one that does not fit any
more is made anew, for the fault that its head describes.
"""
