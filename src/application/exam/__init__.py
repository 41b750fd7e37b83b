"""Exams: sitting one, overseeing it, and what comes of it."""
