"""The version: the same as the server's."""
__version__ = "0.1.0"
