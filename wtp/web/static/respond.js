// Progressive help for respondents; every page works without it.
// Before a form leaves, ask whether the server is there. Until it is, the page stays as it is, with everything that was typed.
"use strict";

const WAITS = [1, 2, 4, 8, 15]; // seconds between tries; the last one repeats

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function reachable() {
  try {
    return (await fetch("/readyz", { cache: "no-store", signal: AbortSignal.timeout(5000) })).ok;
  } catch {
    return false;
  }
}

for (const form of document.querySelectorAll("form[data-saves]")) {
  const button = form.querySelector("button");
  const status = form.querySelector("[data-status]");
  let sending = false;

  const show = (text, waiting) => {
    status.textContent = text;
    status.classList.toggle("waiting", waiting);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return; // the second click of a double click
    sending = true;
    button.setAttribute("aria-disabled", "true");
    for (let tries = 0; !(await reachable()); tries += 1) {
      const seconds = WAITS[Math.min(tries, WAITS.length - 1)];
      show(form.dataset.waiting.replace("{s}", seconds), true);
      await pause(seconds);
    }
    show(form.dataset.saving, false);
    form.submit();
  });

  // The browser may bring the page back as it was left; what was saved since then has to be asked for again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
}
