// Progressive help for authors; every page works without it.
"use strict";

const PAUSE = 400; // milliseconds of rest before what was typed is checked

// Parts fold away on narrow screens.
for (const fold of document.querySelectorAll("[data-fold]")) {
  if (window.matchMedia("(max-width: 61.99rem)").matches) fold.open = false;
}

// Choosing a page or a language shows it at once.
for (const form of document.querySelectorAll("[data-choose]")) {
  form.addEventListener("change", () => form.submit());
}

// What is wrong is said while typing: beside the field, in the summary, and beside the parts.
for (const form of document.querySelectorAll("form[data-check]")) {
  const summary = document.querySelector("[data-summary]");
  const mark = form.querySelector("[data-unsaved-mark]");
  let timer = 0;
  let asked = 0;
  let dirty = false;

  const label = (name) => {
    const field = document.getElementById(name.trim());
    const words = field && (field.tagName === "LEGEND" || field.tagName === "H2" ? field : form.querySelector(`label[for="${CSS.escape(name)}"]`) || field.closest("label"));
    return words ? words.textContent.trim().replace(/\s+/g, " ") : name;
  };

  const show = (found) => {
    for (const list of form.querySelectorAll("[data-mistakes]")) {
      const texts = found.mistakes[list.dataset.mistakes] || [];
      list.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
      list.hidden = texts.length === 0;
      for (const field of form.querySelectorAll(`[aria-describedby~="${CSS.escape(list.id)}"]`)) {
        if (texts.length) field.setAttribute("aria-invalid", "true");
        else field.removeAttribute("aria-invalid");
      }
    }
    const lines = Object.entries(found.mistakes).flatMap(([name, texts]) => texts.map((text) => [name, text]));
    summary.querySelector("ul").replaceChildren(
      ...lines.map(([name, text]) => {
        const link = Object.assign(document.createElement("a"), { href: `#${name.trim()}`, textContent: `${label(name)}: ${text}` });
        const item = document.createElement("li");
        item.append(link);
        return item;
      }),
    );
    summary.hidden = lines.length === 0;
    for (const badge of document.querySelectorAll("[data-part]")) {
      const count = found.parts[badge.dataset.part] || 0;
      badge.hidden = count === 0;
      badge.querySelector("[data-count]").textContent = count;
    }
    const many = document.querySelector("[data-total]");
    if (many) many.textContent = many.dataset.total.replace("{n}", found.count);
  };

  const check = async () => {
    const mine = (asked += 1);
    try {
      const reply = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (reply.ok && mine === asked) show(await reply.json());
    } catch {
      // No connection: the check is made when the draft is saved.
    }
  };

  form.addEventListener("input", () => {
    dirty = true;
    mark.textContent = form.dataset.unsaved;
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE);
  });
  form.addEventListener("submit", () => {
    dirty = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
}
