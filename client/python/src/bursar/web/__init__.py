"""Bursar for web applications: bursar.web.asgi."""
