"""Implementations of the ports, by technology: PostgreSQL, memory, security, files, system."""
