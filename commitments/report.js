// Sort, find and open the letters of a corpus. Whatever a letter says is put into the page as text.
(() => {
  const letters = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("letters");
  const body = table.tBodies[0];
  const find = document.getElementById("find");
  const shown = document.getElementById("shown");
  const statuses = ["completed", "ongoing", "pledge"];
  const marks = ["✓", "▸", "◇"];
  const fields = ["name", "agency", "date"];
  const step = 200;
  const order = letters.map((_, n) => n);
  let sorted = { key: "", up: true };
  let upto = step;

  const counts = letters.map((letter) =>
    statuses.map((_, status) => letter[4].filter((measure) => measure[0] === status).length));
  const sought = letters.map((letter) =>
    [...letter.slice(0, 4), ...letter[4].map((measure) => measure[1])].join("\n").toLowerCase());
  // Ranks are reckoned once, because comparing words by the rules of a language is slow.
  const collator = new Intl.Collator("zh-CN", { numeric: true });
  const ranks = {};
  const rank = (key) => {
    const at = fields.indexOf(key);
    if (at < 0) return counts.map((count) => count[statuses.indexOf(key)]);
    const words = [...new Set(letters.map((letter) => letter[at]))].sort(collator.compare);
    const places = new Map(words.map((word, place) => [word, place]));
    return letters.map((letter) => places.get(letter[at]));
  };

  const add = (parent, tag, kind, text) => {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    made.textContent = text;
    parent.append(made);
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
    for (const [status, text, due, asks, sure] of letters[n][4]) {
      const line = document.createElement("p");
      add(line, "span", "mark " + statuses[status], marks[status] + " ");
      line.append(text);
      const facts = [due && "→ " + due, asks, sure && sure.toFixed(2)].filter(Boolean).join(" · ");
      add(line, "span", "quiet facts", " " + facts);
      held.append(line);
    }
  };

  const draw = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = order.filter((n) => words.every((word) => sought[n].includes(word)));
    const rows = document.createDocumentFragment();
    shown.textContent = kept.length.toLocaleString("en");
    for (const n of kept.slice(0, upto)) {
      const [name, agency, date, title] = letters[n];
      const row = document.createElement("tr");
      const first = add(row, "td", "", "");
      const button = add(first, "button", "name", name || "–");
      button.type = "button";
      button.setAttribute("aria-expanded", "false");
      button.addEventListener("click", () => open(button, row, n));
      if (title && title !== name) add(first, "div", "quiet title", title);
      add(row, "td", "", agency);
      add(row, "td", "n", date);
      for (const count of counts[n]) add(row, "td", "n", count);
      rows.append(row);
    }
    if (kept.length > upto) {
      const row = document.createElement("tr");
      const last = add(row, "td", "", "");
      const rest = add(last, "button", "rest", "… " + (kept.length - upto).toLocaleString("en"));
      last.colSpan = 6;
      rest.type = "button";
      rest.addEventListener("click", () => { upto += step * 5; draw(); });
      rows.append(row);
    }
    body.replaceChildren(rows);
  };

  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const key = button.dataset.key;
      const place = ranks[key] ??= rank(key);
      // Numbers are looked for from the greatest down, words from the first up.
      sorted = { key, up: sorted.key === key ? !sorted.up : fields.includes(key) };
      const way = sorted.up ? 1 : -1;
      order.sort((a, b) => way * (place[a] - place[b]) || a - b);
      for (const head of table.tHead.querySelectorAll("th")) {
        if (head.contains(button)) head.setAttribute("aria-sort", sorted.up ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      }
      draw();
    });
  }
  find.addEventListener("input", () => { upto = step; draw(); });
  draw();
})();
