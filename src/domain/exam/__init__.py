"""Exams: sessions that lose nothing, end on time, and are graded once."""
