// The desk: which phones lie on it, remembered in this browser.

import * as api from "./api.js";
import { Station } from "./station.js";

const KEPT = "assent-phones";
const MOST = 8;
const ROOM_FOR_TWO = 1180;
const DEFAULT_SENDER = "54321";

const desk = document.getElementById("desk");
const banner = document.getElementById("banner");
const add = document.getElementById("add");

const world = {
  people: [],
  senders: [],
  internet: { items: [], links: "", shop: "" },
  stations: [],

  changed() {
    const states = this.stations.map((station) => station.state);
    try {
      localStorage.setItem(KEPT, JSON.stringify(states));
    } catch {
      // A browser that keeps nothing still shows phones.
    }
    add.disabled = this.stations.length >= MOST;
    desk.classList.toggle("alone", this.stations.length === 1);
  },

  remove(station) {
    const index = this.stations.indexOf(station);
    this.stations.splice(index, 1);
    station.close();
    this.changed();
    const next = this.stations[Math.min(index, this.stations.length - 1)];
    if (next) next.focus();
    else add.focus();
  },

  place(state) {
    const station = new Station(this, state);
    this.stations.push(station);
    desk.append(station.root);
    return station;
  },

  reachable(answered, sentence = "") {
    banner.hidden = answered;
    if (banner.textContent !== sentence) banner.textContent = sentence;
  },
};

function fresh() {
  const taken = new Set(world.stations.map((station) => station.state.phone));
  const person = world.people.find((one) => !taken.has(one.number)) ?? world.people[0];
  return { phone: person?.number ?? "", sender: world.senders[0]?.number ?? DEFAULT_SENDER };
}

function kept() {
  try {
    const states = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return states.filter((one) => typeof one?.phone === "string" && typeof one?.sender === "string").slice(0, MOST);
  } catch {
    return [];
  }
}

async function start() {
  try {
    [world.people, world.senders, world.internet] = await Promise.all(
      [api.phones(), api.senders().catch(() => []), api.internet()]);
  } catch (error) {
    world.reachable(false, error.message);
    setTimeout(start, 4000);
    return;
  }
  world.reachable(true);
  const states = kept();
  states.forEach((state) => world.place(state));
  const wanted = window.innerWidth >= ROOM_FOR_TWO ? 2 : 1;
  while (!states.length && world.stations.length < wanted) world.place(fresh());
  world.changed();
  add.addEventListener("click", () => {
    const station = world.place(fresh());
    world.changed();
    station.focus();
  });
}

start();
