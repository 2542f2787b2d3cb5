// The thread of one phone: bubbles, times, and what each text cost.

import { addresses, linked } from "./links.js";
import { count, day, element, number, time, visible } from "./words.js";

const STATUS = {
  queued: "Sending…", accepted: "Sending…", scheduled: "Scheduled", sent: "Sent",
  delivered: "Delivered", undelivered: "Not delivered", failed: "Failed",
};

export class Thread {
  // `choose(sid)` is called when a person picks a text, `go(address, link)` when they tap a link.
  constructor(list, screen, choose, go) {
    this.list = list;
    this.screen = screen;
    this.choose = choose;
    this.go = go;
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
      row.handle.setAttribute("aria-pressed", String(key === sid));
      row.bubble.classList.toggle("chosen", key === sid);
    }
  }

  fail(sid, sentence) {
    this.problems.set(sid, sentence);
    const row = this.rows.get(sid);
    if (row) row.problem.textContent = sentence;
  }

  #add(item, partner) {
    const mine = item.direction === "inbound";
    const tappable = !mine && addresses(item.body).length > 0;
    const bubble = element(tappable ? "div" : "button", "bubble");
    const handle = tappable ? element("button", "about", "What was recorded") : bubble;
    handle.type = "button";
    handle.setAttribute("aria-pressed", "false");
    bubble.addEventListener("click", () => this.choose(item.sid));
    if (tappable) handle.addEventListener("click", () => this.choose(item.sid));
    const shown = tappable ? linked(item.body, this.go) : visible(item.body || "(no words)");
    const words = element("span", "words", shown);
    words.dir = "auto";
    const media = item.media.length ? element("span", "media", count(item.media.length, "attachment")) : null;
    bubble.append(element("span", "hidden", mine ? "You: " : `${partner}: `), words, media ?? "");
    const meta = element("p", "meta");
    const problem = element("p", "problem", this.problems.get(item.sid) ?? "");
    const row = element("li", mine ? "text mine" : "text theirs", bubble, meta,
      tappable ? handle : null, problem);
    this.#separate(item.at);
    this.list.append(row);
    this.rows.set(item.sid, { bubble, handle, meta, problem, status: null });
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
