// A form on a shop's own page, in a shadow root: the page's styles do not reach in, except through
// the --assent-… properties, and nothing of this reaches out. No cookie, no storage, no other host.
const script = document.currentScript;
const own = new URL(script.src);
const given = script.dataset;
const address = new URL(own.pathname.replace(/\.js$/, ""), own);
const language = given.lang || document.documentElement.lang || navigator.language || "";
address.searchParams.set("lang", language.slice(0, 2).toLowerCase());
if (given.placement) address.searchParams.set("p", given.placement);

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
};

const start = async () => {
  const place = given.target ? document.querySelector(given.target) : null;
  const host = make("div", { "data-assent": "form" });
  if (place) place.append(host);
  else script.after(host);
  let form;
  try {
    const answer = await fetch(address, { credentials: "omit" });
    if (!answer.ok) throw new Error(String(answer.status));
    form = await answer.json();
  } catch (error) {
    console.error(
      `Assent: the form could not be loaded (${error.message}). ` +
        `Is ${location.origin} among the origins of this program?`
    );
    return;
  }
  show(host, form);
};

const show = (host, form) => {
  const root = host.attachShadow({ mode: "open" });
  dress(root, form);
  const view = make("section", { lang: form.language, part: "form" });
  root.append(view);
  ask(host, view, form);
};

const dress = (root, form) => {
  const colours = Object.entries(form.colours);
  const light = colours.map(([name, [day]]) => `--${name}:${day};`).join("");
  const both = colours.map(([name, pair]) => `--${name}:light-dark(${pair.join()});`).join("");
  const css =
    `:host{${light}}@supports (color:light-dark(red,red)){:host{${both}}}` + form.style;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(make("style", {}, css));
  }
};

const ask = (host, view, form) => {
  const words = form.words;
  const alert = make("div", { class: "alert", role: "alert", part: "alert" });
  const country =
    form.countries.length > 1
      ? make(
          "select",
          { id: "country", name: "country", part: "field" },
          ...form.countries.map(([code, name, calling]) =>
            make(
              "option",
              { value: code, "data-calling": calling, selected: code === form.chosen },
              `${name} +${calling}`
            )
          )
        )
      : make("input", {
          type: "hidden",
          name: "country",
          value: form.chosen,
          "data-calling": form.countries[0][2],
        });
  const phone = make("input", {
    id: "phone",
    name: "phone",
    type: "tel",
    inputmode: "tel",
    autocomplete: "tel-national",
    maxlength: 40,
    required: true,
    part: "field",
    "aria-describedby": "phone-error",
  });
  const box = make("input", {
    id: "agree",
    name: "agree",
    type: "checkbox",
    value: "yes",
    required: true,
    "aria-describedby": "disclosure agree-error",
  });
  const button = make("button", { type: "submit", part: "button" }, words.button);
  const trap = make("input", { name: form.trap, tabindex: -1, autocomplete: "off" });
  const fields = make(
    "form",
    { novalidate: true },
    make("div", { class: "trap", "aria-hidden": "true" }, make("label", {}, words.trap, trap)),
    country.type === "hidden"
      ? country
      : make("div", {}, make("label", { for: "country" }, words.country), country),
    make("div", {}, make("label", { for: "phone" }, words.phone), phone, problem("phone")),
    form.dates.length ? birth(form) : null,
    make("div", { class: "tick" }, box, make("label", { for: "agree" }, words.box)),
    problem("agree"),
    disclosure(form),
    button
  );
  view.replaceChildren(
    ...heading(form),
    make("p", { part: "next" }, words.next),
    alert,
    fields
  );
  helpWriting(phone, country);
  fields.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") !== "true") send(host, view, form, fields);
  });
};

const heading = (form) => {
  const tag = given.heading || "h2";
  return /^h[1-6]$/.test(tag) ? [make(tag, { part: "heading" }, form.headline)] : [];
};

const problem = (field) => make("p", { class: "error", id: `${field}-error`, hidden: true });

const birth = (form) =>
  make(
    "fieldset",
    { "aria-describedby": "birth-hint birth-error" },
    make("legend", {}, form.words.birth),
    make("p", { id: "birth-hint" }, form.words.birth_hint),
    make(
      "div",
      { class: "dates" },
      ...form.dates.map((part) =>
        make(
          "div",
          { class: part },
          make("label", { for: part }, form.words[part]),
          make("input", {
            id: part,
            name: part,
            inputmode: "numeric",
            autocomplete: `bday-${part}`,
            maxlength: part === "year" ? 4 : 2,
            required: true,
            part: "field",
          })
        )
      )
    ),
    problem("birth")
  );

const disclosure = (form) =>
  make(
    "p",
    { id: "disclosure", part: "disclosure" },
    ...form.disclosure.map(([text, link]) =>
      link ? make("a", { href: text, target: "_blank", rel: "noopener" }, text) : text
    )
  );

const send = async (host, view, form, fields) => {
  const button = fields.querySelector("button");
  button.setAttribute("aria-disabled", "true");
  const body = new URLSearchParams(new FormData(fields));
  body.set("token", form.token);
  body.set("page", location.origin + location.pathname);
  let said;
  try {
    const answer = await fetch(address, { method: "POST", body, credentials: "omit" });
    said = await answer.json();
  } catch {
    said = { outcome: "again", notice: form.failed };
  }
  button.removeAttribute("aria-disabled");
  if (said.token) form.token = said.token;
  if (said.outcome === "errors" || said.outcome === "again") return mend(view, fields, said);
  last(host, view, form, said);
};

const mend = (view, fields, said) => {
  const wrong = said.errors || {};
  view.querySelector(".alert").textContent = said.notice;
  for (const line of fields.querySelectorAll(".error")) {
    const field = line.id.replace("-error", "");
    line.textContent = wrong[field] || "";
    line.hidden = !wrong[field];
    const marked = field === "birth" ? fields.querySelectorAll(".dates input") : [fields[field]];
    for (const input of marked) input.setAttribute("aria-invalid", String(Boolean(wrong[field])));
  }
  // The box is never ticked for anybody, not even again.
  fields.elements.agree.checked = false;
  const first = fields.querySelector("[aria-invalid=true]");
  (first || fields.querySelector("button")).focus();
};

const last = (host, view, form, said) => {
  const title = make("h2", { tabindex: -1, part: "heading" }, said.heading);
  const steps = make("ol", {}, ...(said.steps || []).map((text) => make("li", {}, text)));
  const lines = (said.lines || []).map((text) => make("p", {}, text));
  const back = said.back ? make("button", { type: "button", class: "back" }, said.back) : null;
  view.replaceChildren(...[title, said.steps ? steps : null, ...lines, back].filter(Boolean));
  if (back) back.addEventListener("click", () => startAgain(host, view));
  title.focus();
  if (said.outcome === "thanks") {
    host.dispatchEvent(new CustomEvent("assent:asked", { bubbles: true }));
  }
};

const startAgain = async (host, view) => {
  const answer = await fetch(address, { credentials: "omit" });
  const form = await answer.json();
  ask(host, view, form);
  view.querySelector("#phone").focus();
};

start();
