/** One resource of the API as the page knows it: its last value, whether that is fresh, and what went wrong. */

import { address, isAborted, request } from "../../public/js/api.js";

/**
 * What a view shows, as its `feeds` names it: a path of the API, and what fills it.
 * @template {Api.Path} P
 * @param {P} path
 * @param {Api.Filled<P>} given
 * @returns {Page.Resource<P>}
 */
export const resource = (path, ...given) => ({ url: address(path, ...given), wanted: () => true });

/** @template {Api.Path} P */
export class Feed {
  /** @type {string | null} */
  #tag = null;
  /** @type {Promise<boolean> | null} */
  #pending = null;
  /** @type {Api.Answer<P> | null} */
  value = null;
  /** @type {Page.Trouble | null} */
  error = null;

  /**
   * @param {Api.Address<P>} url
   * @param {() => boolean} wanted whether it is worth requesting yet; a resource that cannot be there is not requested
   */
  constructor(url, wanted = () => true) {
    this.url = url;
    this.wanted = wanted;
  }

  /**
   * A conditional request, single flight: two at once share one. Returns whether anything to show has changed; raises nothing.
   * @param {AbortSignal} [signal]
   */
  refresh(signal) {
    if (!this.wanted()) return Promise.resolve(false);
    this.#pending ??= this.#fetch(signal).finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  /** @param {AbortSignal} [signal] */
  async #fetch(signal) {
    try {
      const answer = await request(this.url, { etag: this.#tag, signal });
      const mended = this.error !== null;
      this.error = null;
      if (!answer.changed) return mended;
      this.#tag = answer.etag;
      this.value = answer.value;
      return true;
    } catch (thrown) {
      if (isAborted(thrown)) return false;
      const error = /** @type {Page.Trouble} */ (thrown);
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
