/** Signing in: with the form, or at once with the key in the address's fragment (#key=...). */

import { address, request } from "./api.js";

const form = document.getElementById("signin");
const said = document.getElementById("said");

async function signIn(key) {
  said.hidden = true;
  form.querySelector("button").disabled = true;
  try {
    await request(address("session"), { method: "POST", body: { key } });
    enter();
  } catch (error) {
    said.textContent =
      error.status === 401
        ? "This key is not known. Copy it again, without spaces around it."
        : error.message;
    said.hidden = false;
    form.querySelector("button").disabled = false;
    document.getElementById("key").focus();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(new FormData(form).get("key").trim());
});

/** To the view that was requested before there was a session, or to the first one. */
function enter() {
  const wanted = new URL("../", location);
  if (location.hash.startsWith("#/")) wanted.hash = location.hash;
  location.replace(wanted);
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
  else document.getElementById("key").focus();
}

addEventListener("hashchange", begin);
begin();
