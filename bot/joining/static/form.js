// The form works without this file. With it, numbers of the North American plan are grouped while
// they are written, a pasted +44 chooses its country, and a form is sent once.
"use strict";

(() => {
  const form = document.querySelector("form");
  const phone = document.getElementById("phone");
  const country = document.getElementById("country");

  const calling = () =>
    country.options ? country.selectedOptions[0].dataset.calling : country.dataset.calling;

  const grouped = (digits) => {
    if (digits.length < 4) return digits;
    if (digits.length < 7) return `(${digits.slice(0, 3)}) ${digits.slice(3)}`;
    return `(${digits.slice(0, 3)}) ${digits.slice(3, 6)}-${digits.slice(6)}`;
  };

  // Only while somebody writes at the end: a caret in the middle must not jump.
  const write = (event) => {
    const value = phone.value;
    if (value.startsWith("+")) return choose(value);
    if (calling() !== "1" || (event.inputType || "").startsWith("delete")) return;
    if (phone.selectionStart !== value.length || /[a-z]/i.test(value)) return;
    const all = value.replace(/\D/g, "");
    const digits = all.length === 11 && all.startsWith("1") ? all.slice(1) : all;
    if (digits.length <= 10) phone.value = grouped(digits);
  };

  const choose = (value) => {
    if (!country.options) return;
    const digits = value.replace(/\D/g, "");
    if (digits.startsWith(calling())) return;
    const fitting = [...country.options].find((o) => digits.startsWith(o.dataset.calling));
    if (fitting) fitting.selected = true;
  };

  const once = (event) => {
    const button = form.querySelector("button");
    if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
    button.setAttribute("aria-disabled", "true");
  };

  if (!form) return;
  phone.addEventListener("input", write);
  form.addEventListener("submit", once);
  // A page that comes back from the history may be sent again.
  addEventListener("pageshow", () => form.querySelector("button").removeAttribute("aria-disabled"));
})();
