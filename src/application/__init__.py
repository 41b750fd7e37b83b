"""Use cases and the ports they need, by area. It imports the domain and the standard library only."""
