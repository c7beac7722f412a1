
// A picture is read where it is pointed at, touched, or stepped through with the arrow keys.
"use strict";
for (const figure of document.querySelectorAll("figure[data-readout]")) {
  const { places, texts } = JSON.parse(figure.dataset.readout);
  if (places.length === 0) continue;
  const frame = figure.querySelector(".wide");
  const svg = figure.querySelector("svg");
  const caption = figure.querySelector("figcaption");
  const cross = document.createElement("div");
  cross.className = "cross";
  cross.hidden = true;
  frame.append(cross);
  let current = places.length - 1;
  const show = (index) => {
    current = Math.min(Math.max(index, 0), places.length - 1);
    cross.style.left = `${places[current] * svg.getBoundingClientRect().width}px`;
    cross.hidden = false;
    caption.textContent = texts[current];
  };
  const nearest = (share) => {
    let best = 0;
    places.forEach((place, index) => {
      if (Math.abs(place - share) < Math.abs(places[best] - share)) best = index;
    });
    return best;
  };
  frame.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    show(nearest((event.clientX - box.left) / box.width));
  });
  figure.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -places.length, End: places.length };
    if (!(event.key in step)) return;
    event.preventDefault();
    show(current + step[event.key]);
  });
}
