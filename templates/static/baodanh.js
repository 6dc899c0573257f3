// Báo Danh: what pages do better with a script. Every page works without it.

const PATIENCE = 20_000; // milliseconds until an answer counts as lost
const SLOW = 1_000; // from here on, show that something is happening
const TRIES = 6;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The server answered, but has no time for us now; `seconds` is what it asks us to wait. */
class Busy extends Error {
  constructor(answer) {
    super("busy");
    this.seconds = Number(answer.headers.get("Retry-After")) || 5;
  }
}

/** Fetch a page of ours: {page, status}. Throws Busy, or whatever fetch throws when nothing came. */
async function load(address, options) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const answer = await fetch(address, { ...options, headers: { Accept: "text/html" }, cache: "no-store", signal: stop.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if ([429, 502, 503, 504].includes(answer.status) || !page.querySelector("main")) throw new Busy(answer);
    return { page, status: answer.status };
  } finally {
    clearTimeout(timer);
  }
}

// What this tab has shown at this address, kept here so that Back works and no number enters the address.
const screens = [];
let current = history.state?.screen ?? 0;
let blank = null;

const screen = () => ({ main: document.querySelector("main"), title: document.title });

function show({ main, title }) {
  document.querySelector("main").replaceWith(main);
  document.title = title;
  scrollTo(0, 0);
  (main.querySelector("[data-focus]") ?? main.querySelector("h1") ?? main).focus({ preventScroll: true });
}

function turnTo(next) {
  screens[current] = screen();
  screens.length = ++current;
  history.pushState({ screen: current }, "");
  show(next);
}

const screenOf = (page) => ({ main: document.adoptNode(page.querySelector("main")), title: page.title });

addEventListener("popstate", (event) => {
  const wanted = event.state?.screen ?? 0;
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
  element.querySelector(`[data-phrase=${name}]`).innerHTML.replace(/\{(\w+)\}/g, (_, fact) => facts[fact]);

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
      const { page, status } = await this.#ask(form);
      say(this, "");
      if (status === 422) show(screenOf(page));
      else turnTo(screenOf(page));
    } catch {
      say(this, phrase(this, "unreachable"), "trouble");
    } finally {
      clearTimeout(slow);
      this.#sending = false;
    }
  }

  async #ask(form) {
    for (let tries = 1; ; tries++) {
      try {
        return await load(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      } catch (trouble) {
        if (!(trouble instanceof Busy) || tries === TRIES) throw trouble;
        // Not all at the same second: up to half as long again.
        const seconds = Math.ceil(trouble.seconds * (1 + Math.random() / 2));
        say(this, phrase(this, "busy", { seconds }), "trouble");
        await pause(seconds * 1000);
      }
    }
  }
}

/** `<count-down>`: ticks by the server's clock, and at the moment turns into the form by itself. */
class CountDown extends HTMLElement {
  connectedCallback() {
    this.opensAt = Date.parse(this.getAttribute("opens-at"));
    // `server-now` was written when the first byte left, not when this script runs.
    const arrived = performance.timeOrigin + (performance.getEntriesByType("navigation")[0]?.responseStart ?? 0);
    this.ahead = Date.parse(this.getAttribute("server-now")) - arrived;
    this.announcements = [...this.querySelectorAll("[data-announce]")].map((text) => [Number(text.dataset.announce), text.innerHTML]);
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
      try {
        const { page } = await load(location.href);
        if (!page.querySelector("count-down")) return show(screenOf(page));
        wait = 1000 + Math.random() * 2000;
      } catch (trouble) {
        say(this, phrase(this, "busy"), "trouble");
        wait = Math.max(wait * 1.6, (trouble.seconds ?? 2) * 1000) * (1 + Math.random() / 2);
        wait = Math.min(wait, 30_000);
      }
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

customElements.define("score-lookup", ScoreLookup);
customElements.define("count-down", CountDown);
customElements.define("print-page", PrintPage);
