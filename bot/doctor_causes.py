"""The reasons for a failing webhook signature, as `assent doctor webhook` names them."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a signature fails; where several apply, the first of this order is reported."""

    NONE = "none"
    HOST = "host"
    SCHEME = "scheme"
    PORT = "port"
    PATH = "path"
    SLASH = "slash"
    QUERY = "query"
    WHITESPACE = "whitespace"
    PLUS = "plus"
    BLANKS = "blanks"
    ENCODING = "encoding"
    EXTRA_PARAMETER = "extra_parameter"
    PREVIOUS_TOKEN = "previous_token"  # noqa: S105 - a name, no secret
    TOKEN = "token"  # noqa: S105 - a name, no secret
    TOKEN_WHITESPACE = "token_whitespace"  # noqa: S105 - a name, no secret
    ALGORITHM = "algorithm"
    ACCOUNT = "account"
    HEADER_MISSING = "header_missing"
    HEADER_DAMAGED = "header_damaged"
    SHORTENED = "shortened"
    FORM = "form"
    FORGED = "forged"
