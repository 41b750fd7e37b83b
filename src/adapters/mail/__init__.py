"""Mail to people: a real server, or files in a folder."""
