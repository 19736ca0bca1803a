/** The page's colours: as the system, light or dark; remembered in this browser. */

/** @typedef {"system" | "light" | "dark"} Theme */

/** @type {Theme[]} */
const ORDER = ["system", "light", "dark"];
const NAMES = { system: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" };

const chosen = () => /** @type {Theme} */ (document.documentElement.dataset.theme ?? "system");

/**
 * Makes `button` go round the three.
 * @param {HTMLElement} button
 * @param {() => void} changed charts draw themselves anew
 */
export function bindTheme(button, changed) {
  button.addEventListener("click", () =>
    choose(ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length], button, changed),
  );
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  name(button);
}

/**
 * @param {Theme} theme
 * @param {HTMLElement} button
 * @param {() => void} changed
 */
function choose(theme, button, changed) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember(theme);
  name(button);
  changed();
}

/** @param {HTMLElement} button */
function name(button) {
  button.setAttribute("aria-label", NAMES[chosen()]);
  button.title = NAMES[chosen()];
}

/** @param {Theme} theme */
function remember(theme) {
  try {
    localStorage.setItem("campanha-theme", theme);
  } catch {
    // Storage may be forbidden: then the choice lasts as long as the page.
  }
}

/** A colour of tokens.css as the browser resolves it now; a canvas knows no light-dark(). @param {string} token */
export function colour(token) {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  probe.hidden = true;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
