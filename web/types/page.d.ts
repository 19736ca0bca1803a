/** What the page's own functions hand to each other, for the type checker alone: the browser never sees this file. */

import type { Feed } from "../js/core/feed.js";
import type { KINDS, STATUSES } from "../js/core/kinds.js";
import type { Live } from "../js/core/live.js";

export as namespace Page;

// --- elements: js/core/dom.js ------------------------------------------------------------------------------------

/** What an element may hold; nothing, "" and false are left out. */
export type Child = Node | string | number | false | null | undefined | Child[];

type Attribute = string | number | boolean | null | undefined;
type Listeners = { [T in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[T]) => unknown };

export interface Properties {
  on?: Listeners;
  vars?: Record<string, string | number>;
  [attribute: string]: Attribute | Listeners | Record<string, string | number>;
}

/** Something that draws itself, while it is in the page. */
export interface Running<T> {
  update(value: T): void;
  stop(): void;
}

export interface Island<T = any> {
  start: (element: HTMLElement, value: T) => Running<T>;
  value: T;
  running: Running<T> | null;
}

declare global {
  /** From web/vendor/swagger-ui. */
  var SwaggerUIBundle: any;
  var SwaggerUIStandalonePreset: any;
  interface Node {
    $key?: string;
  }
  interface Element {
    $on?: Listeners;
    $island?: Island;
  }
}

// --- states: js/core/states.js -------------------------------------------------------------------------------------

export type Tone = "ok" | "run" | "warn" | "bad" | "rest";

export type Kind = keyof typeof KINDS;

/** A word that Azure ML or an operation uses; more may come. */
export type StatusKind = keyof typeof STATUSES;

export type State<K extends Kind> = K extends Kind ? keyof (typeof KINDS)[K]["states"] & string : never;

/** A state of this kind; of what has open words, any. */
export type StateOf<K extends Kind | StatusKind> = K extends Kind ? State<K> : string;

/** A record, as far as its state goes. */
export type Stateful = { [K in Kind]: { kind: K; state: State<K> } }[Kind];

export interface StateMeaning {
  tone: Tone;
  label: string;
  sentence: string;
  final: boolean;
  needsPerson: boolean;
}

// --- views: js/main.js ---------------------------------------------------------------------------------------------

export interface Route {
  hash: string;
  view: string;
  parts: string[];
  query: URLSearchParams;
}

/** A resource that a view shows. */
export interface Resource<P extends Api.Path> {
  url: Api.Address<P>;
  /** Whether it is worth requesting, by what the others have brought and by the status, which is null at first. */
  wanted: (feeds: any, status: Api.SystemStatus | null) => boolean;
}

type Resources = { [name: string]: Resource<any> | undefined };

export type Feeds<R> = { [Name in keyof R]: R[Name] extends Resource<infer P> ? Feed<P> : undefined };

export interface View {
  title(here: Route): string;
  feeds?(here: Route): Resources;
  /** Whether what is shown grows by the clock. */
  moves?(status: Api.SystemStatus | null, feeds: any): boolean;
  draw(shown: Shown<any>): Child;
}

/** What a view draws; F is its `feeds`. */
export interface Shown<F extends (here: Route) => object = () => {}> {
  here: Route;
  status: Api.SystemStatus;
  feeds: ReturnType<F> extends infer R ? Feeds<R> : never;
  live: Live;
  redraw: () => void;
}

// --- parts ---------------------------------------------------------------------------------------------------------

/** A column of records: js/parts/table.js. */
export interface Column<R> {
  title: string;
  /** A track of CSS's grid. */
  width: string;
  cell: (record: R) => Child;
  right?: boolean;
  name?: boolean;
}

/** A column of plain values. */
export interface GridColumn {
  title: string;
  right?: boolean;
  wrap?: boolean;
}

/** A link of a lineage: js/parts/chain.js. Without a record it is still to come. */
export interface Link {
  kind: string;
  icon: string;
  title?: string;
  href?: string;
  record?: Stateful;
  text: Child;
}

type Data = Api.CloudEvent["data"];
type Field = Data extends infer D ? (D extends unknown ? keyof D : never) : never;
type ValueOf<D, K> = D extends unknown ? (K extends keyof D ? D[K] : never) : never;

/** What became known with an event: by kind, and what more than one kind may tell, whatever its kind. */
export type Told = Data & { [K in Field & ("name" | "about" | "reason" | "rows")]?: ValueOf<Data, K> };

/** An operator's action: js/core/actions.js. */
export interface Action {
  label: string;
  title: string;
  text: string;
  /** What is said when it is done. */
  done: string;
  to: (file: File | null) => Api.Address<Api.ActionPath>;
  kind?: "danger";
  /** Whether a reason has to be given. */
  reason?: boolean;
  /** Whether a file has to be chosen. */
  file?: boolean;
}

/** What was thrown by a request: without a status, nobody answered. */
export type Trouble = Error & { status?: number; retryAfter?: number | null };
