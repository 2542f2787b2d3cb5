// One phone on the desk: whose it is, whom it texts with, its thread, and the notes beside it.

import * as api from "./api.js";
import { Browser } from "./browser.js";
import { addresses } from "./links.js";
import * as notes from "./notes.js";
import { Thread, title } from "./thread.js";
import { clock, element, number } from "./words.js";

const OTHER = "other";
const WORDS = ["YES", "HELP", "WEEKLY", "PAUSE 2 weeks", "STATUS", "STOP", "START",
  "please stop texting me", "ESPAÑOL"];
const EVERY = 1000;
const RETRY = 4000;

export class Station {
  // `world` has people, senders and changed(); `state` is {phone, sender}.
  constructor(world, state) {
    this.world = world;
    this.state = state;
    this.items = new Map();
    this.alive = true;
    this.round = 0;
    this.outbox = Promise.resolve();
    this.root = document.getElementById("station").content.firstElementChild.cloneNode(true);
    this.part = (name) => this.root.querySelector(`[data-part="${name}"]`);
    this.browser = new Browser(this.part, world.internet);
    this.thread = new Thread(this.part("thread"), this.part("screen"),
      (sid) => this.explain(sid), (...tap) => this.#tap(...tap));
    this.recorded = null;
    this.#options();
    this.#listen();
    this.restart();
    this.#tick();
  }

  close() {
    this.alive = false;
    clearTimeout(this.timer);
    this.root.remove();
  }

  focus() {
    this.part("write").focus();
  }

  // After a choice changed: another thread, another name, other suggestions.
  restart() {
    this.round += 1;
    this.items.clear();
    this.thread.clear();
    this.browser.close();
    this.recorded = null;
    this.part("notes").replaceChildren(...notes.waiting());
    this.part("notice").textContent = "";
    this.#names();
    this.#chips();
    this.refresh();
  }

  // Show what is new; true when the simulator answered.
  async refresh() {
    const round = this.round;
    const { phone, sender } = this.state;
    if (!phone || !sender) return true;
    try {
      const items = await api.messages(phone, sender);
      if (round === this.round && this.alive) this.#show(items);
      this.world.reachable(true);
      return true;
    } catch (error) {
      this.world.reachable(false, error.message);
      return false;
    }
  }

  // Texts leave one after the other, in the order in which they were written.
  send(body) {
    const { phone, sender } = this.state;
    if (!body.trim()) return;
    this.part("notice").textContent = "";
    this.outbox = this.outbox.then(() => this.#post(phone, sender, body));
  }

  // The notes for one text; a reply is explained by the text that it answers.
  async explain(sid) {
    const item = this.items.get(sid);
    if (!item) return;
    this.thread.mark(sid);
    const round = this.round;
    const about = item.in_reply_to ? this.items.get(item.in_reply_to) : item;
    const answered = item.direction === "inbound" ? sid : item.in_reply_to;
    const told = answered ? await api.explanation(answered).catch(() => null) : null;
    if (round === this.round && this.thread.chosen === sid) {
      this.recorded = null;
      this.part("notes").replaceChildren(...notes.describe(item, told, about));
    }
    if (!answered) await this.#record();
  }

  // What became of a campaign's text since: shown again only where something has changed.
  async #record() {
    const sid = this.thread.chosen;
    const item = this.items.get(sid);
    if (!item || item.direction !== "outbound" || item.in_reply_to) return;
    if (!addresses(item.body).length) return;
    const told = await api.recorded(sid, this.state.phone).catch(() => null);
    const seen = JSON.stringify(told);
    if (!told || this.thread.chosen !== sid || !this.alive || this.recorded === seen) return;
    this.recorded = seen;
    const focused = document.activeElement?.closest(".notes") ? document.activeElement.textContent : null;
    const play = (address, visitor) => this.#play(address, visitor);
    this.part("notes").replaceChildren(...notes.earned(item, told, this.world.internet.items, play));
    if (focused === null) return;
    [...this.part("notes").querySelectorAll("button")].find((one) => one.textContent === focused)?.focus();
  }

  async #play(address, visitor) {
    this.part("notice").textContent = "";
    try {
      await api.visit(address, visitor);
    } catch (error) {
      this.part("notice").textContent = error.message;
    }
  }

  #tap(address, link, event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || !this.browser.opens(address)) return;
    event.preventDefault();
    this.browser.open(address, link);
  }

  async #post(phone, sender, body) {
    try {
      const told = await api.send(phone, sender, body);
      if (told.error) this.thread.fail(told.sid, `${told.error.message} (${told.error.code})`);
      await this.refresh();
    } catch (error) {
      this.part("notice").textContent = error.message;
      const write = this.part("write");
      if (!write.value) write.value = body;
    }
  }

  #show(items) {
    const first = this.items.size === 0;
    for (const item of items) this.items.set(item.sid, item);
    const newest = this.thread.show(items, this.part("name").textContent);
    this.part("empty").hidden = items.length > 0;
    if (!newest) return;
    if (first) this.part("screen").scrollTop = this.part("screen").scrollHeight;
    this.explain(newest.in_reply_to ?? newest.sid);
  }

  async #tick() {
    if (!this.alive) return;
    const answered = document.hidden ? true : await this.refresh();
    if (answered && !document.hidden) await this.#record();
    this.#clock();
    this.timer = setTimeout(() => this.#tick(), answered ? EVERY : RETRY);
  }

  #listen() {
    this.part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(this.part("write").value);
      this.part("write").value = "";
      this.#grow();
    });
    this.part("write").addEventListener("input", () => this.#grow());
    this.part("write").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.part("form").requestSubmit();
      }
    });
    this.part("remove").addEventListener("click", () => this.world.remove(this));
    this.#choice("person", "number", "phone");
    this.#choice("sender", "address", "sender");
    const write = this.part("write");
    write.id = `write-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    this.part("write-label").htmlFor = write.id;
  }

  // A list with "another…", which shows a field to type in.
  #choice(list, field, key) {
    const typed = this.part(field);
    const take = (value) => {
      this.state[key] = value;
      this.restart();
      this.world.changed();
    };
    this.part(list).addEventListener("change", (event) => {
      const other = event.target.value === OTHER;
      this.part(`${field}-field`).hidden = !other;
      if (other) typed.focus();
      else take(event.target.value);
    });
    typed.addEventListener("change", () => {
      const value = typed.value.replace(/[\s().-]/g, "");
      if (value) take(value);
    });
  }

  #options() {
    const people = this.world.people.map((one) => [one.number, `${one.name ?? "Someone"} · ${number(one.number)}`]);
    fill(this.part("person"), people, this.state.phone, "Another number…");
    const senders = this.world.senders.map((one) => [one.number, `${title(one)} · ${one.number}`]);
    fill(this.part("sender"), senders, this.state.sender, "Another sender…");
    for (const [list, field, key] of [["person", "number", "phone"], ["sender", "address", "sender"]]) {
      const other = this.part(list).value === OTHER;
      this.part(`${field}-field`).hidden = !other;
      if (other) this.part(field).value = this.state[key] ?? "";
    }
  }

  #names() {
    const sender = this.world.senders.find((one) => one.number === this.state.sender)
      ?? { number: this.state.sender ?? "" };
    const person = this.world.people.find((one) => one.number === this.state.phone);
    const name = title(sender);
    const whose = person?.name ?? number(this.state.phone ?? "");
    this.part("name").textContent = name;
    this.part("avatar").textContent = /^[A-Za-z]/.test(name) ? name.charAt(0).toUpperCase() : "#";
    this.part("line").textContent = sender.name ? `Text message · ${sender.number}` : "Text message";
    this.zone = person?.zone;
    this.where = person?.place ?? "";
    this.#clock();
    this.root.setAttribute("aria-label", `Phone of ${whose}`);
    this.part("screen").setAttribute("aria-label", `Texts between ${whose} and ${name}`);
    this.part("notes").setAttribute("aria-label", `What Assent understood from ${whose}`);
    this.part("remove").setAttribute("aria-label", `Remove the phone of ${whose}`);
  }

  // The time where the person is: marketing waits there until the morning.
  #clock() {
    this.part("clock").textContent = this.zone ? `${clock(this.zone)} in ${this.where}` : "";
  }

  #chips() {
    const sender = this.world.senders.find((one) => one.number === this.state.sender);
    const joins = (sender?.programs ?? []).map((program) => program.keywords[0]).filter(Boolean);
    joins.sort((one, other) => (other === "JOIN") - (one === "JOIN"));
    const words = [...new Set([...(joins.length ? joins : ["JOIN"]), ...WORDS])];
    this.part("chips").replaceChildren(...words.map((word) => {
      const chip = element("button", "chip", word);
      chip.type = "button";
      chip.addEventListener("click", () => this.send(word));
      return chip;
    }));
  }

  #grow() {
    const write = this.part("write");
    const lines = Math.min(5, write.value.split("\n").length + Math.floor(write.value.length / 34));
    write.rows = Math.max(1, lines);
  }
}

function fill(list, options, chosen, other) {
  const made = options.map(([value, label]) => new Option(label, value, false, value === chosen));
  const known = options.some(([value]) => value === chosen);
  list.replaceChildren(...made, new Option(other, OTHER, false, !known));
}
