// A background analysis shows how far it is by itself; without script the page loads itself again.
"use strict";

const PAUSE = 2000; // milliseconds between two looks

for (const section of document.querySelectorAll("[data-progress]")) {
  const said = section.querySelector("[data-said]");
  const live = section.querySelector("[data-live]");

  const look = async () => {
    let ended = false;
    try {
      const reply = await fetch(section.dataset.progress);
      if (reply.redirected) return location.reload(); // logged out meanwhile
      if (reply.ok) {
        const found = await reply.json();
        ended = found.ended;
        if (said.textContent !== found.said) said.textContent = found.said;
        if (live.innerHTML !== found.html) live.innerHTML = found.html;
        document.title = document.title.replace(/^.*? – /, `${found.said} – `);
      }
    } catch {
      // No connection: the next look tells.
    }
    if (ended) location.reload();
    else setTimeout(look, PAUSE);
  };
  setTimeout(look, PAUSE);
}
