// Beside a phone: what was recorded of a campaign's text, and machines that look at its link.

import { addresses } from "./links.js";
import { count, element, moment, sentence, time } from "./words.js";

const PERSON = "person";
const CURRENCIES = new Map();

// `told` is what the service recorded, `visitors` who can look; `play(address, name)` sends one.
export function describe(item, told, visitors, play) {
  const parts = [];
  const [link] = addresses(item.body);
  if (link && told.links.length) parts.push(machines(link, visitors, play));
  parts.push(hits(told), orders(told.orders));
  return parts;
}

export function campaign(told) {
  const name = element("p", "signal calm", told.campaign.name);
  const rows = `Campaign ${told.campaign.id} of ${told.campaign.program}: ${told.delivery ?? told.state}.`;
  return element("div", "reading", name, element("p", "meaning", rows));
}

function machines(link, visitors, play) {
  const group = element("div", "chips");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Who looks at the link");
  for (const visitor of visitors.filter((one) => one.name !== PERSON)) {
    const chip = element("button", "chip", visitor.title);
    chip.type = "button";
    chip.title = visitor.says;
    chip.addEventListener("click", () => play(link, visitor.name));
    group.append(chip);
  }
  return element("div", "block", element("h4", "", "Let a machine look first"), group);
}

function hits(told) {
  const block = element("div", "block", element("h4", "", "Clicks"));
  block.append(element("p", "sum", `${count(told.raw, "hit")}, ${told.human} by a person`));
  if (!told.hits.length) {
    block.append(element("p", "hint", "Tap the link in the text. Each hit appears here with the rule that judged it."));
    return block;
  }
  block.append(element("ol", "entries", ...told.hits.map(hit).reverse()));
  return block;
}

function hit(one) {
  const label = element("span", `state ${one.human ? "subscribed" : "pending"}`,
    one.human ? "a person" : "a machine");
  const stamp = element("time", "", time(one.at));
  stamp.dateTime = one.at;
  stamp.title = moment(one.at);
  const top = element("p", "change", element("strong", "", `${one.method} · `, stamp), label);
  const rule = facts([["Rule", element("code", "", one.label)]]);
  const more = element("details", "", element("summary", "", "Who it said it was"), facts([
    ["Agent", one.agent ?? "no longer kept"],
    ["Click", element("code", "", one.id)],
  ]));
  return element("li", "", top, rule, more);
}

function orders(items) {
  const block = element("div", "block", element("h4", "", "Orders"));
  if (!items.length) {
    block.append(element("p", "hint", "None that this text has earned."));
    return block;
  }
  block.append(element("ol", "entries", ...items.map(order)));
  return block;
}

function order(one) {
  const money = (minor) => amount(minor, one.currency);
  const basis = element("span", "state subscribed", sentence(one.credit.basis));
  const top = element("p", "change", element("strong", "", one.order_id), basis);
  const rows = [["Paid", money(one.amount_minor)]];
  if (one.net_minor !== one.amount_minor) {
    rows.push(["Given back", money(one.amount_minor - one.net_minor)], ["Left", money(one.net_minor)]);
  }
  rows.push(["Rule", element("code", "", one.credit.rule)]);
  return element("li", "", top, facts(rows));
}

function facts(rows) {
  const list = element("dl", "facts");
  for (const [name, value] of rows) {
    list.append(element("div", "", element("dt", "", name), element("dd", "", value)));
  }
  return list;
}

function amount(minor, currency) {
  if (!CURRENCIES.has(currency)) {
    CURRENCIES.set(currency, new Intl.NumberFormat([], { style: "currency", currency }));
  }
  const format = CURRENCIES.get(currency);
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}
