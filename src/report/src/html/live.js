
// What changed is put in the place of what was there; at the end the report is loaded.
const source = new EventSource("events");
const fresh = (html) => {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
};
const replace = (old, part) => {
  const chosen = [...old.querySelectorAll("select")].map((select) => select.selectedIndex);
  part.querySelectorAll("select").forEach((select, index) => {
    if (chosen[index] < select.length) select.selectedIndex = chosen[index];
  });
  const focusable = (of) => [...of.querySelectorAll("[tabindex], select, a")];
  const focused = focusable(old).indexOf(document.activeElement);
  old.replaceWith(part);
  enliven(part);
  focusable(part)[focused]?.focus({ preventScroll: true });
};
const main = document.querySelector("main");
source.addEventListener("parts", ({ data }) => {
  while (main.children.length > Number(data) - 1) main.lastElementChild.remove();
});
// A part is its number, a line, and its HTML.
source.addEventListener("message", ({ data }) => {
  document.getElementById("lost")?.remove();
  const end = data.indexOf("\n");
  const index = Number(data.slice(0, end));
  const part = fresh(data.slice(end + 1));
  const old = index === 0 ? document.querySelector("header") : main.children[index - 1];
  if (old) {
    replace(old, part);
  } else {
    main.append(part);
    enliven(part);
  }
});
source.addEventListener("end", () => {
  source.close();
  location.reload();
});
source.addEventListener("error", () => {
  if (document.getElementById("lost")) return;
  const lost = fresh("<p id=lost class=warning role=status>The run does not answer: this is the last that it showed.</p>");
  main.before(lost);
});
