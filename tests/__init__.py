"""The tests, with settings that make them fast."""

import gc
import os
import sys

# Hundreds of programs are started: each would compile the project anew where bytecode is not kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Templates and service models are many small objects that stay: looking through them every 700 new ones took an eighth of
# the time.
gc.set_threshold(100_000, 50, 100)
