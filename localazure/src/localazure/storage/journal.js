// A write-ahead journal for Azurite's databases: what was answered is in a file, whatever becomes of the process.
//
// Azurite keeps its index (of blobs, blocks, messages, rows) in LokiJS, which writes all of it to disk every five
// seconds: a killed process took with it what it had answered meanwhile. Here each change is a text as well, and
// `flush` appends what came up since the last one to the database's journal, as one line: before any answer goes out.
// The whole index, a snapshot, is written when the journal has outgrown it, so a write costs the same however much
// there is. A start reads the snapshot and does what the journals after it say.
//
// The line is in the system's hands, not yet on the medium (no fsync): it outlives this process, not a power cut.
"use strict";
const fs = require("fs");
const path = require("path");
const { AppendFile } = require("./append_file.js");

// What LokiJS calls a persistence adapter, for one database. Its journals are FILE.journal.1, .2, and so on: a snapshot
// begins a new one, and when it is on disk those before are gone. A journal that is there beside a newer snapshot does
// no harm: its changes say what each document is, not what became of it.
class Journal {
  #database;
  #least;
  #pending = [];
  #file = null;
  #number = 1;
  #bytes = 0; // of all journals since the snapshot
  #snapshot = 0; // bytes

  // least: bytes; a smaller journal is not worth a snapshot
  constructor(database, least) {
    this.#database = database;
    this.#least = least;
    this.path = database.filename;
  }

  get outgrown() {
    return this.#bytes > Math.max(this.#least, this.#snapshot);
  }

  // Throws when it cannot be written; it waits then for the next try.
  flush() {
    if (this.#pending.length === 0) return;
    this.#file ??= new AppendFile(this.#numbered(this.#number));
    const before = this.#file.size;
    this.#file.append(`[${this.#pending.join(",")}]\n`);
    this.#bytes += this.#file.size - before;
    this.#pending = [];
  }

  watch(collection) {
    const { name } = collection;
    this.#note("create", JSON.parse(JSON.stringify(collection, this.#database.serializeReplacer)));
    collection.on("insert", (made) => [made].flat().forEach((document) => this.#note("put", name, document)));
    collection.on("update", (document) => this.#note("put", name, document));
    collection.on("delete", (document) => this.#note("remove", name, document.$loki));
  }

  dropped(name) {
    this.#note("drop", name);
  }

  loadDatabase(file, done) {
    let database;
    try {
      const text = fs.readFileSync(file, "utf8");
      this.#snapshot = text.length;
      database = this.#replayed(JSON.parse(text));
    } catch (problem) {
      return done(problem);
    }
    done(database);
    this.#pending = []; // the collections that were just made are those of the file
    for (const collection of this.#database.collections) collection.ensureAllIndexes(true);
  }

  saveDatabase(file, text, done) {
    try {
      this.flush();
    } catch (problem) {
      return done(problem);
    }
    this.#file?.close();
    this.#file = null;
    const covered = this.#journals();
    const journaled = this.#bytes;
    this.#number = Math.max(0, ...covered) + 1;
    const unfinished = `${file}~`;
    fs.writeFile(unfinished, text, { flush: true }, (problem) => {
      if (problem) return fs.rm(unfinished, { force: true }, () => done(problem));
      fs.rename(unfinished, file, (problem) => {
        if (problem) return done(problem);
        this.#snapshot = text.length;
        this.#bytes -= journaled;
        for (const number of covered) fs.rmSync(this.#numbered(number), { force: true });
        done();
      });
    });
  }

  #note(...change) {
    this.#pending.push(JSON.stringify(change));
  }

  #numbered(number) {
    return `${this.path}.journal.${number}`;
  }

  #journals() {
    const begin = `${path.basename(this.path)}.journal.`;
    const names = fs.readdirSync(path.dirname(this.path)).filter((name) => name.startsWith(begin));
    return names.map((name) => Number(name.slice(begin.length))).sort((one, other) => one - other);
  }

  #replayed(database) {
    const collections = new Map((database.collections ?? []).map((collection) => [collection.name, opened(collection)]));
    for (const number of this.#journals()) {
      this.#number = number + 1;
      for (const line of this.#lines(this.#numbered(number))) {
        for (const [change, ...given] of line) CHANGES[change](collections, ...given);
      }
    }
    return { ...database, collections: [...collections.values()].map(closed) };
  }

  *#lines(file) {
    const text = fs.readFileSync(file, "utf8");
    this.#bytes += text.length;
    const lines = text.split("\n");
    lines.pop(); // empty; or what a killed process had not finished, and so had not answered
    for (const [index, line] of lines.entries()) {
      try {
        yield JSON.parse(line);
      } catch (problem) {
        throw new Error(`${file}, line ${index + 1} cannot be read: ${problem.message}`, { cause: problem });
      }
    }
  }
}

// What a journal says has become of a database. A change of a collection that a later snapshot no longer has is void.
const CHANGES = {
  create: (collections, collection) => collections.set(collection.name, opened(collection)),
  drop: (collections, name) => collections.delete(name),
  put: (collections, name, document) => collections.get(name)?.documents.set(document.$loki, document),
  remove: (collections, name, id) => collections.get(name)?.documents.delete(id),
};

function opened(collection) {
  return { collection, documents: new Map(collection.data.map((document) => [document.$loki, document])) };
}

// LokiJS looks documents up by halving, so they stand in the order of their numbers; no number is given twice.
function closed({ collection, documents }) {
  const data = [...documents.values()].sort((one, other) => one.$loki - other.$loki);
  return { ...collection, data, maxId: Math.max(collection.maxId, data.at(-1)?.$loki ?? 0) };
}

const journals = [];

// From now on every database of LokiJS that is kept in a file has a journal; least: see `Journal`.
function keepJournals(Loki, least) {
  const { configureOptions, addCollection, removeCollection } = Loki.prototype;
  Loki.prototype.configureOptions = function (options, ...rest) {
    if (options?.persistenceMethod !== "fs") return configureOptions.call(this, options, ...rest);
    const journal = new Journal(this, least);
    configureOptions.call(this, { ...options, adapter: journal }, ...rest);
    this.autosaveDirty = () => journal.outgrown;
    this.addCollection = function (name, ...given) {
      const known = this.getCollection(name);
      const collection = addCollection.call(this, name, ...given);
      if (!known) journal.watch(collection);
      return collection;
    };
    this.removeCollection = function (name) {
      removeCollection.call(this, name);
      journal.dropped(name);
    };
    journals.push(journal);
    // What says where bytes lie is written before what refers to it: a death in between leaves bytes nobody refers to.
    journals.sort((one, other) => other.path.includes("_extent_") - one.path.includes("_extent_"));
  };
}

// Writes what the databases have come to be; throws when the disk does not take it, and then all of it waits.
function flush() {
  for (const journal of journals) journal.flush();
}

module.exports = { keepJournals, flush };
