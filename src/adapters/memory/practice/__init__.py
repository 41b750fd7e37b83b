"""Practice in memory."""
