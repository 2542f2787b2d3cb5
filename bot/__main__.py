"""``python -m bot``: the ``assent`` command."""

from bot.commands import main

# The web server's workers import this module again where processes are spawned, not forked.
if __name__ == "__main__":
    main(prog_name="assent")
