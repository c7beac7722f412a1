// What is wrong with how a page looks: texts that are cut or lie over each other, that cannot be read on
// what is behind them, and what is shown twice.

/** A line for each fault; texts are shortened. */
export function layoutFaults(page) {
  return page.evaluate(() => {
    const faults = [];
    const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    // What is only for screen readers is out of sight on purpose; a select cuts its own options.
    const isElsewhere = (element) => element.closest("script, style, option, title, desc") ||
      [...document.querySelectorAll("thead")].some((head) => head.contains(element) && getComputedStyle(head).position === "absolute");
    // What is scrolled away within a part of the page is not there.
    const scrolled = (element) => {
      const part = element.closest(".code, pre");
      const scrolls = part && (part.scrollHeight > part.clientHeight || part.scrollWidth > part.clientWidth);
      return scrolls && getComputedStyle(part).overflow !== "visible" ? part.getBoundingClientRect() : undefined;
    };
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { currentNode: node } = walker;
      const parent = node.parentElement;
      if (!node.data.trim() || !isShown(parent) || isElsewhere(parent)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const within = scrolled(parent);
      for (const box of range.getClientRects()) {
        if (within && (box.bottom > within.bottom || box.right > within.right)) continue;
        if (box.width > 0.5) texts.push({ text: node.data.trim().slice(0, 40), node, parent, box });
      }
    }
    for (const { text, parent, box } of texts) {
      const svg = parent.closest("svg")?.getBoundingClientRect();
      const column = parent.closest("main, header")?.getBoundingClientRect();
      const left = svg ? Math.max(svg.left, 0) : 0;
      const right = Math.min(svg?.right ?? innerWidth, column?.right ?? innerWidth, innerWidth);
      // A wide table scrolls within itself.
      if ((box.left < left - 1 || box.right > right + 1)) faults.push(`cut: ${text}`);
      if (svg && (box.top < svg.top - 1 || box.bottom > svg.bottom + 1)) faults.push(`cut: ${text}`);
    }
    // A name is broken at its dots and underscores, where it has some.
    for (const cell of document.querySelectorAll("main th, main td:not(.code-cell)")) {
      if (!cell.querySelector("wbr") || !isShown(cell)) continue;
      const parts = (cell.querySelector(":scope > span") ?? cell).childNodes;
      for (const node of [...parts].filter((child) => child.nodeType === 3)) {
        const range = document.createRange();
        const word = /\S+/g;
        for (let found = word.exec(node.data); found; found = word.exec(node.data)) {
          range.setStart(node, found.index);
          range.setEnd(node, found.index + found[0].length);
          const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
          if (lines.size > 1) faults.push(`broken within a word: ${found[0].slice(0, 40)}`);
        }
      }
    }
    // On a narrow screen a cell is a name and a value: what has several parts is torn apart.
    for (const cell of document.querySelectorAll("main td")) {
      const isGrid = isShown(cell) && getComputedStyle(cell).display === "grid";
      const parts = [...cell.childNodes].filter((part) => part.textContent.trim() !== "");
      if (isGrid && parts.length > 1) faults.push(`torn apart: ${cell.textContent.slice(0, 40)}`);
    }
    texts.sort((a, b) => a.box.top - b.box.top);
    texts.forEach((first, index) => {
      for (const other of texts.slice(index + 1)) {
        if (other.box.top >= first.box.bottom) break;
        if (other.node === first.node) continue;
        const height = Math.min(first.box.bottom, other.box.bottom) - Math.max(first.box.top, other.box.top);
        const width = Math.min(first.box.right, other.box.right) - Math.max(first.box.left, other.box.left);
        // Boxes are as high as lines, letters are lower.
        const least = 0.35 * Math.min(first.box.height, other.box.height);
        if (height > least && width > 2) faults.push(`one over the other: ${first.text} | ${other.text}`);
      }
    });
    // Numbers stand in one line where there is room for columns; facts have the larger part of a row.
    if (innerWidth > 640) {
      for (const cell of document.querySelectorAll("main td.number")) {
        const range = document.createRange();
        range.selectNodeContents(cell);
        if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) faults.push(`a number in two lines: ${cell.textContent}`);
      }
      for (const fact of document.querySelectorAll("main dl:not(.tiles) dd")) {
        const all = fact.parentElement.getBoundingClientRect().width;
        if (isShown(fact) && fact.getBoundingClientRect().width < all / 2) faults.push(`squeezed: ${fact.textContent.slice(0, 40)}`);
      }
    }
    return faults;
  });
}

/** A line for each text whose contrast is below that of WCAG 2.2, 1.4.3. */
export function contrastFaults(page) {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const bytes = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([red, green, blue]) => {
      const linear = [red, green, blue].map((byte) => byte / 255)
        .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const back = bytes(getComputedStyle(at).backgroundColor);
        if (back[3] === 255) return back;
      }
      return [255, 255, 255, 255];
    };
    const faults = new Set();
    for (const element of document.body.querySelectorAll("*")) {
      const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
      if (!text || !element.checkVisibility({ visibilityProperty: true }) || element.closest("script, style, title, desc, option")) continue;
      const style = getComputedStyle(element);
      const colour = bytes(element.closest("svg") ? style.fill : style.color);
      const [low, high] = [luminance(colour), luminance(behind(element))].sort((a, b) => a - b);
      const contrast = (high + 0.05) / (low + 0.05);
      if (contrast < 4.5) faults.add(`contrast ${contrast.toFixed(1)}: ${text.slice(0, 40)}`);
    }
    return [...faults];
  });
}

/** A line for each picture, label of an axis or paragraph that is shown twice, or shows nothing. */
export function repeatedFaults(page) {
  return page.evaluate(() => {
    const faults = [];
    const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
    const twice = (what, all) => all.filter((one, index) => all.indexOf(one) < index).forEach((one) => faults.push(`${what} twice: ${one}`));
    const pictures = [...document.querySelectorAll("main svg.chart, main img")].filter(isShown);
    twice("a picture", pictures.map((picture) => picture.querySelector("title")?.textContent ?? picture.alt));
    for (const picture of pictures) {
      // Labels of one axis from bottom to top stand below each other.
      const labels = [...picture.querySelectorAll("text[text-anchor=end]")];
      twice("a label", labels.map((label) => `${label.textContent} at ${label.getAttribute("x")}`));
    }
    twice("a sentence", [...document.querySelectorAll("main > section > p")].filter(isShown).map((part) => part.textContent));
    for (const part of document.querySelectorAll("main section, main p, main figure, main ul, main table")) {
      if (isShown(part) && !part.textContent.trim() && !part.querySelector("img")) faults.push(`empty: ${part.outerHTML.slice(0, 60)}`);
    }
    return faults;
  });
}

/** Whether the first sentence of the result is in the first screen. */
export function showsTheAnswerAtOnce(page) {
  return page.evaluate(() => document.querySelector(".answer").getBoundingClientRect().bottom <= innerHeight);
}
