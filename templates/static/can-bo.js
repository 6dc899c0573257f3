// Báo Danh: what the officers' pages do better with a script. Every page works without it.

const MINUTE = 60_000;

/** `<idle-warning seconds>`: a minute before a session ends for want of requests says so, with a button to stay. */
class IdleWarning extends HTMLElement {
  // One session for all tabs: a page opened in one of them keeps the others alive.
  #tabs = new BroadcastChannel("can-bo");

  connectedCallback() {
    this.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#stay(event.target);
    });
    // A timer sleeps with the machine; the clock goes on.
    document.addEventListener("visibilitychange", () => this.#look());
    this.#tabs.addEventListener("message", () => this.#heard());
    this.#tabs.postMessage("seen");
    this.#heard();
  }

  #heard() {
    this.endsAt = Date.now() + 1000 * Number(this.getAttribute("seconds"));
    this.#look();
  }

  #look() {
    clearTimeout(this.timer);
    const left = this.endsAt - Date.now();
    this.#show(left <= 0 ? "over" : left <= MINUTE ? "soon" : "");
    if (left > 0) this.timer = setTimeout(() => this.#look(), left > MINUTE ? left - MINUTE : left);
  }

  #show(state) {
    if (this.dataset.state === state) return;
    this.dataset.state = state;
    const words = this.querySelector(`[data-phrase=${state || "none"}]`);
    this.querySelector("[role=status]").textContent = words?.content.textContent.trim() ?? "";
    this.querySelector("form").hidden = state !== "soon";
    this.querySelector("[data-part=again]").hidden = state !== "over";
  }

  async #stay(form) {
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (answer.status !== 204) this.endsAt = 0;
      else this.#tabs.postMessage("seen");
      if (this.endsAt) this.#heard();
      else this.#look();
      document.querySelector("main").focus({ preventScroll: true });
    } catch {
      // The line is down; the button stays.
    }
  }
}

customElements.define("idle-warning", IdleWarning);
