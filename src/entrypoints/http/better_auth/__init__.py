"""The better-auth door: what applications with a better-auth client ask of a server, answered by the core's use cases.

A layer of its own, because its order of checks, its empty 404 and its errors are another protocol's than the API's.
"""
