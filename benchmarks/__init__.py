"""What the main operations cost, next to what PostgreSQL alone takes for the same statements: `make bench`.

The product runs as it is served, on a database of its own with durable commits. Nothing here passes or fails by time.
"""
