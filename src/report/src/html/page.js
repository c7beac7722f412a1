
// A picture is read where it is pointed at, touched, or stepped through with the arrow keys.
"use strict";
const enliven_figure = (figure) => {
  const { places, texts } = JSON.parse(figure.dataset.readout);
  if (places.length === 0) return;
  const caption = figure.querySelector("figcaption");
  const drawings = [...figure.querySelectorAll(".drawing")].map((frame) => {
    const cross = document.createElement("div");
    cross.className = "cross";
    cross.hidden = true;
    frame.append(cross);
    const [from, to] = [frame.dataset.from, frame.dataset.to].map(Number);
    return { frame, cross, svg: frame.querySelector("svg"), from, to };
  });
  let current = places.length - 1;
  const show = (index) => {
    current = Math.min(Math.max(index, 0), places.length - 1);
    for (const { cross, svg, from, to } of drawings) {
      cross.style.left = `${(from + places[current] * (to - from)) * svg.getBoundingClientRect().width}px`;
      cross.hidden = false;
    }
    caption.textContent = texts[current];
  };
  const nearest = (share) => {
    let best = 0;
    places.forEach((place, index) => {
      if (Math.abs(place - share) < Math.abs(places[best] - share)) best = index;
    });
    return best;
  };
  for (const { frame, svg, from, to } of drawings) {
    frame.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      show(nearest(((event.clientX - box.left) / box.width - from) / (to - from)));
    });
  }
  figure.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -places.length, End: places.length };
    if (!(event.key in step)) return;
    event.preventDefault();
    show(current + step[event.key]);
  });
};

// One of several tables is shown at a time.
const enliven_choice = (choice) => {
  const select = choice.querySelector("select");
  const parts = [...choice.querySelectorAll(":scope > .chosen")];
  const show = () => parts.forEach((part, index) => { part.hidden = index !== select.selectedIndex; });
  choice.querySelector("label").hidden = false;
  select.addEventListener("change", show);
  show();
};

const enliven = (part) => {
  part.querySelectorAll("figure[data-readout]").forEach(enliven_figure);
  part.querySelectorAll(".choice").forEach(enliven_choice);
};
enliven(document);
