"use strict";
// A button for each letter that copies its measures as CSV; without a script the page lacks no more than that.
for (const data of document.querySelectorAll("script.csv")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = data.dataset.label;
  button.addEventListener("click", async () => {
    const text = JSON.parse(data.textContent);
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const held = document.createElement("textarea");
      held.value = text;
      document.body.append(held);
      held.select();
      done = document.execCommand("copy");
      held.remove();
    }
    button.textContent = done ? data.dataset.done : data.dataset.label;
    setTimeout(() => { button.textContent = data.dataset.label; }, 2000);
  });
  data.before(button);
}
