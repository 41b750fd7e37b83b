"""Exam packages with their tiers, and who is enrolled in them."""
