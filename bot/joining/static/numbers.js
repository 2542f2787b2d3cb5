// While a number is written: numbers of the North American plan are grouped, and a pasted +44
// chooses its country. `country` is a list of countries, or one hidden field.
const helpWriting = (phone, country) => {
  const calling = () =>
    country.options ? country.selectedOptions[0].dataset.calling : country.dataset.calling;

  const grouped = (digits) => {
    if (digits.length < 4) return digits;
    if (digits.length < 7) return `(${digits.slice(0, 3)}) ${digits.slice(3)}`;
    return `(${digits.slice(0, 3)}) ${digits.slice(3, 6)}-${digits.slice(6)}`;
  };

  const choose = (digits) => {
    if (!country.options || digits.startsWith(calling())) return;
    const fitting = [...country.options].find((o) => digits.startsWith(o.dataset.calling));
    if (fitting) fitting.selected = true;
  };

  phone.addEventListener("input", (event) => {
    const value = phone.value;
    const all = value.replace(/\D/g, "");
    if (value.startsWith("+")) return choose(all);
    if (calling() !== "1" || (event.inputType || "").startsWith("delete")) return;
    // Only while somebody writes at the end: a caret in the middle must not jump.
    if (phone.selectionStart !== value.length || /[a-z]/i.test(value)) return;
    const digits = all.length === 11 && all.startsWith("1") ? all.slice(1) : all;
    if (digits.length <= 10) phone.value = grouped(digits);
  });
};
