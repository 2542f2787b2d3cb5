"""The carrier itself: it accepts texts from the service, and brings texts of phones to it."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.simulator import delivery, twiml
from bot.simulator.caller import CallError, ServiceCaller
from bot.simulator.carrier_keywords import BlockLists
from bot.simulator.errors import TwilioError
from bot.simulator.faults import FaultKind, Faults
from bot.simulator.inbound import Inbound, params
from bot.simulator.store import TextStore
from bot.simulator.texts import Direction, Status, Text, utc_now

if TYPE_CHECKING:
    from bot.simulator.caller import Answer
    from bot.simulator.config import Config

_UNSUBSCRIBED = 21_610


@dataclass(frozen=True, slots=True)
class Received:
    """What came of an inbound text. ``problem`` is Twilio's debugger code and a sentence."""

    text: Text
    replies: tuple[Text, ...]
    webhook_status: int | None
    problem: tuple[int, str] | None


class Carrier:
    """One simulated carrier, safe for many threads."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = TextStore(config.folder)
        self.faults = Faults()
        self.blocked = BlockLists(self.faults)
        self.caller = ServiceCaller(config)
        self._delivery = delivery.Delivery(config, self.store, self.faults, self.caller)
        for text in self.store.unfinished():
            self._delivery.start(text)

    def accept(self, text: Text) -> None:
        """Take a text from the service and start its way. Raises :class:`TwilioError`."""
        if self.blocked.blocks(text.to, text.sender):
            raise TwilioError(_UNSUBSCRIBED)
        code = delivery.strike_code(self.faults, text.to, text.sender, late=False)
        if code is not None:
            raise TwilioError(code)
        self.store.add(text)
        self._delivery.start(text)

    def receive(self, inbound: Inbound) -> Received:
        """Bring a phone's text to the service, and the service's replies to the phone.

        A SID that is known already is a replay: the webhook is called again and nothing is stored.
        """
        text = inbound.text
        carrier_reply = self.blocked.hear(text.sender, text.to, text.body)
        if carrier_reply and carrier_reply.opt_out_type and inbound.opt_out_type is None:
            inbound = inbound.told(carrier_reply.opt_out_type)
        self.store.add(text)
        if carrier_reply and carrier_reply.body:
            self._deliver(_reply(text, twiml.ReplyVerb(carrier_reply.body), "carrier"))
        try:
            answer = self._call(inbound)
            verbs = twiml.replies(answer)
        except CallError as failure:
            return Received(text, (), None, (11200, str(failure)))
        except twiml.TwimlError as bad:
            return Received(text, (), answer.status, (bad.code, bad.detail))
        replies = tuple(_reply(text, verb, str(index)) for index, verb in enumerate(verbs))
        return self._settle(text, replies, answer)

    def close(self) -> None:
        """Stop the threads and let go of files and connections."""
        self._delivery.close()
        self.caller.close()
        self.store.close()

    def _settle(self, text: Text, replies: tuple[Text, ...], answer: Answer) -> Received:
        problem = None
        for reply in replies:
            if self.blocked.blocks(reply.to, reply.sender):
                problem = (_UNSUBSCRIBED, "The carrier blocks this phone: a reply was refused.")
                self.store.add(reply.moved(Status.FAILED, _UNSUBSCRIBED, utc_now()))
            else:
                self._deliver(reply)
        return Received(text, replies, answer.status, problem)

    def _deliver(self, text: Text) -> None:
        if self.store.add(text):
            self._delivery.start(text)

    def _call(self, inbound: Inbound) -> Answer:
        """Call the webhook: once, or several times at the same moment where that fault strikes."""
        form = params(self.config.account_sid, inbound)
        token = str(uuid.uuid4())
        text = inbound.text
        repeat = self.faults.strike(FaultKind.WEBHOOK_REPEAT, text.sender, text.to)
        url = self.config.inbound_url
        if repeat is None:
            return self.caller.post(url, form, token)
        with ThreadPoolExecutor(repeat.copies) as pool:
            calls = [pool.submit(self.caller.post, url, form, token) for _ in range(repeat.copies)]
            answers = [call.result() for call in calls]
        if len({(answer.status, answer.body) for answer in answers}) > 1:
            raise CallError("The repeated webhook got different answers.")
        return answers[0]


def _reply(text: Text, verb: twiml.ReplyVerb, name: str) -> Text:
    """A reply. Its SID follows from the inbound SID, so that a replay names the same reply."""
    now = utc_now()
    sid = "SM" + uuid.uuid5(uuid.NAMESPACE_URL, f"{text.sid}/{name}").hex
    return Text(
        sid=sid,
        direction=Direction.REPLY,
        sender=verb.sender or text.to,
        to=verb.to or text.sender,
        body=verb.body,
        at=now,
        status=Status.QUEUED,
        updated_at=now,
        status_callback=verb.status_callback,
        answers=text.sid,
        media=verb.media,
    )
