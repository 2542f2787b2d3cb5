// Beside a phone: what Assent understood of one text, what it answered, what it wrote down.

import * as record from "./record.js";
import { count, element, moment, sentence, short, visible } from "./words.js";

const MEANING = {
  join: "Wants to join a program",
  confirm: "Says yes to the open question",
  decline: "Says no to the open question",
  stop: "Wants no more texts",
  unclear_stop: "Perhaps wants no more texts: marketing is held until a person decides",
  start: "Wants to come back",
  help: "Asks for help",
  frequency: "Says how often to write",
  pause: "Wants a pause",
  resume: "Ends the pause",
  language: "Changes the language",
  status: "Asks what is subscribed",
  not_understood: "Not a keyword: a person can read it in the inbox",
  carrier_blocked: "The carrier blocked this number",
  carrier_deactivated: "The carrier says the number is no longer in use",
};
const SHOWN = new Set(["signal", "rule"]);

export function waiting() {
  return [heading(), element("p", "hint",
    "Send a text, or pick one in the thread. Its meaning, the rule that decided, and each entry in the consent ledger appear here.")];
}

// A text of a campaign: what became of it, of its link, and what was bought after it.
export function earned(item, told, visitors, play) {
  return [heading("What Assent recorded"), quote(item), record.campaign(told),
    ...record.describe(item, told, visitors, play)];
}

// `item` is the text; `told` the service's explanation or null; `about` the text it is about.
export function describe(item, told, about) {
  const parts = [heading(), quote(about ?? item)];
  if (!told) return [...parts, withoutReading(item)];
  if (told.reading) parts.push(reading(told.reading));
  parts.push(reply(told), ledger(told.entries ?? []));
  return parts;
}

function heading(words = "What Assent understood") {
  return element("h3", "", words);
}

function quote(item) {
  const words = element("blockquote", "", visible(item.body || "(no words)"));
  words.dir = "auto";
  return words;
}

function withoutReading(item) {
  return element("p", "hint", item.direction === "outbound"
    ? "Sent by Assent on its own account, not as the answer to a text."
    : "The service has no explanation of this text.");
}

function reading(found) {
  const signal = element("p", `signal ${tone(found.signal)}`, sentence(found.signal));
  const meaning = element("p", "meaning", MEANING[found.signal] ?? "");
  const rows = [["Rule", element("code", "", String(found.rule))]];
  for (const [name, value] of Object.entries(found)) {
    if (!SHOWN.has(name) && said(value) && value !== false && value !== "unsaid") {
      rows.push([sentence(name), plain(value)]);
    }
  }
  return element("div", "reading", signal, meaning, facts(rows));
}

function tone(signal) {
  if (["stop", "decline", "carrier_blocked"].includes(signal)) return "stop";
  if (["join", "confirm", "start", "resume"].includes(signal)) return "go";
  return ["unclear_stop", "not_understood"].includes(signal) ? "doubt" : "calm";
}

function reply(told) {
  const sent = told.reply;
  const block = element("div", "block", element("h4", "", "Reply"));
  if (!sent) {
    const why = told.silence ? sentence(told.silence) : "this text needs no answer";
    block.append(element("p", "hint", `None: ${why}.`));
  }
  if (told.review) {
    block.append(element("p", "hint", `In the inbox, for a person to read: ${sentence(told.review)}.`));
  }
  if (!sent) return block;
  const rows = [["Reason", sentence(sent.reply ?? sent.kind)]];
  if (sent.sms_segments) {
    rows.push(["Cost", `${count(sent.sms_segments, "SMS", "SMS")} · ${sent.encoding ?? ""}`]);
  }
  for (const [name, value] of Object.entries(sent)) {
    if (!["kind", "reply", "body", "sms_segments", "encoding"].includes(name) && said(value)) {
      rows.push([sentence(name), plain(value)]);
    }
  }
  block.append(facts(rows));
  return block;
}

function ledger(entries) {
  const block = element("div", "block", element("h4", "", "Consent ledger"));
  if (!entries.length) {
    block.append(element("p", "hint", "No entry: this text changed no consent."));
    return block;
  }
  block.append(element("ol", "entries", ...entries.map(entry)));
  return block;
}

function entry(one) {
  const top = element("p", "change", element("strong", "", one.program ?? "All programs"), states(one));
  const hash = element("code", "", one.hash ? String(one.hash).slice(0, 12) : "none");
  if (one.hash) hash.title = one.hash;
  const rows = [
    ["Change", sentence(one.change ?? "")],
    ["Method", sentence(one.method ?? "")],
    ["Happened", stamp(one.occurred_at)],
    ["Recorded", stamp(one.recorded_at)],
    ["Hash", hash],
  ];
  return element("li", "", top, facts(rows.filter(([, value]) => said(value))), evidence(one.evidence));
}

function states(one) {
  if (!one.state_after) return null;
  const after = element("span", `state ${one.state_after}`, one.state_after);
  if (!one.state_before) return element("span", "states", after);
  const before = element("span", `state ${one.state_before}`, one.state_before);
  const arrow = element("span", "", "→");
  arrow.setAttribute("aria-label", "to");
  return element("span", "states", before, arrow, after);
}

function evidence(kept) {
  if (!said(kept)) return null;
  const rows = typeof kept === "object" ? Object.entries(kept) : [["text", kept]];
  const list = facts(rows.filter(([, value]) => said(value))
    .map(([name, value]) => [sentence(name), plain(value)]));
  return element("details", "", element("summary", "", `Evidence · ${count(rows.length, "item")}`), list);
}

function facts(rows) {
  const list = element("dl", "facts");
  for (const [name, value] of rows) {
    list.append(element("div", "", element("dt", "", name), element("dd", "", value)));
  }
  return list;
}

function stamp(iso) {
  if (!iso) return null;
  const shown = element("time", "", short(iso));
  shown.dateTime = iso;
  shown.title = moment(iso);
  return shown;
}

const said = (value) => value !== null && value !== undefined && value !== "";

function plain(value) {
  if (value?.count && value?.period) return `${value.count} per ${value.period}`;
  if (value === true) return "yes";
  return typeof value === "object" ? element("code", "", JSON.stringify(value)) : visible(String(value));
}
