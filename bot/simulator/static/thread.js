// The thread of one phone: bubbles, times, and what each text cost.

import { count, day, element, number, time, visible } from "./words.js";

const STATUS = {
  queued: "Sending…", accepted: "Sending…", scheduled: "Scheduled", sent: "Sent",
  delivered: "Delivered", undelivered: "Not delivered", failed: "Failed",
};

export class Thread {
  // `choose(sid)` is called when a person picks a text.
  constructor(list, screen, choose) {
    this.list = list;
    this.screen = screen;
    this.choose = choose;
    this.rows = new Map();
    this.problems = new Map();
    this.chosen = null;
    this.lastDay = null;
  }

  clear() {
    this.list.replaceChildren();
    this.rows.clear();
    this.lastDay = null;
    this.chosen = null;
  }

  // Show these texts; returns the newest one that was not shown before, or null.
  show(items, partner) {
    const nearEnd = this.#nearEnd();
    let newest = null;
    for (const item of items) {
      if (this.rows.has(item.sid)) this.#update(item);
      else {
        this.#add(item, partner);
        newest = item;
      }
    }
    if (newest && nearEnd) this.screen.scrollTop = this.screen.scrollHeight;
    return newest;
  }

  mark(sid) {
    this.chosen = sid;
    for (const [key, row] of this.rows) {
      row.bubble.setAttribute("aria-pressed", String(key === sid));
    }
  }

  fail(sid, sentence) {
    this.problems.set(sid, sentence);
    const row = this.rows.get(sid);
    if (row) row.problem.textContent = sentence;
  }

  #add(item, partner) {
    const mine = item.direction === "inbound";
    const bubble = element("button", "bubble");
    bubble.type = "button";
    bubble.setAttribute("aria-pressed", "false");
    bubble.addEventListener("click", () => this.choose(item.sid));
    const words = element("span", "words", visible(item.body || "(no words)"));
    words.dir = "auto";
    const media = item.media.length ? element("span", "media", count(item.media.length, "attachment")) : null;
    bubble.append(element("span", "hidden", mine ? "You: " : `${partner}: `), words, media ?? "");
    const meta = element("p", "meta");
    const problem = element("p", "problem", this.problems.get(item.sid) ?? "");
    const row = element("li", mine ? "text mine" : "text theirs", bubble, meta, problem);
    this.#separate(item.at);
    this.list.append(row);
    this.rows.set(item.sid, { bubble, meta, problem, status: null });
    this.#update(item);
  }

  #separate(at) {
    const today = day(at);
    if (today === this.lastDay) return;
    this.lastDay = today;
    this.list.append(element("li", "day", today));
  }

  #update(item) {
    const row = this.rows.get(item.sid);
    if (row.status === item.status) return;
    row.status = item.status;
    const told = item.direction === "outbound" ? STATUS[item.status] ?? item.status : null;
    const error = item.error_code ? ` (${item.error_code})` : "";
    const stamp = element("time", "", time(item.at));
    stamp.dateTime = item.at;
    const cost = `${count(item.sms_segments, "SMS", "SMS")} · ${item.encoding}`;
    const size = element("span", "cost", cost);
    size.title = `${count(item.characters, "character")}, sent as ${count(item.sms_segments, "SMS segment")}`;
    row.meta.replaceChildren(stamp, " · ", size, told ? ` · ${told}${error}` : "");
    row.meta.classList.toggle("bad", item.status === "failed" || item.status === "undelivered");
  }

  #nearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.screen;
    return scrollHeight - scrollTop - clientHeight < 120;
  }
}

export function title(sender) {
  return sender.name || (sender.number.startsWith("+") ? number(sender.number) : sender.number);
}
