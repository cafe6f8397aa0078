// Draws each chart from its JSON address in the page's own colours; the tables below them need no script.
"use strict";

const INK = '"#000000"';
const style = getComputedStyle(document.body);
const ink = style.getPropertyValue("--ink").trim();
const narrow = window.matchMedia("(max-width: 700px)").matches;
const language = document.documentElement.lang;

// Lines of at most so many letters, broken between words.
function wrapped(text, letters) {
  const lines = [""];
  for (const word of String(text).split(" ")) {
    const line = lines[lines.length - 1];
    if (line && line.length + word.length >= letters) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.join("<br>");
}

// A phone has room for few letters beside the bars and below the axis.
function fitPhone({ data, layout }) {
  const categories = data.some((trace) => typeof trace.y?.[0] === "string");
  layout.font.size = 12;
  layout.margin = { l: 6, r: 12, t: layout.margin?.t ?? 10, b: 50 };
  layout.yaxis.tickfont = { size: 11 };
  const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  for (const axis of axes.map((name) => layout[name])) {
    if (axis.title?.text) axis.title = { text: wrapped(axis.title.text, categories || layout.yaxis.ticktext ? 24 : 36), font: { size: 12 } };
  }
  if (categories) {
    const rows = new Set(data.flatMap((trace) => trace.y).filter(Boolean));
    for (const note of layout.annotations ?? []) if (rows.has(note.y)) note.y = wrapped(note.y, 22);
    const lines = Math.max(...[...rows].map((name) => wrapped(name, 22).split("<br>").length));
    layout.height = 100 + rows.size * (10 + 14 * lines);
  }
  const heat = data.find((trace) => trace.type === "heatmap");
  if (heat) {
    heat.x = heat.x.map((name) => wrapped(name, 8));
    for (const note of layout.annotations ?? []) Object.assign(note, { x: wrapped(note.x, 8), font: { ...note.font, size: 10 } });
    Object.assign(layout.xaxis, { tickangle: 0, tickfont: { size: 10 } });
  }
  if (layout.yaxis.ticktext) {
    layout.yaxis.ticktext = layout.yaxis.ticktext.map((name) => wrapped(name, 18));
    const lines = Math.max(...layout.yaxis.ticktext.map((name) => name.split("<br>").length));
    layout.height = Math.max(layout.height, 140 + layout.yaxis.ticktext.length * (8 + 14 * lines));
  }
  for (const trace of data) {
    if (trace.name) trace.name = wrapped(trace.name, 36);
    if (categories && Array.isArray(trace.y)) trace.y = trace.y.map((name) => name && wrapped(name, 22));
    if (trace.meta?.decisive === false) trace.mode = "markers"; // their names would run into each other; the table has them
    if (trace.mode === "markers+text") {
      trace.textfont = { size: 11 };
      trace.text = trace.text.map((name) => wrapped(name, 14));
    }
  }
}

// Long names beside the rows break into lines, so that the drawing keeps its room.
function fitDesk({ data, layout }) {
  if (layout.yaxis?.ticktext) layout.yaxis.ticktext = layout.yaxis.ticktext.map((name) => wrapped(name, 40));
  for (const trace of data) {
    if (typeof trace.y?.[0] === "string") trace.y = trace.y.map((name) => name && wrapped(name, 40));
  }
}

// A picture leaves the page, so it says itself what it found and on whose answers, black on white.
function picture(source) {
  const { data, layout } = JSON.parse(source);
  const { finding, label } = layout.meta;
  const subtitle = { text: label, font: { size: 14 } };
  layout.title = { text: wrapped(finding, 100), subtitle, x: 0.02, xanchor: "left", font: { size: 20 } };
  layout.margin = { l: 20, r: 30, t: 140, b: 60 };
  layout.paper_bgcolor = "#ffffff";
  return { data, layout };
}

async function fetched(address) {
  const reply = await fetch(address);
  return reply.ok ? reply.text() : "";
}

async function draw(place) {
  const source = place.dataset.figure ?? (await fetched(place.dataset.chart));
  if (!source) return;
  const figure = JSON.parse(source.replaceAll(INK, JSON.stringify(ink)));
  const separators = new Intl.NumberFormat(language).formatToParts(1234567.8);
  const sign = (type) => separators.find((part) => part.type === type).value;
  figure.layout.separators = sign("decimal") + sign("group");
  figure.layout.font = { ...figure.layout.font, color: ink };
  for (const trace of figure.data) {
    if (Array.isArray(trace.hovertext)) trace.hovertext = trace.hovertext.map((meaning) => meaning && `<br>${wrapped(meaning, 48)}`);
  }
  if (narrow) fitPhone(figure);
  else fitDesk(figure);
  await Plotly.newPlot(place, figure.data, figure.layout, { responsive: true, displaylogo: false, displayModeBar: false });
  place.style.minHeight = "auto"; // small charts need no more room than they have
  for (const button of document.querySelectorAll(`button[data-download-of="${place.id}"]`)) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const file = { format: button.dataset.format, filename: place.dataset.name, width: 1200, height: 675, scale: 2 };
      const made = picture(source);
      made.layout.separators = figure.layout.separators;
      Plotly.downloadImage(made, file);
    });
  }
}

for (const place of document.querySelectorAll("[data-chart], [data-figure]")) draw(place);

// Paper is narrower than most screens, and a drawn chart does not shrink by itself.
const PAPER = 640;
const resize = (layout) => {
  for (const place of document.querySelectorAll(".js-plotly-plot")) Plotly.relayout(place, layout);
};
window.addEventListener("beforeprint", () => resize({ autosize: false, width: PAPER }));
window.addEventListener("afterprint", () => resize({ autosize: true, width: undefined }));
