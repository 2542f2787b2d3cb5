// The calls of this page. Every failure becomes an Error whose message a person can read.

const BASE = "/simulator";

export async function phones() {
  return (await read("/phones")).items;
}

// The service answers this one; where it does not (yet), the page lets the sender be typed.
export async function senders() {
  const found = await fetch(`${BASE}/senders`, { headers: { Accept: "application/json" } });
  return found.ok ? (await found.json()).items : [];
}

export async function messages(phone, sender) {
  const query = sender ? `?with=${encodeURIComponent(sender)}` : "";
  return (await read(`/phones/${encodeURIComponent(phone)}/messages${query}`)).items;
}

// null where the service has nothing to say about this text.
export async function explanation(sid) {
  const found = await fetch(`${BASE}/explanations/${sid}`, { headers: { Accept: "application/json" } });
  return found.ok ? found.json() : null;
}

// What became of a campaign's text; null where it is of none.
export async function recorded(sid, phone) {
  const path = `${BASE}/recorded/${sid}?phone=${encodeURIComponent(phone)}`;
  const found = await fetch(path, { headers: { Accept: "application/json" } });
  return found.ok ? found.json() : null;
}

// Who can look at a link, what links begin with, and the shop's host.
export async function internet() {
  return read("/visitors");
}

export async function visit(address, visitor) {
  return post("/visits", { address, as: visitor });
}

export async function send(from, to, body) {
  return post("/texts", { from, to, body });
}

async function post(path, values) {
  return read(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(values),
  });
}

async function read(path, options = {}) {
  let answer;
  try {
    answer = await fetch(BASE + path, { cache: "no-cache", ...options });
  } catch {
    throw new Error("The simulator does not answer. Is Assent running?");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Error(body.detail || `The simulator answered with HTTP ${answer.status}.`);
  }
  return body;
}
