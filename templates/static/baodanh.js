// Báo Danh: what pages do better with a script. Every page works without it.

const PATIENCE = 20_000; // milliseconds until an answer counts as lost
const SLOW = 1_000; // from here on, show that something is happening
const TRIES = 6;
const LONGEST_WAIT = 60; // seconds; whoever must wait longer is told so instead
const CHALLENGES = 3; // so many to solve for one answer
const BUSY = [429, 502, 503, 504];

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Fetch a page: {main, title, status, wait}; `wait` is in seconds, 0 unless the server has no time for us. Throws when nothing came. */
async function load(address, options) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const answer = await fetch(address, { ...options, headers: { Accept: "text/html" }, cache: "no-store", signal: stop.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = page.querySelector("main");
    const wait = BUSY.includes(answer.status) || !main ? Number(answer.headers.get("Retry-After")) || 5 : 0;
    return { main: main && document.adoptNode(main), title: page.title, status: answer.status, wait };
  } finally {
    clearTimeout(timer);
  }
}

// What this tab has shown at this address, kept here so that Back works and no number enters the address.
const screens = [];
let current = history.state?.screen ?? 0;
let blank = null;
history.replaceState({ screen: current }, "");

const screen = () => ({ main: document.querySelector("main"), title: document.title });

function show({ main, title }) {
  document.querySelector("main").replaceWith(main);
  document.title = title;
  scrollTo(0, 0);
  const reading = main.querySelector("[data-focus]") ?? main.querySelector("h1") ?? main;
  reading.tabIndex = -1;
  reading.focus({ preventScroll: true });
}

function turnTo(next) {
  screens[current] = screen();
  screens.length = ++current;
  history.pushState({ screen: current }, "");
  show(next);
}

addEventListener("popstate", ({ state }) => {
  // A link to a place on this page: an entry of its own, on the same screen.
  if (!state) history.replaceState({ screen: current }, "");
  const wanted = history.state.screen;
  if (wanted === current) return;
  screens[current] = screen();
  current = wanted;
  if (screens[current]) show(screens[current]);
  else location.reload();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-again]");
  if (!link || !blank || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  turnTo({ main: blank.main.cloneNode(true), title: blank.title });
  document.querySelector("main input")?.focus();
});

const phrase = (element, name, facts = {}) =>
  element.querySelector(`[data-phrase=${name}]`).content.textContent.replace(/\{(\w+)\}/g, (_, fact) => facts[fact]);

function say(element, text, tone = "") {
  const message = element.querySelector(".message");
  message.className = `message ${tone}`;
  message.textContent = text;
}

/** `<score-lookup>`: the form answers in place; what was typed survives a lost connection and a crowd. */
class ScoreLookup extends HTMLElement {
  #sending = false;

  constructor() {
    super();
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#sending) this.#look(event.target);
    });
  }

  connectedCallback() {
    if (this.hasAttribute("blank")) blank ??= { main: this.closest("main").cloneNode(true), title: document.title };
  }

  async #look(form) {
    this.#sending = true;
    const slow = setTimeout(() => say(this, phrase(this, "slow"), "slow"), SLOW);
    try {
      const answer = await this.#ask(form, slow);
      say(this, "");
      if (answer.status === 422) show(answer);
      else turnTo(answer);
    } catch {
      say(this, phrase(this, "unreachable"), "trouble");
    } finally {
      clearTimeout(slow);
      this.#sending = false;
    }
  }

  async #ask(form, slow) {
    const body = new URLSearchParams(new FormData(form));
    for (let tries = 1, solved = 0; ; tries++) {
      const answer = await load(form.action, { method: "POST", body });
      const challenge = answer.main?.querySelector("[data-challenge]")?.dataset;
      if (challenge) {
        if (solved++ === CHALLENGES) return answer;
        clearTimeout(slow);
        say(this, phrase(this, "checking"), "slow");
        const { solve } = await import(challenge.solver);
        body.set("challenge", challenge.challenge);
        body.set("solution", await solve(challenge.challenge, Number(challenge.bits), Number(challenge.count)));
        continue;
      }
      if (!answer.wait || (answer.main && answer.wait > LONGEST_WAIT)) return answer;
      if (tries === TRIES) throw new Error("busy");
      // Not all at the same second: up to half as long again.
      const seconds = Math.ceil(Math.min(answer.wait, LONGEST_WAIT) * (1 + Math.random() / 2));
      say(this, phrase(this, "busy", { seconds }), "trouble");
      await pause(seconds * 1000);
    }
  }
}

/** `<count-down>`: ticks by the server's clock, and at the moment turns into the form by itself. */
class CountDown extends HTMLElement {
  connectedCallback() {
    this.opensAt = Date.parse(this.getAttribute("opens-at"));
    // `server-now` was written when the first byte left, not when this script runs.
    const [arrival] = performance.getEntriesByType("navigation");
    const since = Math.max(0, performance.now() - (arrival?.responseStart ?? 0));
    this.ahead = Date.parse(this.getAttribute("server-now")) + since - Date.now();
    this.announcements = [...this.querySelectorAll("[data-announce]")].map((text) => [Number(text.dataset.announce), text.content.textContent]);
    this.#tick();
    this.timer = setInterval(() => this.#tick(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  #tick() {
    const left = Math.max(0, Math.ceil((this.opensAt - Date.now() - this.ahead) / 1000));
    const parts = { days: Math.floor(left / 86400), hours: Math.floor(left / 3600) % 24, minutes: Math.floor(left / 60) % 60, seconds: left % 60 };
    for (const [part, value] of Object.entries(parts)) {
      this.querySelector(`[data-part=${part}]`).textContent = part === "days" ? value : String(value).padStart(2, "0");
    }
    const due = this.announcements.find(([seconds]) => seconds === left);
    if (due) say(this, due[1]);
    if (left === 0) this.#open();
  }

  async #open() {
    clearInterval(this.timer);
    say(this, phrase(this, "opening"), "slow");
    // Everyone's clock strikes at once: come within three seconds of each other instead.
    let wait = Math.random() * 3000;
    while (this.isConnected) {
      await pause(wait);
      const answer = await load(location.href).catch(() => ({ wait: 2 }));
      if (!answer.wait && !answer.main.querySelector("count-down")) return show(answer);
      if (answer.wait) say(this, phrase(this, "busy"), "trouble");
      wait = Math.min(30_000, Math.max(wait * 1.5, (answer.wait || 1) * 1000) * (1 + Math.random() / 2));
    }
  }
}

/** `<print-page>`: a button that prints; without a script it is not there. */
class PrintPage extends HTMLElement {
  constructor() {
    super();
    this.addEventListener("click", () => print());
  }
}

// A form that came back with mistakes as a page of its own: begin to read there.
document.querySelector(".error-summary")?.focus();

customElements.define("score-lookup", ScoreLookup);
customElements.define("count-down", CountDown);
customElements.define("print-page", PrintPage);
