// Starts Azurite with two additions: its access log goes to bounded files, and it never outlives its supervisor.
//
//   node azurite.js MAIN LOG BYTES KEPT -- azurite's own options
//
// The log is written here, synchronously, rather than through a pipe to the supervisor: a killed supervisor
// must not take finished requests with it, for the event pump reads them from the log.
"use strict";
const fs = require("fs");
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

process.stdout.write = (chunk, encoding, callback) => {
  append(chunk);
  if (size >= Number(bytes)) rotate();
  const done = typeof encoding === "function" ? encoding : callback;
  if (done) process.nextTick(done);
  return true;
};

// The supervisor holds the other end of stdin: it closes when the supervisor ends, however it ends.
process.stdin.on("end", () => process.emit("SIGTERM")).resume();

open();
require(main);
