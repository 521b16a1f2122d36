"""Faults that are planted on purpose: a rig that does not find them proves nothing."""
