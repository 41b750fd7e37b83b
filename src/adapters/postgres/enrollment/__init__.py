"""Packages and enrolments on PostgreSQL."""
