"""Things are killed while people text; nothing that was answered may be lost."""
