// What is wrong with how a page is laid out: texts that are cut or lie over each other.

/** A line for each fault; texts are shortened. */
export function layoutFaults(page) {
  return page.evaluate(() => {
    const faults = [];
    const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    // What is only for screen readers is out of sight on purpose; a select cuts its own options.
    const isElsewhere = (element) => element.closest("script, style, option, title, desc") ||
      [...document.querySelectorAll("thead")].some((head) => head.contains(element) && getComputedStyle(head).position === "absolute");
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { currentNode: node } = walker;
      const parent = node.parentElement;
      if (!node.data.trim() || !isShown(parent) || isElsewhere(parent)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.width > 0.5) texts.push({ text: node.data.trim().slice(0, 40), node, parent, box });
      }
    }
    for (const { text, parent, box } of texts) {
      const svg = parent.closest("svg")?.getBoundingClientRect();
      const left = svg ? Math.max(svg.left, 0) : 0;
      const right = svg ? Math.min(svg.right, innerWidth) : innerWidth;
      // Code scrolls within itself.
      if (!parent.closest(".code") && (box.left < left - 1 || box.right > right + 1)) faults.push(`cut: ${text}`);
      if (svg && (box.top < svg.top - 1 || box.bottom > svg.bottom + 1)) faults.push(`cut: ${text}`);
    }
    texts.sort((a, b) => a.box.top - b.box.top);
    texts.forEach((first, index) => {
      for (const other of texts.slice(index + 1)) {
        if (other.box.top >= first.box.bottom) break;
        if (other.node === first.node || first.parent.closest(".code") || other.parent.closest(".code")) continue;
        const height = Math.min(first.box.bottom, other.box.bottom) - Math.max(first.box.top, other.box.top);
        const width = Math.min(first.box.right, other.box.right) - Math.max(first.box.left, other.box.left);
        // Boxes are as high as lines, letters are lower.
        const least = 0.35 * Math.min(first.box.height, other.box.height);
        if (height > least && width > 2) faults.push(`one over the other: ${first.text} | ${other.text}`);
      }
    });
    return faults;
  });
}

/** Whether the first sentence of the result is in the first screen. */
export function showsTheAnswerAtOnce(page) {
  return page.evaluate(() => document.querySelector(".answer").getBoundingClientRect().bottom <= innerHeight);
}
