"""Many random texts for one call of the system, which costs more than the rest of making one."""

import secrets


def random_hex(size: int, count: int) -> list[str]:
    """`count` texts, each of `size` random bytes in hex."""
    text, wide = secrets.token_hex(size * count), 2 * size
    return [text[at : at + wide] for at in range(0, len(text), wide)]
