/** A server of the test's own behind `fetch`: it keeps what was asked, and answers when and what the test says. */

export function fakeServer() {
  const asked = [];
  globalThis.fetch = (url, options) =>
    new Promise((answer, fail) => {
      const hangUp = (error) => fail(error);
      options.signal?.addEventListener("abort", () => hangUp(new DOMException("stopped", "AbortError")));
      asked.push({ url, options, answer, hangUp, path: url.pathname.replace(/^.*\/api\//, ""), query: url.searchParams });
    });
  return asked;
}

/** An answer with a JSON body. */
export const json = (value, headers = {}, status = 200) =>
  new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json", ...headers } });

export const unchanged = (headers = {}) => new Response(null, { status: 304, headers });

/** What was set off has come to its next wait. */
export async function settled() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
}
