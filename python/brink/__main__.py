"""python -m brink"""

from brink.cli import app

app(prog_name="brink")
