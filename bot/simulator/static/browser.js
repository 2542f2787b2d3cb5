// The browser of a phone: a pane over its screen, as phones open a link from a text.

const PLACE = "/simulator/browser";
const SHOP = "/simulator/shop";

export class Browser {
  // `part(name)` finds the pane's pieces; `internet` says which addresses belong in here.
  constructor(part, internet) {
    this.pane = part("browser");
    this.frame = part("frame");
    this.place = part("place");
    this.behind = [part("screen"), part("form")];
    this.internet = internet;
    this.opener = null;
    part("done").addEventListener("click", () => this.close());
    this.pane.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    this.frame.addEventListener("load", () => this.#shown());
    this.done = part("done");
  }

  // Short links and the shop's pages open in the pane; whatever else there is, in a new tab.
  opens(address) {
    const host = URL.canParse(address) ? new URL(address).hostname : "";
    const { links, shop } = this.internet;
    const short = links && address.startsWith(`${links}/`) && /\/[0-9A-Za-z]+$/.test(address);
    return short || host.replace(/^www\./, "") === shop;
  }

  open(address, opener) {
    this.opener = opener;
    this.place.textContent = address;
    this.frame.src = `${PLACE}?address=${encodeURIComponent(address)}`;
    this.pane.hidden = false;
    for (const one of this.behind) one.inert = true;
    this.done.focus();
  }

  close() {
    if (this.pane.hidden) return;
    this.pane.hidden = true;
    this.frame.src = "about:blank";
    for (const one of this.behind) one.inert = false;
    this.opener?.focus();
  }

  // The address as the phone knows it: the shop's pages lie on this machine.
  #shown() {
    const at = this.frame.contentWindow?.location;
    if (!at?.pathname?.startsWith(SHOP)) return;
    this.place.textContent = this.internet.shop + at.pathname.slice(SHOP.length) + at.search;
  }
}
