// Draws each chart from its JSON address in the page's own colours; the tables beside them need no script.
"use strict";

const style = getComputedStyle(document.body);
const ink = style.getPropertyValue("--ink").trim();
const narrow = window.matchMedia("(max-width: 700px)").matches;

// A phone has room for about 36 letters in an axis title.
function wrap(title) {
  if (!title?.text) return;
  title.text = title.text.replace(/(.{20,36}) /g, "$1<br>");
}

async function draw(place) {
  const reply = await fetch(place.dataset.chart);
  if (!reply.ok) return;
  const figure = await reply.json();
  figure.layout.font = { ...figure.layout.font, color: ink };
  for (const trace of figure.data) {
    if (trace.marker?.color === "#000000") trace.marker.color = ink;
  }
  if (narrow) {
    figure.layout.font.size = 12;
    figure.layout.margin = { l: 6, r: 12, t: 10, b: 50 };
    figure.layout.yaxis = { ...figure.layout.yaxis, tickfont: { size: 11 } };
    for (const axis of [figure.layout.xaxis, figure.layout.yaxis]) wrap(axis.title);
    for (const trace of figure.data) {
      if (trace.mode === "markers+text" && trace.text.length) trace.textfont = { size: 11 };
    }
  }
  const name = place.dataset.name;
  await Plotly.newPlot(place, figure.data, figure.layout, {
    responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"],
    displayModeBar: false, locale: document.documentElement.lang,
  });
  for (const button of document.querySelectorAll(`button[data-download-of="${place.id}"]`)) {
    button.hidden = false;
    button.addEventListener("click", () =>
      Plotly.downloadImage(place, { format: button.dataset.format, filename: name, width: 1200, height: 675, scale: 2 }));
  }
}

for (const place of document.querySelectorAll("[data-chart]")) draw(place);
