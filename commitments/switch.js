"use strict";
// A button that puts each label's other language in its place; what a letter says stays as it is.
(() => {
  const attributes = ["title", "aria-label"];
  const button = document.createElement("button");
  const name = () => {
    const chinese = document.documentElement.lang === "zh-CN";
    button.textContent = chinese ? "English" : "中文";
    button.lang = chinese ? "en" : "zh-CN";
  };
  button.type = "button";
  button.className = "switch";
  button.addEventListener("click", () => {
    for (const label of document.querySelectorAll("[data-o]")) {
      const other = label.dataset.o;
      label.dataset.o = label.textContent;
      label.textContent = other;
    }
    for (const attribute of attributes) {
      for (const label of document.querySelectorAll(`[data-o-${attribute}]`)) {
        const other = label.getAttribute(`data-o-${attribute}`);
        label.setAttribute(`data-o-${attribute}`, label.getAttribute(attribute));
        label.setAttribute(attribute, other);
      }
    }
    document.documentElement.lang = document.documentElement.lang === "zh-CN" ? "en" : "zh-CN";
    name();
  });
  name();
  document.querySelector("header").prepend(button);
})();
