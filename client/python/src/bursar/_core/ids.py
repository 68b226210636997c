"""Request ids."""
import secrets
import time


def new_id() -> str:
    """32 hex digits. A call that is sent again carries the same id, so it has one before its first attempt."""
    return secrets.token_hex(16)


def now_us() -> int:
    return time.time_ns() // 1000
