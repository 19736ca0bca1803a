/** The session: whose it is and its scope; a reader sees, an operator may also act. */

import { address, request } from "../../public/js/api.js";

/** @type {Api.Session["scope"]} */
let scope = "reader";

/** Signs in with the key in the address's fragment, if there is one, and learns what the viewer may do. */
export async function begin() {
  const key = new URLSearchParams(location.hash.replace(/^#/, "")).get("key");
  if (key) {
    // Out of the address bar and the history before anything else happens.
    history.replaceState(null, "", location.pathname + location.search + "#/");
    await request(address("session"), { method: "POST", body: { key } });
  }
  const answer = await request(address("session"));
  scope = answer.value?.scope ?? "reader";
}

export const mayAct = () => scope === "operator" || scope === "admin";
export const mayAudit = () => scope === "admin";
export const scopeName = () => scope;

/** Forget the session, and show the sign-in page. */
export async function leave() {
  await request(address("session"), { method: "DELETE" });
  location.assign(location.pathname);
}
