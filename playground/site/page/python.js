/** The worker in which Python runs: asked one thing at a time, and thrown away where another bug is planted. */

export class Python {
  #worker;
  #asked = new Map();
  #number = 0;

  /** onStage: told in words how far it is. */
  constructor(onStage) {
    this.onStage = onStage;
  }

  /** Whether this browser can set a stack of Python aside (JavaScript Promise Integration). */
  static possible() {
    return typeof WebAssembly === "object" && "Suspending" in WebAssembly;
  }

  /** Starts anew. bug: of story.json, or none; resolves once the flow is imported. */
  begin(bug) {
    this.#worker?.terminate();
    for (const { reject } of this.#asked.values()) reject(new Replaced());
    this.#asked.clear();
    this.#worker = new Worker(new URL("../worker.js", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = (event) => this.#fail(event.message || "The worker did not start.");
    return this.ask("begin", { bug });
  }

  ask(what, given = {}) {
    return new Promise((resolve, reject) => {
      this.#number += 1;
      this.#asked.set(this.#number, { resolve, reject });
      this.#worker.postMessage({ id: this.#number, do: what, ...given });
    });
  }

  #hear(data) {
    if (data.stage) {
      this.onStage(data.stage);
      return;
    }
    const asked = this.#asked.get(data.id);
    this.#asked.delete(data.id);
    if (data.problem === undefined) asked?.resolve(data.told);
    else asked?.reject(new Error(data.problem));
  }

  #fail(why) {
    for (const { reject } of this.#asked.values()) reject(new Error(why));
    this.#asked.clear();
  }
}

/** It was asked of a Python that is no more. */
export class Replaced extends Error {}
