"""Who this process is, and whether another one that called itself so is surely gone.

An id is "<place>-<pid>-<random>". The place is where process ids mean the same thing: the host, its boot and, in
containers, the namespace of process ids; so nothing is concluded about a process that can't be seen from here.
"""

import os
import platform
import secrets
from hashlib import blake2b
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


def place() -> str:
    """Twelve hexadecimal digits for "processes that can see each other"."""
    parts = [platform.node()]
    if _BOOT.exists() and _NAMESPACE.is_symlink():
        parts += [_BOOT.read_text(encoding="ascii").strip(), str(_NAMESPACE.readlink())]
    return blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()


def new_id() -> str:
    """An id no other process has or ever had."""
    return f"{place()}-{os.getpid()}-{secrets.token_hex(4)}"


def is_gone(executor: str, *, own: str) -> bool:
    """Whether `executor` is surely no longer alive. False means that we can't know."""
    where, _, rest = executor.partition("-")
    pid, _, _ = rest.partition("-")
    if where != place() or not pid.isdecimal() or executor == own:
        return False
    if int(pid) == os.getpid():
        return True  # it had our process id, under another name: it was here before us
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
