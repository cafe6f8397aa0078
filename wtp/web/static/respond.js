// Progressive help for respondents; every page works without it.
// What changes on a page is kept in this browser until the server has it, and sent at once as a draft of the page. The button sends the whole page,
// again and again until the server has taken it; the page stays as it is meanwhile. Sending the same again is harmless: the server knows its revision.
"use strict";

const WAITS = [1, 2, 4, 8, 15]; // seconds between tries; the last one repeats, and a busy server may ask for more
const PATIENCE = 2; // seconds until the page says that nothing is saved yet
const GIVE_UP = 20; // seconds until a try counts as failed
const TYPING = 0.8; // seconds without a key until a text is sent
const LATER = [429, 502, 503, 504]; // replies that settle nothing

// Until the time is over, or the network is back.
const pause = (seconds) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    window.addEventListener("online", () => { clearTimeout(timer); resolve(); }, { once: true });
  });

// The server's reply, or null if there was none that settles the matter; `later`: seconds that a busy server asks to wait, null if there was no server.
async function post(address, body, { stop = new AbortController(), keepalive = false } = {}) {
  const late = setTimeout(() => stop.abort(), GIVE_UP * 1000);
  try {
    const reply = await fetch(address, { method: "POST", body, keepalive, signal: stop.signal });
    if (!LATER.includes(reply.status)) return { reply };
    return { reply: null, later: Number(reply.headers.get("Retry-After")) || 0 };
  } catch {
    return { reply: null, later: null };
  } finally {
    clearTimeout(late);
  }
}

const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// What waits in this browser, by step: {revision, fields: {name: [values]}}. Without storage the open page still has it.
const store = {
  read(key) {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? { revision: null, fields: {} };
    } catch {
      return { revision: null, fields: {} };
    }
  },
  write(key, kept) {
    try {
      if (Object.keys(kept.fields).length) localStorage.setItem(key, JSON.stringify(kept));
      else localStorage.removeItem(key);
    } catch {}
  },
  // Only what the server has confirmed goes, not what was typed since.
  confirmed(key, sent) {
    const kept = store.read(key);
    for (const name of Object.keys(sent)) if (equal(kept.fields[name], sent[name])) delete kept.fields[name];
    store.write(key, kept);
  },
  keys(prefix) {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
    } catch {
      return [];
    }
  },
};

for (const form of document.querySelectorAll("form[data-saves]")) {
  const button = form.querySelector("button");
  const status = form.querySelector("[data-status]");
  const words = form.dataset;
  const prefix = words.keeps ?? null; // none before consent: nothing is kept of anybody then
  const here = prefix && prefix + words.step;
  const sender = Math.random().toString(36).slice(2, 14) || "0";
  const waiting = {}; // what this window still has to send
  let number = 0;
  let sending = false; // a draft is on its way
  let leaving = false; // the page itself is on its way
  let parked = false; // another window has changed the page: what is typed stays here until its reader decides
  let refused = false; // the server takes no drafts
  let stop; // ends the try that is on its way
  let typing;

  // The one place where the page says what is saved.
  const show = (text, notSaved) => {
    if (status.textContent !== text) status.textContent = text;
    status.classList.toggle("waiting", notSaved);
  };

  // Sends until a reply settles the matter, and says meanwhile that nothing is saved yet.
  async function insist(address, body, givenUp = () => false) {
    for (let tries = 0; ; tries += 1) {
      const slow = setTimeout(() => show(words.slow, true), PATIENCE * 1000);
      stop = new AbortController();
      const { reply, later } = await post(address, body(), { stop });
      clearTimeout(slow);
      if (reply !== null || givenUp()) return reply;
      const seconds = Math.max(later ?? 0, WAITS[Math.min(tries, WAITS.length - 1)]);
      show((later === null ? words.waiting : words.busy).replace("{s}", seconds), true);
      await pause(seconds);
    }
  }

  const draft = (step, revision, fields) => {
    const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, revision, sender, number: (number += 1) });
    body.set("changed", Object.keys(fields).join(","));
    for (const [name, values] of Object.entries(fields)) for (const value of values) body.append(name, value);
    return [words.draft.replace("STEP", step), body];
  };

  const draftable = (field) => field.name && field.type !== "hidden" && field.tabIndex !== -1 && field.type !== "submit";
  const group = (name) => [...form.elements].filter((field) => field.name === name && draftable(field));
  const ticks = (field) => field.type === "radio" || field.type === "checkbox";
  const value = (name) => group(name).filter((field) => !ticks(field) || field.checked).map((field) => field.value);
  const put = (name, values) => {
    for (const field of group(name)) {
      if (ticks(field)) field.checked = values.includes(field.value);
      else field.value = values[0] ?? "";
    }
  };

  async function sendDrafts() {
    if (sending) return;
    sending = true;
    while (!parked && !refused && !leaving && Object.keys(waiting).length) {
      const sent = { ...waiting };
      const [address, body] = draft(words.step, form.elements.revision.value, sent);
      const reply = await insist(address, () => body, () => leaving);
      if (leaving) break;
      if (reply.status === 204) {
        store.confirmed(here, sent);
        for (const name of Object.keys(sent)) if (equal(waiting[name], sent[name])) delete waiting[name];
        if (!Object.keys(waiting).length) show(words.saved, false);
      } else if (reply.status === 409) {
        park();
        show(words.changed, true);
      } else {
        refused = true;
        show(words.refused, true);
      }
    }
    sending = false;
  }

  const keep = (fields) =>
    store.write(here, { revision: form.elements.revision.value, fields: { ...store.read(here).fields, ...fields } });

  function note(field) {
    waiting[field.name] = value(field.name);
    if (!parked) keep({ [field.name]: waiting[field.name] });
  }

  // Other windows of this browser shall not show it, unless this one is closed.
  function park() {
    parked = true;
    Object.assign(waiting, store.read(here).fields);
    store.write(here, { fields: {} });
  }

  // What other pages of this interview still have to send, after a tab was closed without network.
  async function sendOthers() {
    for (const key of prefix ? store.keys(prefix) : []) {
      if (key === here) continue;
      const kept = store.read(key);
      const [address, body] = draft(key.slice(prefix.length), kept.revision, kept.fields);
      const reply = await insist(address, () => body);
      if (reply.status === 204) store.confirmed(key, kept.fields);
    }
  }

  // What was typed here before and never reached the server stands on the page again.
  function restore() {
    if (words.sentBack === "409") return park(); // the page shows what was typed, and tells of the other window
    const kept = store.read(here);
    for (const [name, values] of Object.entries(kept.fields)) if (equal(value(name), values)) delete kept.fields[name];
    store.write(here, kept);
    for (const [name, values] of Object.entries(kept.fields)) {
      put(name, values);
      waiting[name] = values;
    }
    if (Object.keys(waiting).length) form.elements.revision.value = kept.revision;
  }

  if (here) {
    restore();
    sendDrafts().then(sendOthers);
    form.addEventListener("input", ({ target }) => {
      if (!draftable(target)) return;
      note(target);
      clearTimeout(typing);
      typing = setTimeout(sendDrafts, ticks(target) ? 0 : TYPING * 1000);
    });
    form.addEventListener("change", () => { clearTimeout(typing); sendDrafts(); });
    window.addEventListener("pagehide", () => {
      if (leaving || refused || !Object.keys(waiting).length) return;
      if (parked) return keep(waiting);
      const [address, body] = draft(words.step, form.elements.revision.value, waiting);
      post(address, body, { keepalive: true });
    });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (leaving) return; // the second click of a double click
    leaving = true;
    clearTimeout(typing);
    stop?.abort(); // the page holds whatever a draft would
    button.setAttribute("aria-disabled", "true");
    await sendOthers(); // the end must not come before everything is there
    let sent;
    const reply = await insist(form.action, () => {
      sent = Object.fromEntries([...form.elements].filter(draftable).map((field) => [field.name, value(field.name)]));
      if (here) keep(sent);
      return new URLSearchParams(new FormData(form));
    });
    if (!reply.redirected) return form.submit(); // not taken: let the browser show the page that says why
    if (here) store.confirmed(here, sent);
    show("", false);
    window.location.assign(reply.url);
  });
}

// The interview has ended: nothing of it stays in this browser.
for (const { dataset } of document.querySelectorAll("[data-ended]")) {
  for (const key of store.keys(dataset.ended)) localStorage.removeItem(key);
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
