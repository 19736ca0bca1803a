// Starts Azurite with three changes: no answer goes out before what it rests on is written (journal.js); an access log
// of bounded files says what Event Grid needs to know of each write; and Azurite never outlives its supervisor.
//
//   node azurite.js MAIN LOG BYTES KEPT JOURNAL -- azurite's own options (with --silent: the log is written here)
//
// The log is written here, synchronously, rather than through a pipe to the supervisor: a killed supervisor
// must not take finished requests with it, for the event pump reads them from the log.
"use strict";
const fs = require("fs");
const http = require("http");
const { randomUUID } = require("crypto");
const { createRequire } = require("module");
const { AppendFile } = require("./append_file.js");
const journal = require("./journal.js");

const [main, log, bytes, kept, journalBytes] = process.argv.slice(2, 7);
process.argv = [process.argv[0], main, ...process.argv.slice(8)];

let file = null;
let unwritten = "";

// Every file opens with a line of its own name, by which a reader finds its place again after a rotation.
function open() {
  file = new AppendFile(log);
  if (file.size === 0) unwritten = `# access log ${randomUUID()}\n${unwritten}`;
  else if (!endsWithNewline()) unwritten = `\n${unwritten}`; // a killed Azurite left half a line
}

function endsWithNewline() {
  const last = Buffer.alloc(1);
  const reading = fs.openSync(log, "r");
  fs.readSync(reading, last, 0, 1, file.size - 1);
  fs.closeSync(reading);
  return last.toString() === "\n";
}

// Throws when the disk does not take it; it waits then for the next try.
function flush() {
  if (!file) open();
  if (!unwritten) return;
  file.append(unwritten);
  unwritten = "";
  if (file.size >= Number(bytes)) rotate();
}

function rotate() {
  file.close();
  file = null;
  try {
    for (let n = Number(kept) - 1; n >= 1; n--) {
      if (fs.existsSync(`${log}.${n}`)) fs.renameSync(`${log}.${n}`, `${log}.${n + 1}`);
    }
    fs.renameSync(log, `${log}.1`);
  } catch (problem) {
    // Windows refuses to rename what a reader has open this instant: the next line tries again.
    if (problem.code !== "EPERM" && problem.code !== "EBUSY") throw problem;
  }
  flush();
}

function write(text) {
  unwritten += text;
  try {
    flush();
  } catch {
    // until it can be written, no request is taken on (see `refused`)
  }
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

// What was answered is there ever after. So an answer waits until all that its request changed, and all that it has
// seen, is in the journals; where the disk takes no more, it is that no answer.
function answerOnceWritten(response) {
  const { writeHead, write, end } = response;
  let refused = false;
  const written = () => {
    if (refused || response.headersSent) return !refused;
    try {
      journal.flush();
    } catch (problem) {
      refused = true;
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      refuse({ writeHead: writeHead.bind(response), end: end.bind(response) }, problem);
    }
    return !refused;
  };
  response.writeHead = (...given) => (written() ? writeHead.apply(response, given) : response);
  response.write = (...given) => (written() ? write.apply(response, given) : true);
  response.end = (...given) => (written() ? end.apply(response, given) : response);
}

// Every client of storage tries again after a 503: what it asked for may be done already, as after any lost answer.
function refuse(response, problem) {
  const message = `The disk under the storage takes no more, so nothing is acknowledged: ${problem.message}`;
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>${message}</Message></Error>`;
  const headers = { "content-type": "application/xml", "x-ms-error-code": "ServerBusy", connection: "close" };
  response.writeHead(503, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

// While something waits for room on the disk, nothing is begun that would have to wait as well.
function refused(response) {
  try {
    flush();
    journal.flush();
    return false;
  } catch (problem) {
    refuse(response, problem);
    return true;
  }
}

const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, ...given) {
  if (event === "request") {
    const [request, response] = given;
    if (refused(response)) return true;
    answerOnceWritten(response);
    note(request, response);
  }
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

flush();
journal.keepJournals(createRequire(main)("lokijs"), Number(journalBytes));
require(main);
