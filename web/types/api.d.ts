/**
 * What the API takes and gives, for the type checker alone: the browser never sees this file.
 *
 * Each schema of docs/openapi.json is a type of its name, such as `Api.Upload`: "api-description" is made from it by
 * `./dev check`. Below: what follows from a path.
 */

import type { components, operations, paths } from "api-description";

export type * from "api-description";
export as namespace Api;

/** One of the description's paths, without what all begin with: "runs/{run}". */
export type Path = keyof Described;

/** The version of the API that the description is of. */
export type Version = operations["getStatus"]["parameters"]["query"]["api-version"];

/** What a path is filled with: its parameters, and what its query may hold. */
export type Given<P extends Path> = Filling<Described[P], "path"> & Partial<Filling<Described[P], "query">>;

/** Nothing need be given where the path has no parameters. */
export type Filled<P extends Path> = {} extends Given<P> ? [given?: Given<P>] : [given: Given<P>];

export interface Options<P extends Path, M extends Method> {
  method?: M;
  /** What is known already: unchanged, it does not come again. */
  etag?: string | null;
  body?: Body<P, M> | null;
  headers?: Record<string, string>;
  signal?: AbortSignal | null;
}

/** The value that comes from there. */
export type Answer<P extends Path, M extends Method = "GET"> =
  Operation<P, M> extends { responses: infer R } ? Content<R[keyof R & (200 | 202)]> : never;

/** The value that goes there; a file goes as it is. */
export type Body<P extends Path, M extends Method> = P extends Path
  ? Operation<P, M> extends { requestBody?: infer B } ? Content<NonNullable<B>> : never
  : never;

export type Method = "GET" | "POST" | "DELETE";

/** Where an action is accepted, as an operation that goes on. */
export type ActionPath = { [P in Path]: Answer<P, "POST"> extends components["schemas"]["Operation"] ? P : never }[Path];

/** Where something is; what is fetched from there has the type of what it is. */
export type Address<P extends Path> = URL & { readonly [path]?: P };

/** What is known after a request. */
export type Answered<T> = Unchanged | Changed<T>;

export interface Unchanged {
  changed: false;
  value?: undefined;
  operation?: undefined;
  etag: string | null;
  /** Seconds. */
  retryAfter: number | null;
}

export interface Changed<T> {
  changed: true;
  etag: string | null;
  value: T;
  /** Seconds. */
  retryAfter: number | null;
  /** The address of the operation that was accepted. */
  operation: string | null;
  status: number;
}

/** What an answer that says no holds. */
export type Refusal = Partial<components["schemas"]["Problem"]>;

type Described = { [P in keyof paths as P extends `/api/${infer Short}` ? Short : never]: paths[P] } & {
  /** The description does not describe itself. */
  "openapi.json": { get: Read<OpenApi> };
};

type Operation<P extends Path, M extends Method> = Lowercase<M> extends keyof Described[P]
  ? Described[P][Lowercase<M>]
  : never;

type Operations<O> = O extends { [verb: string]: unknown } ? O[keyof O] : never;

/** Parameters are checked by name; all are text in an address, and what is not known is left out. */
type Filling<O, Place extends "path" | "query"> = {
  [Name in Exclude<Names<Operations<O>, Place>, "api-version">]: string | number | (Place extends "query" ? null : never);
};

type Names<O, Place extends "path" | "query"> = O extends { parameters: { [Of in Place]?: infer Of } }
  ? Keys<NonNullable<Of>>
  : never;

type Keys<T> = [T] extends [never] ? never : keyof T & string;

type Content<R> = R extends { content: { "application/json": infer V } } ? V : R extends { content: { "text/csv": unknown } } ? Blob : null;

type Read<T> = { parameters: {}; responses: { 200: { content: { "application/json": T } } } };

/** What the page shows of a description. */
export interface OpenApi {
  paths: Record<string, Record<string, { operationId?: string; summary?: string; description?: string }>>;
}

declare const path: unique symbol;
