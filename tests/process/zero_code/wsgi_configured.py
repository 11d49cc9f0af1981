"""The application for gunicorn, with litespan in its code."""

from wsgi import app  # type: ignore[import-not-found]

import litespan

__all__ = ["app"]

litespan.configure()
