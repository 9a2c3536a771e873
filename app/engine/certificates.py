"""Whom this machine trusts on the network: the system's own certificates, and no others."""

from __future__ import annotations

import ssl
import sys


def certificates() -> ssl.SSLContext:
    """As the system's other programs trust them. Raises ValueError or ImportError."""
    if sys.platform == "linux":
        # truststore would read the system's file anew for each connection: 50 ms
        context = ssl.create_default_context()
        if context.cert_store_stats()["x509_ca"]:
            return context
    # a machine that only serves does without it
    import truststore  # noqa: PLC0415

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
