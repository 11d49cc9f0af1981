"""What a bare handshake says where a library only says that TLS failed."""

from __future__ import annotations

import socket
import ssl
from typing import Final

from litespan.cli.checks.answers import Answer, Kind
from litespan.cli.checks.wires import Wire

# A server that wants a certificate says so after the handshake, at once.
_ALERT_SECONDS: Final = 1.0


def try_tls(wire: Wire, timeout: float, *, verify: bool) -> Answer:
    """Shake hands and listen, each within ``timeout`` (seconds).

    ``OTHER_LANGUAGE`` means that nothing is wrong with certificates.
    """
    try:
        with _shake_hands(wire, timeout, verify=verify) as secure:
            secure.settimeout(min(timeout, _ALERT_SECONDS))
            secure.recv(1)
    except ssl.SSLError as error:
        return of_tls_error(error)
    except OSError:
        pass
    return Answer(Kind.OTHER_LANGUAGE)


def speaks_http2(wire: Wire, timeout: float) -> bool:
    """Say whether TLS with HTTP/2 is spoken there, which is what gRPC needs; certificates are not checked.

    A server that does not answer within ``timeout`` (seconds) speaks none.
    """
    try:
        with _shake_hands(wire, timeout, verify=False) as secure:
            return secure.selected_alpn_protocol() == "h2"
    except OSError:
        return False


def _shake_hands(wire: Wire, timeout: float, *, verify: bool) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=wire.certificate if verify else None)
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection((wire.host, wire.port), timeout)
    return context.wrap_socket(plain, server_hostname=wire.host)


def of_tls_error(error: ssl.SSLError) -> Answer:
    """Sort a failure of TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Answer(Kind.UNTRUSTED, error.verify_message)
    if "CERTIFICATE_REQUIRED" in (error.reason or ""):
        return Answer(Kind.WANTS_CERTIFICATE)
    return Answer(Kind.OTHER_LANGUAGE)
