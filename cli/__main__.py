"""`python -m cli`, for those who bring their own environment instead of run.py's .venv."""

from __future__ import annotations

from cli import main

main(prog_name="stowgram")
