"use strict";
(() => {
  const letters = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("letters");
  const body = table.tBodies[0];
  const find = document.getElementById("find");
  const shown = document.getElementById("shown");
  const statuses = ["completed", "ongoing", "pledge"];
  const step = 200;
  let order = letters.map((_, n) => n);
  let sorted = { key: "", up: true };
  let upto = step;

  const counts = letters.map((letter) =>
    statuses.map((status) => letter[4].filter((measure) => measure[0] === status).length));
  const sought = letters.map((letter) => letter.slice(0, 4).join("\n").toLowerCase());

  const cell = (row, text, kind) => {
    const made = row.insertCell();
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };

  const open = (button, row, n) => {
    const was = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!was));
    if (was) {
      row.nextSibling.remove();
      return;
    }
    const more = body.insertRow(row.sectionRowIndex + 1);
    more.className = "more";
    const held = more.insertCell();
    held.colSpan = 6;
    if (letters[n][3]) {
      const title = document.createElement("p");
      title.className = "title";
      title.textContent = letters[n][3];
      held.append(title);
    }
    for (const [status, mark, text] of letters[n][4]) {
      const line = document.createElement("p");
      const sign = document.createElement("span");
      sign.className = "mark " + status;
      sign.textContent = mark + " ";
      line.append(sign, text);
      held.append(line);
    }
  };

  const draw = () => {
    body.textContent = "";
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = order.filter((n) => words.every((word) => sought[n].includes(word)));
    shown.textContent = kept.length.toLocaleString("en");
    for (const n of kept.slice(0, upto)) {
      const [name, agency, date] = letters[n];
      const row = body.insertRow();
      const button = document.createElement("button");
      button.type = "button";
      button.className = "name";
      button.textContent = name;
      button.title = table.dataset.open;
      button.setAttribute("aria-expanded", "false");
      button.addEventListener("click", () => open(button, row, n));
      row.insertCell().append(button);
      cell(row, agency);
      cell(row, date, "n");
      counts[n].forEach((count) => cell(row, count, "n"));
    }
    if (kept.length > upto) {
      const rest = document.createElement("button");
      rest.type = "button";
      rest.className = "rest";
      rest.textContent = "… " + (kept.length - upto).toLocaleString("en");
      rest.addEventListener("click", () => { upto += step * 5; draw(); });
      const last = body.insertRow().insertCell();
      last.colSpan = 6;
      last.append(rest);
    }
  };

  const value = (n, key) => {
    const at = statuses.indexOf(key);
    return at < 0 ? letters[n][["name", "agency", "date"].indexOf(key)] : counts[n][at];
  };

  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const key = button.dataset.key;
      const numbers = statuses.includes(key);
      // Numbers are looked for from the greatest down, words from the first up.
      sorted = { key, up: sorted.key === key ? !sorted.up : !numbers };
      const way = sorted.up ? 1 : -1;
      order.sort((a, b) => {
        const one = value(a, key), other = value(b, key);
        return (one < other ? -way : one > other ? way : 0) || a - b;
      });
      for (const head of table.tHead.querySelectorAll("th")) {
        const mine = head.contains(button);
        if (mine) head.setAttribute("aria-sort", sorted.up ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      }
      draw();
    });
  }
  find.addEventListener("input", () => { upto = step; draw(); });
  draw();
})();
