"""The same program with a set-up of litespan in its code, which goes before that from outside."""

import runpy
from pathlib import Path

import litespan

litespan.configure(turn_spans=True)
runpy.run_path(str(Path(__file__).with_name("program.py")))
