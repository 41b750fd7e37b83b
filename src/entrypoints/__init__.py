"""Where the world comes in: HTTP, the command line and the worker. They translate and decide nothing."""
