// Starts Azurite with two changes: an access log of bounded files that says what Event Grid needs to know of each
// write; and an end, for Azurite never outlives its supervisor.
//
//   node azurite.js MAIN LOG BYTES KEPT -- azurite's own options (with --silent: the log is written here)
//
// The log is written here, synchronously, rather than through a pipe to the supervisor: a killed supervisor
// must not take finished requests with it, for the event pump reads them from the log.
"use strict";
const fs = require("fs");
const http = require("http");
const { randomUUID } = require("crypto");

const [main, log, bytes, kept] = process.argv.slice(2, 6);
process.argv = [process.argv[0], main, ...process.argv.slice(7)];

let file = -1;
let size = 0;

// Every file opens with a line of its own name, by which a reader finds its place again after a rotation.
function open() {
  file = fs.openSync(log, "a");
  size = fs.fstatSync(file).size;
  if (size === 0) append(`# access log ${randomUUID()}\n`);
  else if (!endsWithNewline()) append("\n"); // a killed Azurite left half a line
}

function endsWithNewline() {
  const last = Buffer.alloc(1);
  const reading = fs.openSync(log, "r");
  fs.readSync(reading, last, 0, 1, size - 1);
  fs.closeSync(reading);
  return last.toString() === "\n";
}

function append(text) {
  size += fs.writeSync(file, text);
}

function rotate() {
  fs.closeSync(file);
  try {
    for (let n = Number(kept) - 1; n >= 1; n--) {
      if (fs.existsSync(`${log}.${n}`)) fs.renameSync(`${log}.${n}`, `${log}.${n + 1}`);
    }
    fs.renameSync(log, `${log}.1`);
  } catch (problem) {
    // Windows refuses to rename what a reader has open this instant: the next line tries again.
    if (problem.code !== "EPERM" && problem.code !== "EBUSY") throw problem;
  }
  open();
}

function write(text) {
  append(text);
  if (size >= Number(bytes)) rotate();
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// A SAS token opens what it is for to whoever reads it: its signature is not written. What it is for, and till when, is.
function withoutSignature(url) {
  const [path, query] = url.split(/\?(.*)/s);
  if (query === undefined) return url;
  const kept = query.split("&").map((pair) => (nameOf(pair) === "sig" ? "sig=REDACTED" : pair));
  return `${path}?${kept.join("&")}`;
}

function nameOf(pair) {
  const name = pair.split("=", 1)[0];
  try {
    return decodeURIComponent(name.replaceAll("+", " ")).toLowerCase();
  } catch {
    return name.toLowerCase(); // no percent-encoding: no name that Azurite knows
  }
}

// The common log format; behind it, for a request that may have written or deleted a blob, what it was as JSON.
function line(request, response, url) {
  const now = new Date();
  const iso = now.toISOString();
  const day = `${iso.slice(8, 10)}/${MONTHS[now.getUTCMonth()]}/${iso.slice(0, 4)}`;
  const stamp = `${day}:${iso.slice(11, 19)} +0000`;
  const length = response.getHeader("content-length") ?? "-";
  const told = `127.0.0.1 - - [${stamp}] "${request.method} ${url} HTTP/1.1" ${response.statusCode} ${length}`;
  const wrote = ["PUT", "DELETE"].includes(request.method) && [201, 202].includes(response.statusCode);
  return wrote ? `${told} ${JSON.stringify(facts(request.headers, response, iso))}\n` : `${told}\n`;
}

function facts(headers, response, time) {
  return {
    time,
    requestId: response.getHeader("x-ms-request-id"),
    clientRequestId: headers["x-ms-client-request-id"],
    eTag: response.getHeader("etag"),
    blobType: headers["x-ms-blob-type"],
    contentType: headers["x-ms-blob-content-type"] ?? headers["content-type"],
    contentLength: Number(headers["x-ms-blob-content-length"] ?? headers["content-length"] ?? 0),
  };
}

// A caller that hung up before the answer has its effect all the same: the line then comes with the answer.
function note(request, response) {
  const url = withoutSignature(request.url);
  response.once("close", () => {
    if (response.headersSent) return write(line(request, response, url));
    const send = response.writeHead;
    response.writeHead = (...given) => {
      const sent = send.apply(response, given);
      write(line(request, response, url));
      return sent;
    };
  });
}

const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, ...given) {
  if (event === "request") note(...given);
  return emit.call(this, event, ...given);
};

// What Azurite itself says (where it listens) is of no use here: the supervisor asks the ports.
process.stdout.write = (chunk, encoding, callback) => {
  const done = typeof encoding === "function" ? encoding : callback;
  if (done) process.nextTick(done);
  return true;
};

// The supervisor holds the other end of stdin: it closes when the supervisor ends, however it ends.
process.stdin.on("end", () => process.emit("SIGTERM")).resume();

open();
require(main);
