"""Exams in memory."""
