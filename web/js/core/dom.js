/**
 * Elements made from data, and `morph`, which turns what is shown into what should be shown.
 *
 * All text goes in as text nodes and all attributes through setAttribute, so nothing that comes from storage can
 * become markup. Inline style is set through CSSOM only: the page's policy forbids style attributes.
 */

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. Properties: `class`, `on: {event: listener}`, `vars: {"--name": value}`, `key`, else attributes. */
export function h(tag, properties, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** An SVG element, made the same way. */
export function s(tag, properties, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

/** One of the icons that index.html carries. */
export function icon(name) {
  return s(
    "svg",
    { class: "icon", "aria-hidden": "true", focusable: "false" },
    s("use", { href: `#i-${name}` }),
  );
}

/**
 * A place for something that draws itself (a canvas): the same element as long as its key stays, updated with new values.
 * start(element, value) -> {update(value), stop()}
 */
export function island(key, properties, value, start) {
  const element = h("div", { ...properties, key });
  element.$island = { start, value, running: null };
  return element;
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") listen(element, value);
    else if (name === "vars")
      for (const [v, to] of Object.entries(value)) element.style.setProperty(v, String(to));
    else if (name === "key") element.$key = String(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false || child === "") continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Listeners live in a property, so that morph can hand the new ones to the old element. */
function listen(element, listeners) {
  element.$on = listeners;
  for (const type of Object.keys(listeners)) element.addEventListener(type, dispatch);
}

function dispatch(event) {
  return this.$on?.[event.type]?.call(this, event);
}

/** Makes `container` show exactly `nodes`, reusing each element that can stay: focus, scroll and open details live on. */
export function show(container, ...nodes) {
  const fresh = document.createElement("div");
  append(fresh, nodes);
  morphChildren(container, fresh);
  wake(container);
}

function morphChildren(old, fresh) {
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

const fits = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.$key === b.$key;

function morph(old, wanted) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  if (old.$island && wanted.$island) {
    old.$island.value = wanted.$island.value;
    old.$island.running?.update(wanted.$island.value);
    return;
  }
  morphAttributes(old, wanted);
  morphListeners(old, wanted);
  morphChildren(old, wanted);
}

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

function morphListeners(old, wanted) {
  for (const type of Object.keys(wanted.$on ?? {})) {
    if (!old.$on?.[type]) old.addEventListener(type, dispatch);
  }
  old.$on = wanted.$on;
}

/** Starts the islands that have come into the page. */
function wake(container) {
  for (const element of container.querySelectorAll("div")) {
    const mine = element.$island;
    if (mine && !mine.running) mine.running = mine.start(element, mine.value);
  }
}

function retire(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  for (const element of [node, ...node.querySelectorAll("div")]) {
    element.$island?.running?.stop();
  }
}
