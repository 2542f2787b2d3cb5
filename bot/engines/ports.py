"""Ports of this machine: is one free, does something answer there?"""

from __future__ import annotations

import errno
import http.client
import socket
import time
from typing import Final

from bot.engines.errors import EngineError

_STEP_S: Final = 0.1


def require_free(host: str, port: int, variable: str, *, patience: float = 0.0) -> None:
    """Raise EngineError when ``port`` cannot be listened on; ``variable`` is the setting to change.

    ``patience`` (seconds) is for a server of ours that is just ending.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            _try(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(_STEP_S)
                continue
            raise EngineError(_sentence(error, host, port, variable)) from error
        return


def answers(port: int, path: str = "/readyz") -> bool:
    """Does a GET of ``path`` on this machine get 200?"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _try(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections that are still closing are no obstacle, a listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)


def _sentence(error: OSError, host: str, port: int, variable: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program; stop it, or set {variable} to another."
    if error.errno == errno.EACCES:
        return f"Port {port} needs privileges; set {variable} to one above 1023."
    return f"Port {port} on {host} cannot be used: {error.strerror}."
