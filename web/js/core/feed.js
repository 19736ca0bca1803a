/** One resource of the API as the page knows it: its last value, whether that is fresh, and what went wrong. */

import { address, request } from "../../public/js/api.js";

export class Feed {
  #tag = null;
  #pending = null;

  /** wanted(): whether it is worth requesting yet; a resource that cannot be there is not requested. */
  constructor(path, query = {}, wanted = () => true) {
    this.wanted = wanted;
    this.path = path;
    this.query = query;
    this.url = address(path, query);
    this.value = null;
    this.error = null;
  }

  get state() {
    if (this.value) return "ready";
    return this.error ? "failed" : "loading";
  }

  /** A conditional request, single flight: two at once share one. Returns whether anything to show has changed; raises nothing. */
  refresh(signal) {
    if (!this.wanted()) return Promise.resolve(false);
    this.#pending ??= this.#fetch(signal).finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  async #fetch(signal) {
    try {
      const answer = await request(this.url, { etag: this.#tag, signal });
      const mended = this.error !== null;
      this.error = null;
      if (!answer.changed) return mended;
      this.#tag = answer.etag;
      this.value = answer.value;
      return true;
    } catch (error) {
      if (error.name === "AbortError") return false;
      const news = this.error?.message !== error.message;
      this.error = error;
      if (error.status === 404) {
        this.value = null;
        this.#tag = null;
      }
      return news;
    }
  }
}
