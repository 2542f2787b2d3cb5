"""The embedded engines: real servers, killed for real."""
