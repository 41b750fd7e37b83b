"""The layers around the router, outermost first: observation, envelope, hosts, cors, the better-auth door,
methods, paths.

Each is plain ASGI and does one thing. They surround the whole application, so that an unknown path or a wrong method
passes through them like everything else. `admission` alone runs after routing, because it needs the route.
"""
