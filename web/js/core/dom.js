/**
 * Elements made from data, and `morph`, which turns what is shown into what should be shown.
 *
 * All text goes in as text nodes and all attributes through setAttribute, so nothing that comes from storage can
 * become markup. Inline style is set through CSSOM only: the page's policy forbids style attributes.
 */

const SVG = "http://www.w3.org/2000/svg";

/** The element of index.html that has this id. @param {string} id */
export const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * An HTML element. Properties: `class`, `on: {event: listener}`, `vars: {"--name": value}`, `key`, else attributes.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Page.Properties} [properties]
 * @param {Page.Child[]} children
 */
export function h(tag, properties, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/**
 * An SVG element, made the same way.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Page.Properties} [properties]
 * @param {Page.Child[]} children
 */
export function s(tag, properties, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

/** One of the icons that index.html carries. @param {string} name */
export function icon(name) {
  return s(
    "svg",
    { class: "icon", "aria-hidden": "true", focusable: "false" },
    s("use", { href: `#i-${name}` }),
  );
}

/**
 * A place for something that draws itself (a canvas): the same element as long as its key stays, updated with new values.
 * @template T
 * @param {string} key
 * @param {Page.Properties} properties
 * @param {T} value
 * @param {Page.Island<T>["start"]} start
 */
export function island(key, properties, value, start) {
  const element = h("div", { ...properties, key });
  element.$island = { start, value, running: null };
  return element;
}

/**
 * @template {HTMLElement | SVGElement} E
 * @param {E} element
 * @param {Page.Properties | undefined} properties
 * @param {Page.Child[]} children
 */
function filled(element, { on, vars, ...properties } = {}, children) {
  if (on) listen(element, on);
  for (const [name, to] of Object.entries(vars ?? {})) element.style.setProperty(name, String(to));
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "key") element.$key = String(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Page.Child[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false || child === "") continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/**
 * Listeners live in a property, so that morph can hand the new ones to the old element.
 * @param {Element} element
 * @param {Page.Listeners} listeners
 */
function listen(element, listeners) {
  element.$on = listeners;
  for (const type of Object.keys(listeners)) element.addEventListener(type, dispatch);
}

/**
 * @this {Element}
 * @param {Event} event
 */
function dispatch(event) {
  const listeners = /** @type {Record<string, (event: Event) => unknown>} */ (this.$on ?? {});
  return listeners[event.type]?.call(this, event);
}

/**
 * Makes `container` show exactly `nodes`, reusing each element that can stay: focus, scroll and open details live on.
 * @param {Element} container
 * @param {Page.Child[]} nodes
 */
export function show(container, ...nodes) {
  const fresh = document.createElement("div");
  append(fresh, nodes);
  morphChildren(container, fresh);
  wake(container);
}

/**
 * @param {Element} old
 * @param {Element} fresh
 */
function morphChildren(old, fresh) {
  /** @type {Map<string, ChildNode>} */
  const keyed = new Map();
  for (const child of old.childNodes) if (child.$key !== undefined) keyed.set(child.$key, child);
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const same = wanted.$key !== undefined ? keyed.get(wanted.$key) : at;
    if (same && same !== at && fits(same, wanted)) {
      old.insertBefore(same, at);
      morph(same, wanted);
    } else if (at && fits(at, wanted)) {
      const next = at.nextSibling;
      morph(at, wanted);
      at = next;
    } else {
      old.insertBefore(wanted, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    retire(at);
    at.remove();
    at = next;
  }
}

/** @type {(a: Node, b: Node) => boolean} */
const fits = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.$key === b.$key;

/**
 * Both are of one tag, or both are text.
 * @param {Node} old
 * @param {Node} wanted
 */
function morph(old, wanted) {
  if (old.nodeType === Node.TEXT_NODE) morphText(/** @type {Text} */ (old), /** @type {Text} */ (wanted));
  else morphElement(/** @type {HTMLElement} */ (old), /** @type {HTMLElement} */ (wanted));
}

/** @param {Text} old @param {Text} wanted */
function morphText(old, wanted) {
  if (old.data !== wanted.data) old.data = wanted.data;
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} wanted
 */
function morphElement(old, wanted) {
  if (old.$island && wanted.$island) {
    old.$island.value = wanted.$island.value;
    old.$island.running?.update(wanted.$island.value);
    return;
  }
  morphAttributes(old, wanted);
  morphListeners(old, wanted);
  morphChildren(old, wanted);
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} wanted
 */
function morphAttributes(old, wanted) {
  for (const { name } of [...old.attributes]) {
    // `open` belongs to the viewer.
    if (name !== "style" && name !== "open" && !wanted.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.style.cssText !== wanted.style.cssText) old.style.cssText = wanted.style.cssText;
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} wanted
 */
function morphListeners(old, wanted) {
  const before = Object.keys(old.$on ?? {});
  for (const type of Object.keys(wanted.$on ?? {})) {
    if (!before.includes(type)) old.addEventListener(type, dispatch);
  }
  old.$on = wanted.$on;
}

/** Starts the islands that have come into the page. @param {Element} container */
function wake(container) {
  for (const element of container.querySelectorAll("div")) {
    const mine = element.$island;
    if (mine && !mine.running) mine.running = mine.start(element, mine.value);
  }
}

/** @param {Node} node */
function retire(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  const element = /** @type {Element} */ (node);
  for (const one of [element, ...element.querySelectorAll("div")]) one.$island?.running?.stop();
}
