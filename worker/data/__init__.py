"""Rules of carriers and of good manners that change: TOML files with their source and date."""
