"""Google's token endpoint on the loopback address, and a service account that takes its tokens there.

LiteLLM accepts no ready-made token for Vertex AI: it always signs in by google-auth. The account's own
`token_uri` says where.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

TOKEN: Final = "ya29.fake-token"  # noqa: S105 - opens nothing


@contextmanager
def service_account() -> Iterator[dict[str, Any]]:
    """Yield the JSON of a service account whose tokens come from a server of this process."""
    with HTTPServer(("127.0.0.1", 0), _Tokens) as server:
        threading.Thread(target=server.serve_forever, name="fake-google-tokens", daemon=True).start()
        yield {
            "type": "service_account",
            "project_id": "fake-project",
            "client_email": "fake@fake-project.iam.gserviceaccount.com",
            "private_key_id": "1",
            "private_key": _private_key(),
            "token_uri": f"http://127.0.0.1:{server.server_port}/token",
        }
        server.shutdown()


class _Tokens(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
