// Progressive help for respondents; every page works without it.
// A form is sent in the background until the server has saved it; the page stays as it is, with everything that was typed. Sending the same
// form again is harmless: the server knows its revision.
"use strict";

const WAITS = [1, 2, 4, 8, 15]; // seconds between tries; the last one repeats
const PATIENCE = 2; // seconds until the page says that nothing is saved yet
const GIVE_UP = 20; // seconds until a try counts as failed

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// The server's reply, or null if there was none that settles the matter.
async function send(form) {
  try {
    const body = new URLSearchParams(new FormData(form));
    const reply = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(GIVE_UP * 1000) });
    return [502, 503, 504].includes(reply.status) ? null : reply;
  } catch {
    return null;
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
    const slow = setTimeout(() => show(form.dataset.slow, true), PATIENCE * 1000);
    let reply = await send(form);
    clearTimeout(slow);
    for (let tries = 0; reply === null; tries += 1) {
      const seconds = WAITS[Math.min(tries, WAITS.length - 1)];
      show(form.dataset.waiting.replace("{s}", seconds), true);
      await pause(seconds);
      reply = await send(form);
    }
    show("", false);
    if (reply.redirected) window.location.assign(reply.url);
    else form.submit(); // nothing was saved: let the browser show the page that says why
  });
}

// The browser may bring a page back as it was left; what was saved since then has to be asked for again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// How long the page was out of sight, so that a telephone call does not count as thinking.
let leftAt = null;
let away = 0;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) leftAt = performance.now();
  else if (leftAt !== null) {
    away += (performance.now() - leftAt) / 1000;
    leftAt = null;
    for (const field of document.querySelectorAll("input[name=away]")) field.value = Math.round(away);
  }
});

// Which open texts were pasted; it is shown to the analyst as a sign, nothing else.
document.addEventListener("paste", (event) => {
  const mark = document.querySelector("input[name=pasted]");
  if (!mark || !event.target.matches?.("[data-pasted]")) return;
  mark.value = [...new Set([...mark.value.split(",").filter(Boolean), event.target.name])].join(",");
});

// The sum so far of points to divide.
for (const group of document.querySelectorAll("[data-sum]")) {
  const shown = group.querySelector("[data-sum-shown]");
  const add = () => {
    let sum = 0;
    for (const input of group.querySelectorAll("input[type=text]")) sum += Number(input.value.replace(",", ".")) || 0;
    shown.textContent = group.dataset.sumWords.replace("{sum}", Math.round(sum * 100) / 100);
  };
  group.addEventListener("input", add);
  add();
}
