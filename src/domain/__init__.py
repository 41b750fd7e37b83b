"""The pure core: entities, rules and refusals of every area. It imports nothing but the standard library."""
