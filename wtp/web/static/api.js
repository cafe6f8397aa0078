// Sends the requests of the page to try the API. The token is read from its field each time and kept nowhere.
"use strict";

const MOST = 20000;
const token = document.getElementById("token");

function line(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

function address(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const body = {};
  for (const field of form.querySelectorAll("[data-where]")) {
    const { where, usual } = field.dataset;
    const value = field.value.trim();
    if (where === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    if (where === "query" && value && value !== usual) query.set(field.name, value);
    if (where === "body" && value) body[field.name] = /^\d+$/.test(value) ? Number(value) : value;
  }
  const asked = query.toString();
  return { url: asked ? `${path}?${asked}` : path, body: JSON.stringify(body) };
}

async function send(form) {
  const reply = form.querySelector(".reply");
  const given = token.value.trim();
  if (!given) {
    reply.replaceChildren(line("p", reply.dataset.empty));
    token.focus();
    return;
  }
  const { url, body } = address(form);
  const headers = { Authorization: `Bearer ${given}` };
  const format = form.querySelector('[data-where="accept"]');
  if (format) headers.Accept = format.value;
  const request = { method: form.dataset.method, headers, credentials: "omit" };
  if (request.method === "POST") {
    headers["Content-Type"] = "application/json";
    request.body = body;
  }
  try {
    const answer = await fetch(url, request);
    let text = await answer.text();
    if (/json/.test(answer.headers.get("Content-Type")) && text.length < 20 * MOST) text = JSON.stringify(JSON.parse(text), null, 2);
    const cut = text.length > MOST;
    const status = line("p", `${answer.status} ${answer.statusText} · ${url}`);
    status.className = answer.ok ? "status-line" : "status-line bad";
    const shown = line("pre", cut ? text.slice(0, MOST) : text);
    shown.tabIndex = 0;
    reply.replaceChildren(status, shown, ...(cut ? [line("p", reply.dataset.cut)] : []));
  } catch {
    reply.replaceChildren(line("p", reply.dataset.away));
  }
}

const typed = document.querySelector(".token");
typed.hidden = false;
typed.addEventListener("submit", (event) => event.preventDefault());
for (const form of document.querySelectorAll("form.try")) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
