// Optional: everything can be read without it. Values of a chart under the pointer or the arrow keys, and tables sorted by a click on their head.
"use strict";
for (const figure of document.querySelectorAll("figure[data-low]")) {
  const low = +figure.dataset.low, high = +figure.dataset.high;
  const rows = [...figure.querySelectorAll("tbody tr[data-x]")];
  if (!rows.length || !(high > low)) continue;
  const heads = [...figure.querySelectorAll("thead th")].map(head => head.textContent);
  const told = document.createElement("p"), line = document.createElement("div");
  told.className = "readout"; line.className = "cursor"; line.hidden = true;
  told.setAttribute("aria-live", "polite"); told.textContent = "Point at the chart, or use the arrow keys in it, to read its values.";
  figure.querySelector("details").before(told); figure.append(line);
  let now = 0;
  const show = (svg, place) => {
    now = Math.max(0, Math.min(rows.length - 1, place));
    told.textContent = [...rows[now].cells].map((cell, k) => heads[k] + ": " + cell.textContent).join(" · ");
    const box = plot(svg), frame = figure.getBoundingClientRect();
    line.hidden = false;
    line.style.left = box.left + box.width * (rows[now].dataset.x - low) / (high - low) - frame.left - figure.clientLeft + "px";
    line.style.top = svg.getBoundingClientRect().top - frame.top + "px";
    line.style.height = svg.getBoundingClientRect().height + "px";
  };
  const plot = svg => [...svg.querySelectorAll('line[stroke="var(--line)"]')].map(node => node.getBoundingClientRect()).sort((a, b) => b.width - a.width)[0];
  for (const svg of figure.querySelectorAll(":scope > svg")) {
    svg.setAttribute("tabindex", "0");
    svg.addEventListener("pointermove", event => {
      const box = plot(svg), at = low + (high - low) * (event.clientX - box.left) / box.width;
      show(svg, rows.reduce((best, row, place) => Math.abs(row.dataset.x - at) < Math.abs(rows[best].dataset.x - at) ? place : best, 0));
    });
    svg.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) { event.preventDefault(); show(svg, line.hidden ? 0 : now + step); }
    });
  }
}
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0], units = { ms: 1, s: 1000, bytes: 1, KB: 1e3, MB: 1e6, GB: 1e9 };
  if (!body || body.rows.length < 3) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button"; button.append(...head.childNodes); head.append(button);
    const value = row => {
      const text = row.cells[column].textContent.trim(), found = text.replace(/,/g, "").match(/^(?:under |over )?(-?[\d.]+) ?(ms|s|bytes|KB|MB|GB)?/);
      return found ? +found[1] * (units[found[2]] || 1) : text;
    };
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const order = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1);
      body.append(...[...body.rows].sort((a, b) => order(value(a), value(b)) * (up ? 1 : -1)));
    });
  });
}
