"""`python -m dashboards.build`: write the dashboards anew."""

from __future__ import annotations

from dashboards.build.render import FOLDER, rendered

for name, text in rendered().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
