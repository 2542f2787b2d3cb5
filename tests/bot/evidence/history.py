"""A life in the ledger: every way in, texts of campaigns, refusals; and the tools of a stranger."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from bot.app import Assent
from bot.evidence.exporting import Export, Wanted, export
from bot.resources import Resources
from keywords.consent import Method
from keywords.optin import OptIn
from keywords.turn import Text
from storage import optins, placements
from storage.conversation import Arrival, exchange
from storage.database import Connection, connect
from storage.disclosures import current, keep_artifact
from storage.sealing import waiting
from storage.shop import ShopCache
from storage.signing import LedgerKey
from storage.transaction import atomic
from tests.campaigns import campaign
from tests.texting import SENDER, new_sid
from tests.worker.test_main import wait_for
from worker.sealing import Sealer

ANNA = "+14155550123"
BEN = "+14155550124"
VERIFY = Path(__file__).parents[3] / "bot/evidence/verify.py"
DECISION = {
    "answer": "allowed",
    "until": "2026-11-25T20:59:00+00:00",
    "reason": "policy.allowed",
    "rule": "windows",
    "version": "policy 1, quiet_hours 3",
    "evidence": {"consent": {"state": "subscribed"}, "window": ["08:00", "21:00"]},
}


@dataclass
class Life:
    """A database with the demo shop, and one person's steps in it."""

    service: Assent
    resources: Resources
    url: str
    home: Path

    def say(self, *bodies: str, phone: str = ANNA, days: int = 0) -> None:
        """Texts from a phone, ``days`` from now."""
        with self._at(days) as connection:
            for body in bodies:
                text = Text(new_sid(), phone, SENDER, body)
                exchange(connection, ShopCache(), [Arrival(text, phone, body.encode())])

    def poster(self) -> str:
        """A placement whose poster was printed; its code."""
        with self.resources.work() as work:
            code = placements.add(work.session, "deals", "Store 12, window", store="12").code
        for form in ("pdf", "svg"):
            path = f"/join/deals/poster.{form}?placement={code}"
            assert self.service.test_client().get(path).status_code == 200
        return code

    def opt_in(self, program: str, method: Method, actor: str, days: int, **evidence: Any) -> None:
        """An opt-in by another way than a text."""
        with self._at(days) as connection, atomic(connection):
            request = OptIn(ANNA, program, method, actor, evidence)
            optins.record(connection, ShopCache(), self.resources.settings.phone_pepper, [request])

    def shown(self, program: str, method: Method, page: str) -> dict[str, Any]:
        """What a form or a till shows, kept as both do."""
        with self.resources.work() as work:
            words = current(work.session, program, "en", method)
            artifact = keep_artifact(work.session, program, "form", "text/html", page.encode())
        return {"disclosure": words.digest, "shown": {"artifact": artifact, "language": "en"}}

    def campaign(self, *bodies: str, days: int = 0) -> None:
        """Texts of a campaign, each with the reason why it was allowed."""
        with self._at(days) as connection:
            for body in bodies:
                number = campaign(connection)
                connection.execute(
                    "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, body,"
                    " decision, claimed_at, settled_at, carrier_sid, sms_segments)"
                    " SELECT %s, id, 0, 'accepted', %s, %s, assent_now(), assent_now(), %s, 1"
                    " FROM subscribers WHERE phone = %s",
                    (number, body, Jsonb(DECISION), new_sid(), ANNA),
                )

    def rich(self) -> None:
        """All of it, for Anna; Ben joins between, so that proofs are not trivial."""
        code = self.poster()
        self.say(f"JOIN {code}", "YES")
        self.say("JOIN", phone=BEN)
        self.campaign("Acme: 20% off 🎉 today.", "Acme: <b>last day</b> & more.")
        self.say("STOP")
        form = self.shown("deals", Method.WEB_FORM, "<!doctype html><title>Form</title>")
        visitor = {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}
        act = {"box": {"shown": "unticked", "sent": "ticked"}, "button": "pressed"}
        self.opt_in("deals", Method.WEB_FORM, "person", 2, **form, act=act, visitor=visitor)
        self.say("YES", "EVERY DAY?", days=2)
        till = self.shown("coffee", Method.POINT_OF_SALE, "<!doctype html><title>Till</title>")
        sale = {"store": "12", "register": "3", "clerk": "Ada", "gesture": "key_press"}
        self.opt_in("coffee", Method.POINT_OF_SALE, "key:till", 4, **till, **sale)
        file = {"file": {"name": "old.csv", "row": 7}, "source": "old system"}
        self.opt_in("orders", Method.IMPORT, "key:import", 6, **file)
        self.say("STOP", days=8)

    def seal(self) -> str:
        """Seal what waits; the signed checkpoint. Transactions of other tests may end first."""
        notes: list[str] = []

        def sealed() -> bool:
            newest = Sealer(self._settings()).seal_now(connection)
            notes.append(newest.note if newest else "")
            return not waiting(connection, 1).entries

        with connect(self.url, "test") as connection:
            assert wait_for(sealed)
        return notes[-1]

    def export(self, which: Any = ANNA, since: str | None = None) -> Export:
        """The zip, as the command and the API make it."""
        pepper = self.resources.settings.phone_pepper
        wanted = Wanted(which, "operator:ann", "a customer's lawyer asks", since)
        with connect(self.url, "test") as connection, atomic(connection):
            made = export(connection, pepper, LedgerKey(self.home), wanted)
        assert made is not None
        return made

    def _settings(self) -> Any:
        return replace(self.resources.settings, home=self.home)

    def _at(self, days: int) -> Connection:
        connection = connect(self.url, "test")
        connection.execute(f"SET assent.clock_offset = '{days} days'")
        return connection


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip of files, as somebody would make it who changed some."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def summed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same with a list of digests that fits, which is all that a forger without a key can."""
    listed = sorted(name for name in files if not name.startswith("SHA256SUMS"))
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in listed]
    return {**files, "SHA256SUMS": "".join(lines).encode()}


def edited(files: dict[str, bytes], name: str, change: Callable[[Any], None]) -> dict[str, bytes]:
    """The same with a JSON file changed, and the list of digests with it."""
    value = json.loads(files[name])
    change(value)
    return summed({**files, name: json.dumps(value, indent=2).encode()})


@dataclass(frozen=True)
class Verdict:
    """What verify.py said."""

    code: int
    said: str


def verified(content: bytes, folder: Path, *arguments: str, script: Path = VERIFY) -> Verdict:
    """Run the verifier as a stranger does: bare Python, no packages, no project, another folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evidence.zip").write_bytes(content)
    alone = folder / "verify.py"
    alone.write_bytes(script.read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(alone), "evidence.zip", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Verdict(done.returncode, done.stdout + done.stderr)
