// The form works without this file. With it, numbers are grouped and a form is sent once.
const form = document.querySelector("form");
if (form) {
  const button = form.querySelector("button");
  helpWriting(document.getElementById("phone"), document.getElementById("country"));
  form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
    button.setAttribute("aria-disabled", "true");
  });
  // A page that comes back from the history may be sent again.
  addEventListener("pageshow", () => button.removeAttribute("aria-disabled"));
}
