
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
source.addEventListener("message", ({ data }) => {
  document.getElementById("lost")?.remove();
  const { parts, changed } = JSON.parse(data);
  const main = document.querySelector("main");
  while (main.children.length > parts - 1) main.lastElementChild.remove();
  for (const [index, html] of changed) {
    const old = index === 0 ? document.querySelector("header") : main.children[index - 1];
    if (old) {
      replace(old, fresh(html));
    } else {
      main.append(fresh(html));
      enliven(main.lastElementChild);
    }
  }
});
source.addEventListener("end", () => {
  source.close();
  location.reload();
});
source.addEventListener("error", () => {
  if (document.getElementById("lost")) return;
  const lost = fresh("<p id=lost class=warning role=status>The run does not answer: this is the last that it showed.</p>");
  document.querySelector("main").before(lost);
});
