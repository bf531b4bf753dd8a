"""The tests. They start hundreds of programs: each would compile the project anew where bytecode is not kept."""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
