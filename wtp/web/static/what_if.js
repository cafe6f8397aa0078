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
form.addEventListener("submit", () => {
  state.textContent = state.dataset.working;
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
