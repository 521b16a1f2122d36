"""What confines the child of a job beyond its user and its limits: a ladder of rungs (Linux)."""
