// Báo Danh: what the officers' pages of exams do better with a script. Every page works without it.

const phrase = (element, name, facts = {}) =>
  element.querySelector(`[data-phrase=${name}]`).content.textContent.replace(/\{(\w+)\}/g, (_, fact) => facts[fact]);

const pageOf = (html) => new DOMParser().parseFromString(html, "text/html");

/** `<live-part id every>`: shows how far something is, by asking for its own page again until the page has no such part. */
class LivePart extends HTMLElement {
  connectedCallback() {
    this.pause = Number(this.getAttribute("every")) || 700;
    this.timer = setTimeout(() => this.#look(), this.pause);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async #look() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.redirected) return location.reload();
      const next = answer.ok && pageOf(await answer.text()).getElementById(this.id);
      if (answer.ok && next?.localName !== "live-part") return location.reload();
      // What has not changed stays, with whatever was opened or chosen in it.
      if (next && next.innerHTML !== this.innerHTML) this.innerHTML = next.innerHTML;
    } catch {
      // The line is down; it may be there again in a moment.
    }
    if (this.isConnected) this.timer = setTimeout(() => this.#look(), this.pause);
  }
}

/** `<file-upload most>`: says how much of a file was sent, and refuses one that is too large before it is sent. */
class FileUpload extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(event.target);
    });
  }

  #say(text) {
    this.querySelector("[data-part=progress]").hidden = false;
    this.querySelector(".message").textContent = text;
  }

  #send(form) {
    const most = Number(this.getAttribute("most"));
    const file = form.elements.file.files[0];
    if (file && file.size > most * 1024 * 1024) return this.#say(phrase(this, "too_large", { most }));
    const button = form.querySelector("button");
    const bar = this.querySelector("progress");
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = (100 * loaded) / total;
      this.#say(loaded < total ? phrase(this, "sending", { percent: Math.floor(bar.value) }) : phrase(this, "sent"));
    });
    request.addEventListener("load", () => {
      if (request.status === 200) return location.assign(request.responseURL);
      const page = pageOf(request.responseText);
      document.title = page.title;
      document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
      (document.querySelector("[data-focus]") ?? document.querySelector("main")).focus();
    });
    request.addEventListener("error", () => {
      button.disabled = false;
      this.#say(phrase(this, "unreachable"));
    });
    button.disabled = true;
    request.open("POST", form.action);
    request.send(new FormData(form));
  }
}

/** `<exam-shape>`: an example of a candidate number, as the format is typed or the kind is chosen. */
class ExamShape extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", () => this.#show());
    this.#show();
  }

  #show() {
    const typed = this.querySelector("[name=number_format]").value.trim().toUpperCase();
    const kind = this.querySelector("[name=kind]").value;
    const format = typed || this.querySelector(`[data-kind="${CSS.escape(kind)}"]`)?.dataset.format || "";
    const right = /^[0-9A-Z]{1,20}(\|[0-9A-Z]{1,20}){0,11}$/.test(format);
    const example = (mask) => {
      let digit = 0;
      return mask.replace(/9/g, () => String(digit++ % 10));
    };
    this.querySelector("[data-part=example]").textContent = right ? `Ví dụ: ${format.split("|").map(example).join(", ")}` : "";
  }
}

customElements.define("live-part", LivePart);
customElements.define("file-upload", FileUpload);
customElements.define("exam-shape", ExamShape);
