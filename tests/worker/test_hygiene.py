"""Where a number has another owner consent ends; what the new owner agreed to stays."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import main
from keywords.consent import State
from keywords.people import Standing
from storage import hygiene
from storage.hygiene import Answered, Asked, Reassigned
from storage.settings import Settings
from tests.worker.scene import ANNA, BEN, CARL, Scene
from worker import deactivations, sweeps
from worker.deactivations import numbers, read_missing
from worker.hygiene import Read, deactivated, reassigned
from worker.policy.lapsing import day_over, ends

TODAY = datetime.now(UTC).date()
LISTS = "https://messaging.twilio.com/v1/Deactivations"
FILE = "https://files.example/list"


def reachability(scene: Scene, phone: str) -> str:
    """What is known of a number."""
    ((found,),) = scene.connection.execute(
        "SELECT reachability FROM subscribers WHERE phone = %s", (phone,)
    ).fetchall()
    return str(found)


def joined(scene: Scene, phone: str, days: int = 30) -> None:
    """Somebody joined so many days ago, and has been silent since."""
    scene.hear(phone, "JOIN", "YES")
    scene.connection.execute(
        "UPDATE subscriptions SET confirmed_at = confirmed_at - %s WHERE subscriber_id = %s",
        (timedelta(days=days), scene.id_of(phone)),
    )
    scene.connection.execute(
        "UPDATE inbound_texts SET received_at = received_at - %s WHERE subscriber_id = %s",
        (timedelta(days=days), scene.id_of(phone)),
    )


def evidence(scene: Scene, phone: str) -> dict[str, Any]:
    """The evidence of a person's last entry."""
    ((found,),) = scene.connection.execute(
        "SELECT convert_from(v.evidence, 'UTF8') FROM consent_events e"
        " JOIN consent_evidence v USING (event) JOIN subscribers s ON s.ref = e.subject"
        " WHERE s.phone = %s ORDER BY e.n DESC LIMIT 1",
        (phone,),
    ).fetchall()
    told = json.loads(found)
    assert isinstance(told, dict)
    return told


def test_a_deactivated_number_has_lapsed_and_a_refusal_stays(scene: Scene) -> None:
    """By the consent machine, with the list as evidence; twice is the same as once."""
    for phone in (ANNA, BEN, CARL):
        joined(scene, phone)
    scene.hear(BEN, "STOP")
    day = TODAY - timedelta(days=2)
    listed = [ANNA, BEN, "+14155559999"]
    read = deactivated(scene.connection, scene.shops, listed, day, "a file")
    assert read == Read(3, 2, 1)
    assert deactivated(scene.connection, scene.shops, listed, day, "again").lapsed == 0
    assert [scene.state(p) for p in (ANNA, BEN, CARL)] == ["none", "unsubscribed", "subscribed"]
    assert scene.ledger(ANNA)[-1] == ("lapsed", "carrier", None)
    told = evidence(scene, ANNA)["carrier"]
    assert (told["list"], told["day"], told["source"]) == ("deactivations", str(day), "a file")
    assert reachability(scene, ANNA) == "deactivated"
    assert reachability(scene, BEN) == "unknown"  # texted since


def test_who_has_agreed_since_is_the_new_owner(scene: Scene) -> None:
    """An old list does not end a newer consent."""
    joined(scene, ANNA, days=3)
    day = TODAY - timedelta(days=9)
    assert deactivated(scene.connection, scene.shops, [ANNA], day, "late").lapsed == 0
    assert scene.state(ANNA) == "subscribed"
    assert reachability(scene, ANNA) == "unknown"


def test_a_text_from_a_dead_number_brings_it_back(scene: Scene) -> None:
    """To reachability alone; consent takes a keyword and YES."""
    joined(scene, ANNA)
    deactivated(scene.connection, scene.shops, [ANNA], TODAY - timedelta(days=2), "file")
    assert sweeps.lift_reachability(scene.connection) == 0
    scene.hear(ANNA, "hello")
    assert sweeps.lift_reachability(scene.connection) == 1
    assert reachability(scene, ANNA) == "reachable"
    assert scene.state(ANNA) == "none"


def test_numbers_to_ask_about_come_with_their_last_proof_of_life(scene: Scene) -> None:
    """A text, an agreement or a human click, whichever is newest; not again for 30 days."""
    joined(scene, ANNA, days=40)
    joined(scene, BEN, days=40)
    scene.hear(CARL, "JOIN")
    scene.connection.execute(
        "INSERT INTO clicks (id, at, campaign_id, recipient_id, subscriber_id, variant,"
        " link_number, method, label, label_version) VALUES"
        " (1, assent_now() - interval '5 days', 1, 1, %s, 0, 0, 'GET', 'human',"
        " '1')",
        (scene.id_of(BEN),),
    )
    alive = {each.phone: each.alive_on for each in hygiene.due(scene.connection, page=1)}
    assert alive == {ANNA: TODAY - timedelta(days=40), BEN: TODAY - timedelta(days=5)}
    answer = Answered(ANNA, alive[ANNA], Reassigned.NO)
    assert reassigned(scene.connection, scene.shops, [answer], "file") == Read(1, 1, 0)
    assert [each.phone for each in hygiene.due(scene.connection)] == [BEN]


@pytest.mark.parametrize(
    ("answer", "state"),
    [(Reassigned.YES, "none"), (Reassigned.NO, "subscribed"), (Reassigned.NO_DATA, "subscribed")],
)
def test_only_yes_ends_consent(scene: Scene, answer: Reassigned, state: str) -> None:
    """With the answer, the day that was asked about and the file as evidence."""
    joined(scene, ANNA)
    (asked,) = hygiene.due(scene.connection)
    assert asked == Asked(scene.id_of(ANNA), ANNA, TODAY - timedelta(days=30))
    answers = [Answered(ANNA, asked.alive_on, answer), Answered("+14155559999", TODAY, answer)]
    read = reassigned(scene.connection, scene.shops, answers, "rnd.csv")
    assert read == Read(2, 1, int(state == "none"))
    assert scene.state(ANNA) == state
    if answer is Reassigned.YES:
        assert evidence(scene, ANNA)["carrier"]["answer"] == "yes"


def test_the_files_of_the_database_go_out_and_come_back(
    scene: Scene, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Export, ask, import: at the shell."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ASSENT_HOME", str(tmp_path))
    joined(scene, ANNA)
    joined(scene, BEN)
    out = tmp_path / "ask.csv"
    result = CliRunner().invoke(main, ["hygiene", "export", str(out)])
    assert result.exit_code == 0, result.output
    rows = out.read_text().split()
    assert rows[0] == f"{ANNA[2:]},{TODAY - timedelta(days=30)}"
    back = tmp_path / "answers.csv"
    back.write_text(f"number,date,result\n{rows[0]},yes\n{rows[1]},no data\nnonsense\n")
    result = CliRunner().invoke(main, ["hygiene", "import", str(back), "--json"])
    assert result.exit_code == 0, result.output
    assert '{"numbers": 2, "known": 2, "lapsed": 1}' in result.output
    assert "Line 4" in result.output
    listed = tmp_path / "gone.txt"
    listed.write_text(f"{BEN}\n")
    arguments = ["hygiene", "deactivations", str(listed), "--date", str(TODAY)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert [scene.state(phone) for phone in (ANNA, BEN)] == ["none", "none"]


@responses.activate
def test_missing_lists_are_fetched_through_the_real_sdk(scene: Scene, ready: Settings) -> None:
    """Seven days back; one that is not there is asked for again next time."""
    joined(scene, ANNA)
    settings = _real(ready)
    missing = TODAY - timedelta(days=1)
    for back in range(1, 8):
        day = TODAY - timedelta(days=back)
        responses.get(
            LISTS,
            status=404 if day == missing else 307,
            json={"redirect_to": FILE},
            match=[responses.matchers.query_param_matcher({"Date": str(day)})],
        )
    responses.get(FILE, body=f"{ANNA}\n4155550000\n\nnot a number\n")
    assert read_missing(scene.connection, scene.shops, settings) == 6
    assert scene.state(ANNA) == "none"
    assert hygiene.days_missing(scene.connection, 7) == [missing]
    assert read_missing(scene.connection, scene.shops, ready) == 0  # the simulator has no lists


def _real(settings: Settings) -> Settings:
    """The settings of an installation with an account."""
    return replace(settings, simulator=False, twilio_account_sid="AC" + "1" * 32)


def test_lines_of_a_list_are_numbers_however_they_are_written() -> None:
    """With and without the plus and the country, quoted or not."""
    lines = ["+14155550123", "4155550123", '"14155550123"', "", "phone"]
    assert list(numbers(lines)) == ["+14155550123"] * 3
    assert deactivations.SOURCE


@given(
    given_on=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    day=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    state=st.sampled_from(State),
)
def test_no_consent_that_is_newer_than_the_list_ends(
    given_on: date, day: date, state: State
) -> None:
    """And no refusal ever."""
    when = datetime.combine(given_on, time(12), UTC)
    standing = Standing("deals", state, confirmed_at=when, asked_at=when)
    over = ends(standing, day_over(day))
    open_ = state in (State.PENDING, State.SUBSCRIBED, State.PAUSED)
    assert over == (open_ and when <= day_over(day))
