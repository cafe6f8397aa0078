// Asks for the figures of the scenario while one changes it, and adds a slider to each price. Without script "Calculate" does the same.
"use strict";

const form = document.getElementById("what-if");
const figures = document.getElementById("figures");
const state = document.getElementById("what-if-state");
const query = document.getElementById("what-if-query");
let waiting = 0;
let asked = null;

// Hidden fields of the page stay; of the offers only what somebody could have changed is sent.
function address() {
  const sent = new URLSearchParams(new FormData(form));
  return `${form.action}?${sent}`;
}

async function refresh() {
  asked?.abort();
  asked = new AbortController();
  const target = address();
  try {
    const reply = await fetch(`${target}&part=figures`, { signal: asked.signal });
    if (reply.status !== 422 && !reply.ok) throw new Error(reply.statusText);
    figures.innerHTML = await reply.text();
    state.textContent = "";
    for (const place of figures.querySelectorAll("[data-figure]")) draw(place);
    history.replaceState(null, "", target);
    const sent = new URLSearchParams(new FormData(form));
    for (const name of ["segment", "without", "versions"]) sent.delete(name);
    query.value = sent.toString();
  } catch (error) {
    if (error.name !== "AbortError") state.textContent = state.dataset.failed;
  }
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 60);
});
// A search takes up to some seconds, a page of its own at its end: what is searched and for how long is told until then.
let searching = 0;
form.addEventListener("submit", (event) => {
  if (searching) return event.preventDefault();
  const began = Date.now();
  const bar = document.createElement("progress");
  const seconds = document.createElement("span");
  seconds.setAttribute("aria-hidden", "true"); // a reader would say every one of them
  state.replaceChildren(event.submitter?.dataset.searching ?? state.dataset.working, " ", bar, " ", seconds);
  bar.setAttribute("aria-label", state.textContent.trim());
  form.setAttribute("aria-busy", "true");
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  searching = setInterval(() => {
    seconds.textContent = state.dataset.seconds.replace("{seconds}", ((Date.now() - began) / 1000).toFixed(1));
  }, 100);
});
// With "back" the page comes as it was left.
addEventListener("pageshow", () => {
  clearInterval(searching);
  searching = 0;
  form.removeAttribute("aria-busy");
  for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  state.textContent = "";
});

// What was changed while this script was still on its way, or came back with the browser's "back".
const changed = (field) =>
  field.options
    ? [...field.options].some((option) => option.selected !== option.defaultSelected)
    : field.checked !== field.defaultChecked || field.value !== field.defaultValue;
if ([...form.querySelectorAll("input, select")].some(changed)) refresh();

for (const field of form.querySelectorAll("input[type=number]")) {
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = field.dataset.lowest;
  slider.max = field.dataset.highest;
  slider.step = (slider.max - slider.min) / 100;
  slider.value = field.value;
  slider.setAttribute("aria-label", field.getAttribute("aria-label"));
  slider.addEventListener("input", () => (field.value = Number(slider.value).toFixed(2).replace(/\.?0+$/, "")));
  field.addEventListener("input", () => (slider.value = field.value));
  field.after(slider);
}
