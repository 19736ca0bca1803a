// A file that only grows, by whole texts: what does not fit on the disk leaves nothing of itself in their midst.
"use strict";
const fs = require("fs");

class AppendFile {
  #file;
  #torn = false;

  constructor(path) {
    this.#file = fs.openSync(path, "a");
    this.size = fs.fstatSync(this.#file).size;
  }

  // Throws when not all of it could be written; what there is of it then goes before the next text comes.
  append(text) {
    const bytes = Buffer.from(text);
    if (this.#torn) fs.ftruncateSync(this.#file, this.size);
    this.#torn = true;
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(this.#file, bytes, at);
    this.#torn = false;
    this.size += bytes.length;
  }

  close() {
    fs.closeSync(this.#file);
  }
}

module.exports = { AppendFile };
