"""``assent doctor webhook``: why the signature of a captured webhook fails."""

from __future__ import annotations

import json
import os
from typing import IO

import click

from bot.captured_request import read_capture
from bot.webhook_doctor import Diagnosis, Expected, diagnose
from storage.settings import Settings, SettingsError

_LARGEST_CAPTURE = 1024 * 1024
_ANSWER_IS_NO = 1
_COULD_NOT_RUN = 2


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as a JSON object.")
def webhook(file: IO[bytes], as_json: bool) -> None:
    """Say why the signature of the captured request in FILE (or - for stdin) fails.

    FILE holds the request as text, "POST /path HTTP/1.1", headers, an empty line and the body; or
    a JSON object with "url", "headers" and "body". It is compared with PUBLIC_BASE_URL and the
    TWILIO_ settings. Exit code 0: the signature is valid, 1: it is not, 2: this could not be read.
    """
    try:
        diagnosis = diagnose(read_capture(file.read(_LARGEST_CAPTURE)), _expected())
    except (SettingsError, ValueError) as error:
        click.echo(str(error), err=True)
        raise SystemExit(_COULD_NOT_RUN) from error
    click.echo(_as_json(diagnosis) if as_json else diagnosis.sentence)
    if not diagnosis.ok:
        raise SystemExit(_ANSWER_IS_NO)


def _expected() -> Expected:
    settings = Settings.from_environment(os.environ)
    tokens = (settings.twilio_auth_token, settings.twilio_auth_token_previous)
    return Expected(
        base_url=settings.public_base_url,
        account_sid=settings.twilio_account_sid,
        tokens=tuple(filter(None, tokens)),
        shared_key=settings.twilio_webhook_shared_key,
    )


def _as_json(diagnosis: Diagnosis) -> str:
    return json.dumps(
        {"ok": diagnosis.ok, "cause": diagnosis.cause, "sentence": diagnosis.sentence},
        ensure_ascii=False,
    )
