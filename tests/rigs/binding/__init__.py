"""The rig for source binding: random networks in name spaces of its own, every segment watched.

    python -m tests.rigs.binding --topologies 200 --seed 1      (root; `make netns`)

`topology` draws networks and what is tried in them, `network` builds them and watches the wire,
`__main__` runs the agent's own job against them and judges. A VRF is a plain device here: this
kernel has none, and a socket is bound to both in the same way.
"""
