"""The web applications that are compared, each a module with an ``app`` that granian loads."""
