// Progressive help for respondents: pages work without it.
// Before a form leaves, ask whether the server is there; until it is, the page stays with everything that was typed.
"use strict";

const WAITS = [1, 2, 4, 8, 15];

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function reachable() {
  try {
    return (await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(5000) })).ok;
  } catch {
    return false;
  }
}

for (const form of document.querySelectorAll("form")) {
  const status = form.querySelector("[role=status]");
  let sending = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    status.textContent = form.dataset.saving;
    for (let tries = 0; !(await reachable()); tries += 1) {
      status.textContent = form.dataset.waiting;
      await pause(WAITS[Math.min(tries, WAITS.length - 1)]);
    }
    form.submit();
  });
  window.addEventListener("pageshow", () => {
    sending = false;
    status.textContent = "";
  });
}

document.querySelector(".error-summary")?.focus();
