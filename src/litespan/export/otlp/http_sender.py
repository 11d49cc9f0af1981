"""Send export requests over HTTP, one attempt at a time."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import requests

from litespan.export.otlp.answer import Answer, Verdict, of_status
from litespan.export.otlp.options import OtlpOptions
from litespan.export.otlp.requests_pb import rejected_items

# Bytes of an answer that are read. It says no more than how many items were refused, and why.
_LONGEST_ANSWER: Final = 65_536

_COMPRESS: Final[Mapping[str, Callable[[bytes], bytes]]] = {"gzip": gzip.compress, "deflate": zlib.compress}


class HttpSender:
    """Posts to one URL, such as ``http://localhost:4318/v1/traces``. Used by one thread at a time."""

    def __init__(self, signal: str, url: str, options: OtlpOptions) -> None:
        self._signal = signal
        self._url = url
        self._options = options
        self._headers = {"content-type": "application/x-protobuf", **options.headers}
        if options.compression in _COMPRESS:
            self._headers["content-encoding"] = options.compression
        self._session = requests.Session()

    def send(self, payload: bytes) -> Answer:
        """Try once; what the receiver or the network does becomes the answer."""
        compress = _COMPRESS.get(self._options.compression)
        data = payload if compress is None else compress(payload)
        deadline = time.monotonic() + self._options.timeout
        try:
            response = self._post(data)
        except (requests.RequestException, ValueError) as error:
            # A ValueError, too: requests does not catch all that its own library says of a host's name.
            return Answer(Verdict.LATER, type(error).__name__)
        with response:
            body = _beginning(response, deadline)
        rejected = rejected_items(self._signal, body) if response.ok else 0
        return of_status(response.status_code, response.headers.get("retry-after"), rejected)

    def close(self) -> None:
        """Close idle connections; an attempt that runs is not interrupted."""
        self._session.close()

    def _post(self, data: bytes) -> requests.Response:
        try:
            return self._post_once(data)
        except requests.Timeout:
            raise
        except requests.ConnectionError:
            # A connection that was kept open may have been closed by the receiver meanwhile.
            return self._post_once(data)

    def _post_once(self, data: bytes) -> requests.Response:
        options = self._options
        certificate = options.client_certificate
        return self._session.post(
            self._url,
            data=data,
            headers=self._headers,
            timeout=options.timeout,
            verify=options.certificate or True,
            cert=(certificate, options.client_key) if certificate and options.client_key else certificate,
            # A redirected POST would become a GET.
            allow_redirects=False,
            stream=True,
        )


def _beginning(response: requests.Response, deadline: float) -> bytes:
    """Return what can be read of an answer until a time of the monotonic clock; it may never end.

    The status has said what became of the batch: an answer that is cut, or is not what its headers say,
    changes nothing of that, and the batch must not go out again for it.
    """
    body = bytearray()
    try:
        # Single bytes, because more of them are waited for. A usual answer has a few dozen at most.
        for byte in response.iter_content(1):
            body += byte
            if len(body) >= _LONGEST_ANSWER or time.monotonic() > deadline:
                break
    except requests.RequestException:
        pass
    return bytes(body)
