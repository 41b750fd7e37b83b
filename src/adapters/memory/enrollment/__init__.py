"""Packages and enrolments in memory."""
