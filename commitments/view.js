// Show the button of each letter that copies its measures; without a script the page lacks no more than that.
(() => {
  for (const data of document.querySelectorAll("script.csv")) {
    const button = data.previousElementSibling;
    const [label, done] = button.children;
    const say = (copied) => {
      label.hidden = copied;
      done.hidden = !copied;
    };
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = JSON.parse(data.textContent);
      let copied = true;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const held = document.createElement("textarea");
        held.value = text;
        document.body.append(held);
        held.select();
        copied = document.execCommand("copy");
        held.remove();
        button.focus();
      }
      say(copied);
      setTimeout(() => say(false), 2000);
    });
  }
})();
