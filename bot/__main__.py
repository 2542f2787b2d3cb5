"""``python -m bot``: the ``assent`` command."""

from bot.commands import main

main(prog_name="assent")
