"""Clients that know VRP, unchanged, at a real agent behind a real sshd (`make clients`)."""
