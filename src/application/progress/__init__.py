"""Use cases of what a student has come to."""
