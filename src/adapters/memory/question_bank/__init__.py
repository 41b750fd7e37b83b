"""The question bank in memory."""
