// Links in a text, as a phone shows them: what can be tapped, and where a tap goes.

import { element, visible } from "./words.js";

const ADDRESS = /\bhttps?:\/\/[^\s<>"]+/giu;
const BEHIND = /[.,;:!?'’”)\]]+$/u;

// Every address in a text, without the punctuation behind it.
export function addresses(text) {
  return pieces(text).filter(([, link]) => link).map(([words]) => words);
}

// The text with its addresses as links. `go(address, link, event)` is called for each tap.
export function linked(text, go) {
  const shown = document.createDocumentFragment();
  for (const [words, link] of pieces(text)) {
    shown.append(link ? anchor(words, go) : visible(words));
  }
  return shown;
}

function pieces(text) {
  const found = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(BEHIND, "");
    if (!parsed(address)) continue;
    found.push([text.slice(from, match.index), false], [address, true]);
    from = match.index + address.length;
  }
  found.push([text.slice(from), false]);
  return found.filter(([words]) => words);
}

function parsed(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

function anchor(address, go) {
  const link = element("a", "link", address);
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.addEventListener("click", (event) => {
    event.stopPropagation();
    go(address, link, event);
  });
  return link;
}
