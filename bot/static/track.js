// Carries a click's id from the landing page to the order, on the shop's own pages.
//
// The id comes in the landing page's address (assent_click) and is kept for five days in the
// shop's own storage: no cookie of another site, nothing about the visitor, no request to us. Add
//   <script src="https://text.example.com/track.js" defer></script>
// to every page. Forms with an input named assent_click are filled in; a Shopify cart gets it as an
// attribute, which comes with the order's webhook; assent.clickId() gives it to everything else.
(() => {
  "use strict";
  const NAME = "assent_click";
  const SHAPE = /^[0-7][0-9a-f]{15}$/;
  const DAYS = 5;

  const arrived = new URLSearchParams(window.location.search).get(NAME);
  if (arrived !== null && SHAPE.test(arrived)) keep(arrived);

  function keep(id) {
    const until = Date.now() + DAYS * 864e5;
    try {
      window.localStorage.setItem(NAME, JSON.stringify([id, until]));
    } catch {
      // Storage may be off; the cookie is enough.
    }
    const secure = window.location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${NAME}=${id}; Max-Age=${DAYS * 86400}; Path=/; SameSite=Lax${secure}`;
  }

  function clickId() {
    const cookie = document.cookie.split("; ").find((each) => each.startsWith(`${NAME}=`));
    const kept = cookie === undefined ? stored() : cookie.slice(NAME.length + 1);
    return kept !== null && SHAPE.test(kept) ? kept : null;
  }

  function stored() {
    try {
      const [id, until] = JSON.parse(window.localStorage.getItem(NAME) ?? "[null, 0]");
      return until > Date.now() ? id : null;
    } catch {
      return null;
    }
  }

  function hand_on() {
    const id = clickId();
    if (id === null) return;
    for (const input of document.querySelectorAll(`input[name="${NAME}"]`)) input.value = id;
    if (window.Shopify !== undefined) cart(id);
  }

  function cart(id) {
    const root = window.Shopify.routes?.root ?? "/";
    const body = JSON.stringify({ attributes: { [NAME]: id } });
    const headers = { "Content-Type": "application/json" };
    window.fetch(`${root}cart/update.js`, { method: "POST", headers, body }).catch(() => {
      // The cart may not exist yet; the next page tries again.
    });
  }

  window.assent = { ...window.assent, clickId };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", hand_on);
  } else {
    hand_on();
  }
})();
