"""Authorization headers of the two usual kinds."""

import base64

from pydantic import SecretStr


def bearer(token: SecretStr) -> str:
    """An Authorization header."""
    return f"Bearer {token.get_secret_value()}"


def basic(user: str, password: SecretStr) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password.get_secret_value()}".encode()).decode()
