/** The session: whose it is and its scope; a reader sees, an operator may also act. */

import { address, request } from "../../public/js/api.js";

/** @type {Api.Session["scope"]} */
let scope = "reader";
/** @type {string | null} that of the address's fragment, until the app has taken it */
let key = null;

/** Signs in with the key in the address's fragment, if there is one, and learns what the viewer may do. */
export async function begin() {
  key ??= keyOfAddress();
  if (key) await request(address("session"), { method: "POST", body: { key } });
  key = null;
  const answer = await request(address("session"));
  scope = answer.value?.scope ?? "reader";
}

/** Out of the address bar and the history before anything else happens. */
function keyOfAddress() {
  const found = new URLSearchParams(location.hash.replace(/^#/, "")).get("key");
  if (found) history.replaceState(null, "", location.pathname + location.search + "#/");
  return found;
}

export const mayAct = () => scope === "operator" || scope === "admin";
export const mayAudit = () => scope === "admin";
export const scopeName = () => scope;

/** Forget the session, and show the sign-in page. */
export async function leave() {
  await request(address("session"), { method: "DELETE" });
  location.assign(location.pathname);
}
