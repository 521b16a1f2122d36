"""What the product costs: memory, time, flash, beside other clients. See docs/BENCHMARKS.md.

python -m tools.bench [--runs N] [--only NAME]... [--quick] [--modules] [--write FILE]

A figure is the median of its runs; one line a figure, then one with the counts. The exit status is
0 only when every figure was obtained and none is over its goal; what a machine cannot measure for
want of a peer is skipped, with the reason.
"""
