// Small pieces of text and markup. Nothing here ever reads HTML: texts become text nodes.

const TIME = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const MOMENT = new Intl.DateTimeFormat([], {
  year: "numeric", month: "short", day: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});
const SHORT = new Intl.DateTimeFormat([], {
  month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const DAY = new Intl.DateTimeFormat([], { weekday: "long", month: "long", day: "numeric" });

// Marks that cannot be seen, or that turn the direction of what follows.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/u;

export const time = (iso) => TIME.format(new Date(iso));
export const moment = (iso) => MOMENT.format(new Date(iso));
export const short = (iso) => SHORT.format(new Date(iso));
export const day = (iso) => DAY.format(new Date(iso));

// The time of day in another place.
export const clock = (zone) =>
  new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date());

export function number(e164) {
  const nanp = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(e164);
  return nanp ? `(${nanp[1]}) ${nanp[2]}-${nanp[3]}` : e164;
}

export function count(many, one, more = `${one}s`) {
  return `${many} ${many === 1 ? one : more}`;
}

export function sentence(name) {
  const words = String(name).replaceAll("_", " ").replaceAll("-", " ");
  const named = words.replace(/\b(sms|qr|api|url|ip|id)\b/gi, (short) => short.toUpperCase());
  return named.charAt(0).toUpperCase() + named.slice(1);
}

export function element(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A person's text: what cannot be seen is shown as its code point.
export function visible(text) {
  const pieces = document.createDocumentFragment();
  for (const part of text.split(new RegExp(`(${UNSEEN.source})`, "u"))) {
    if (part && UNSEEN.test(part)) {
      const code = part.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      pieces.append(element("span", "unseen", `U+${code}`));
    } else if (part) {
      pieces.append(part);
    }
  }
  return pieces;
}
