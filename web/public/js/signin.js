/** Signing in: with the form, or at once with the key in the address's fragment (#key=...). */

import { address, Problem, request } from "./api.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("signin"));
const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
const field = /** @type {HTMLInputElement} */ (document.getElementById("key"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));

/** @param {string} key */
async function signIn(key) {
  said.hidden = true;
  button.disabled = true;
  try {
    await request(address("session"), { method: "POST", body: { key } });
    enter();
  } catch (error) {
    said.textContent =
      error instanceof Problem && error.status === 401
        ? "This key is not known. Copy it again, without spaces around it."
        : String(error instanceof Error ? error.message : error);
    said.hidden = false;
    button.disabled = false;
    field.focus();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(field.value.trim());
});

/** To the view that was requested before there was a session, or to the first one. */
function enter() {
  const wanted = new URL("../", location.href);
  if (location.hash.startsWith("#/")) wanted.hash = location.hash;
  location.replace(wanted.href);
}

/** The key in the address, if there is one: out of the address bar and the history before anything else happens. */
function keyInAddress() {
  const key = new URLSearchParams(location.hash.replace(/^#/, "")).get("key");
  if (key) history.replaceState(null, "", location.pathname + location.search);
  return key;
}

function begin() {
  const key = keyInAddress();
  if (key) signIn(key);
  else field.focus();
}

addEventListener("hashchange", begin);
begin();
