"""Amazon's event stream: the binary frames of `application/vnd.amazon.eventstream`.

botocore reads these frames but cannot write them. A frame is: its length and the length of its headers
(4 bytes each, big endian), the CRC-32 of these 8 bytes, the headers, the payload, and the CRC-32 of
everything before. A header is: the length of its name in one byte, the name, a type byte (7 is text), the
length of its value in two bytes, the value.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from zlib import crc32

from litespan.testing.reply import ProviderError
from litespan.testing.wire import encode

_EXCEPTIONS: Final = MappingProxyType(
    {
        400: "validationException",
        429: "throttlingException",
        500: "internalServerException",
        503: "serviceUnavailableException",
    }
)
_TEXT: Final = 7
_LENGTHS: Final = struct.Struct("!II")
_CHECKSUM: Final = struct.Struct("!I")
_FRAMING: Final = _LENGTHS.size + 2 * _CHECKSUM.size


def event(kind: str, document: Any) -> bytes:
    """Write an event with a payload of JSON."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, encode(document))


def exception(error: ProviderError) -> bytes:
    """Write the frame with which a stream fails half way."""
    kind = error.type or _EXCEPTIONS.get(error.status, "modelStreamErrorException")
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, encode({"message": error.message}))


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Write one frame."""
    written = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    lengths = _LENGTHS.pack(len(written) + len(payload) + _FRAMING, len(written))
    message = lengths + _CHECKSUM.pack(crc32(lengths)) + written + payload
    return message + _CHECKSUM.pack(crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack(f"!B{len(name)}sBH", len(name), name, _TEXT, len(value)) + value
