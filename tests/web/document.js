/**
 * As much of the DOM as the dashboard's core asks of it: a tree of elements and text, attributes, events, and selectors
 * of a tag with one attribute. What is not here is missing, so a test of anything else fails instead of passing.
 */

export class Node {
  static ELEMENT_NODE = 1;
  static TEXT_NODE = 3;
  parentNode = null;

  get nextSibling() {
    const all = this.parentNode?.childNodes ?? [];
    return all[all.indexOf(this) + 1] ?? null;
  }

  remove() {
    const all = this.parentNode?.childNodes;
    if (all) all.splice(all.indexOf(this), 1);
    this.parentNode = null;
  }
}

class Text extends Node {
  nodeType = Node.TEXT_NODE;
  nodeName = "#text";

  constructor(data) {
    super();
    this.data = data;
  }

  get textContent() {
    return this.data;
  }
}

class Style {
  #values = new Map();

  setProperty(name, value) {
    this.#values.set(name, value);
  }

  get cssText() {
    return [...this.#values].map(([name, value]) => `${name}: ${value};`).join(" ");
  }

  set cssText(text) {
    this.#values = new Map(
      [...text.matchAll(/([^:;\s]+): ([^;]*);/g)].map(([, name, value]) => [name, value]),
    );
  }
}

export class Element extends Node {
  nodeType = Node.ELEMENT_NODE;
  childNodes = [];
  style = new Style();
  #attributes = new Map();
  #listeners = new Map();

  constructor(tag, namespace) {
    super();
    this.nodeName = namespace ? tag : tag.toUpperCase();
    this.namespaceURI = namespace ?? "http://www.w3.org/1999/xhtml";
  }

  // --- attributes ---

  get attributes() {
    return [...this.#attributes].map(([name, value]) => ({ name, value }));
  }

  setAttribute(name, value) {
    if (typeof value !== "string") throw new TypeError(`${name} is no text: ${value}`);
    this.#attributes.set(name, value);
  }

  getAttribute = (name) => this.#attributes.get(name) ?? null;
  hasAttribute = (name) => this.#attributes.has(name);
  removeAttribute = (name) => this.#attributes.delete(name);

  // --- children ---

  get firstChild() {
    return this.childNodes[0] ?? null;
  }

  append(...nodes) {
    for (const node of nodes) this.insertBefore(node, null);
  }

  insertBefore(node, before) {
    node.remove();
    const at = before === null ? this.childNodes.length : this.childNodes.indexOf(before);
    if (at < 0) throw new Error("insertBefore: that node is no child of this one");
    this.childNodes.splice(at, 0, node);
    node.parentNode = this;
    return node;
  }

  get textContent() {
    return this.childNodes.map((child) => child.textContent).join("");
  }

  set textContent(text) {
    for (const child of [...this.childNodes]) child.remove();
    this.append(new Text(text));
  }

  querySelectorAll(selector) {
    const [, tag, attribute] = /^(\w+)(?:\[([\w-]+)\])?$/.exec(selector);
    const found = this.childNodes.flatMap((child) =>
      child.nodeType === Node.ELEMENT_NODE ? [child, ...child.querySelectorAll(tag)] : [],
    );
    return found.filter(
      (one) => one.nodeName.toLowerCase() === tag && (!attribute || one.hasAttribute(attribute)),
    );
  }

  // --- events ---

  /** As the DOM has it: the same listener of the same type is there once. */
  addEventListener(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
  }

  dispatchEvent(event) {
    for (const listener of this.#listeners.get(event.type) ?? []) listener.call(this, event);
  }
}

/** A new document becomes the global one; `hidden` may be set, and events sent by `document.send(type)`. */
export function freshDocument() {
  const listening = new Element("document");
  globalThis.Node = Node;
  globalThis.document = {
    hidden: false,
    byId: new Map(),
    createElement: (tag) => new Element(tag),
    createElementNS: (namespace, tag) => new Element(tag, namespace),
    createTextNode: (data) => new Text(data),
    getElementById: (id) => document.byId.get(id) ?? null,
    querySelectorAll: (selector) => document.body.querySelectorAll(selector),
    addEventListener: (type, listener) => listening.addEventListener(type, listener),
    send: (type) => listening.dispatchEvent({ type }),
    body: new Element("body"),
  };
  return globalThis.document;
}

/** The markup of an element, for a look at all of it at once. */
export function markup(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  const tag = node.nodeName.toLowerCase();
  const attributes = node.attributes.map(({ name, value }) => ` ${name}="${value}"`).join("");
  return `<${tag}${attributes}>${node.childNodes.map(markup).join("")}</${tag}>`;
}
