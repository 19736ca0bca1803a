/** Values as people read them; run with the locale en-GB in Lisbon, so that the words are known. */

import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";
import * as format from "../../web/js/core/format.js";
import { freshDocument } from "./document.js";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const before = (seconds) => new Date(NOW - 1000 * seconds).toISOString();

beforeEach(() => {
  freshDocument();
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date"], now: NOW });
  format.serverSaidNow(new Date(NOW).toISOString());
});

/** Each [argument, text] of a function of one value. */
function reads(name, cases) {
  for (const [value, text] of cases) {
    it(`${name}(${JSON.stringify(value)}) is "${text}"`, () => assert.equal(format[name](value), text));
  }
}

describe("numbers", () => {
  reads("number", [[0, "0"], [1234567.4, "1,234,567"], [-5, "-5"], [null, ""], [undefined, ""], [NaN, ""]]); // prettier-ignore
  reads("compact", [[9999, "9,999"], [-9999, "-9,999"], [null, ""]]); // prettier-ignore
  reads("size", [[0, "0 B"], [999, "999 B"], [1000, "1.0 kB"], [12_345, "12.3 kB"], [123_456, "123 kB"],
    [29_360_128, "29.4 MB"], [2.5e15, "2,500 TB"], [null, ""]]); // prettier-ignore
  reads("milliseconds", [[0.25, "0.3 ms"], [9.94, "9.9 ms"], [10.4, "10 ms"], [999, "999 ms"], [1000, "1.0 s"], [null, ""]]); // prettier-ignore
  reads("percent", [[0, "0 %"], [0.625, "63 %"], [1, "100 %"], [null, ""]]); // prettier-ignore

  it("are compact from ten thousand on, with the letter that the language's data have", () => {
    assert.match(format.compact(10_000), /^10k$/i);
    assert.match(format.compact(1_250_000), /^1\.3m$/i);
    assert.match(format.compact(-20_000), /^-20k$/i);
  });

  it("has as many digits as asked for", () => {
    assert.equal(format.digits(1234.5, 2), "1,234.50");
    assert.equal(format.digits(1234.5, 0), "1,235");
    assert.equal(format.digits(-0.0004, 3), "0.000");
    assert.equal(format.digits(-0.4, 1), "-0.4");
    assert.equal(format.percent(0.0625, 1), "6.3 %");
  });

  it("tells a sign, with a minus as wide as the plus", () => {
    assert.equal(format.signed(0.0116, 4), "+0.0116");
    assert.equal(format.signed(-0.0116, 4), "−0.0116");
    assert.equal(format.signed(0, 2), "0.00");
    assert.equal(format.signed(null, 2), "");
  });

  it("tells one from several", () => {
    assert.equal(format.plural(1, "row"), "1 row");
    assert.equal(format.plural(0, "row"), "0 rows");
    assert.equal(format.plural(1200, "batch", "batches"), "1,200 batches");
  });

  it("is exact on hover where it is shown short", () => {
    const made = format.shown(0.28171, "0.28");
    assert.equal(made.textContent, "0.28");
    assert.equal(made.getAttribute("title"), "0.28171");
    assert.equal(format.shown(null, "").hasAttribute("title"), false);
  });
});

describe("times", () => {
  reads("duration", [[0, "0.0 s"], [-3, "0.0 s"], [4.24, "4.2 s"], [42, "42 s"], [60, "1 min"], [200, "3 min 20 s"],
    [3600, "1 h"], [7500, "2 h 5 min"], [273_600, "3 d 4 h"], [null, ""]]); // prettier-ignore

  for (const [seconds, words] of [
    [0, "just now"], [9.9, "just now"], [-9, "just now"], [42, "42 seconds ago"], [60, "1 minute ago"],
    [7500, "2 hours ago"], [86_400, "yesterday"], [273_600, "3 days ago"], [-7200, "in 2 hours"],
    [-3660, "in 1 hour"], [-90_000, "tomorrow"], [-42.5, "in 42 seconds"],
  ]) {
    it(`${seconds} seconds ago is "${words}"`, () => assert.equal(format.agoWords(before(seconds)), words));
  }

  it("what is no time is told as it is", () => assert.equal(format.agoWords("soon"), "soon"));

  it("nothing is nothing", () => {
    assert.equal(format.ago(""), "");
    assert.equal(format.clock(null), "");
  });

  it("the clock shows the hour of today, and the day before that", () => {
    assert.equal(format.clock(before(3600)).textContent, "11:00");
    assert.equal(format.clock(before(86_400)).textContent, "23 Nov");
  });

  it("is exact on hover and for machines", () => {
    const made = format.ago("2026-11-24T11:57:00Z");
    assert.equal(made.getAttribute("datetime"), "2026-11-24T11:57:00Z");
    assert.match(made.getAttribute("title"), /^Tuesday.* 24 November 2026.* 11:57:00 \(2026-11-24T11:57:00Z\)$/);
    assert.equal(format.moment("2026-11-24T11:57:00Z").textContent, "24 Nov 2026, 11:57:00");
    assert.equal(format.seconds("2026-11-24T11:57:00Z", "2026-11-24T11:58:30Z"), 90);
  });

  it("goes by the server's clock when the viewer's is wrong, and by the viewer's when it is right", () => {
    format.serverSaidNow(before(-3600));
    assert.equal(format.now(), NOW + 3_600_000);
    assert.equal(format.agoWords(before(0)), "1 hour ago");
    format.serverSaidNow(before(4));
    assert.equal(format.now(), NOW);
    format.serverSaidNow("not a time");
    assert.equal(format.now(), NOW);
  });

  it("goes on counting on the page, and writes only what is another", () => {
    document.body.append(format.ago(before(50)), format.ago(before(600)), format.clock(before(50)));
    const [first, second, third] = document.body.childNodes;
    const kept = second.firstChild;
    mock.timers.tick(11_000);
    format.tickTimes();
    assert.equal(first.textContent, "1 minute ago");
    assert.equal(second.firstChild, kept);
    assert.equal(third.textContent, "11:59");
  });
});

describe("words", () => {
  reads("words", [["release_model", "Release model"], ["NotStarted", "Not started"], ["rolled-back", "Rolled back"], ["", ""]]); // prettier-ignore
});
