/** The page's one open request: long-polled, ever slower when nothing holds it, backing off when nobody answers. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { now as serversNow } from "../../web/js/core/format.js";
import { Live } from "../../web/js/core/live.js";
import { freshDocument } from "./document.js";
import { fakeServer, json, settled, unchanged } from "./server.js";

const NOW = "2026-11-24T12:00:00Z";
let asked, told, live, reloads, listeners;

beforeEach(() => {
  freshDocument();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.parse(NOW) });
  mock.method(Math, "random", () => 0.5); // the backoff is spread around what it is then
  mock.method(performance, "now", () => Date.now());
  asked = fakeServer();
  told = 0;
  reloads = 0;
  listeners = {};
  globalThis.addEventListener = (type, listener) => {
    listeners[type] = listener;
  };
  globalThis.location = { reload: () => (reloads += 1) };
  live = new Live(() => (told += 1));
});

afterEach(() => mock.restoreAll());

/** After so many seconds, with all that this sets off. */
async function after(seconds) {
  mock.timers.tick(1000 * seconds);
  await settled();
}

async function answered(answer, seconds = 0) {
  mock.timers.tick(1000 * seconds);
  asked.at(-1).answer(answer);
  await settled();
}

const status = (tag, body = {}) => json({ asOf: NOW, ...body }, { ETag: tag });

async function running() {
  live.run();
  await answered(status('"1"', { paused: false }));
}

async function lost() {
  await running();
  await after(0.5);
  await refused();
}

async function refused(answer = json({ detail: "Restarting." }, {}, 503)) {
  asked.at(-1).answer(answer);
  await settled();
}

describe("while the app answers", () => {
  it("asks at once, and then waits for a change of what it knows", async () => {
    await running();
    assert.deepEqual([live.state, live.status.paused, told], ["live", false, 1]);
    assert.equal(asked[0].query.get("wait"), null);
    await after(0.4);
    assert.equal(asked.length, 1);
    await after(0.1);
    assert.equal(asked.length, 2);
    assert.equal(asked[1].query.get("wait"), "50");
    assert.equal(asked[1].options.headers["If-None-Match"], '"1"');
    await answered(status('"2"', { paused: true }), 30);
    assert.deepEqual([live.status.paused, told], [true, 2]);
  });

  it("that nothing has changed is told to nobody", async () => {
    await running();
    await after(0.5);
    await answered(unchanged(), 50);
    assert.equal(told, 1);
    await after(0.5);
    assert.equal(asked.length, 3);
  });

  it("an app that does not hold its answers back is asked ever less often", async () => {
    await running();
    await after(0.5);
    for (const pause of [1, 2, 3, 4, 5, 5]) {
      await answered(unchanged());
      const before = asked.length;
      await after(pause - 0.1);
      assert.equal(asked.length, before, `not before ${pause} s`);
      await after(0.1);
      assert.equal(asked.length, before + 1, `after ${pause} s`);
    }
  });

  it("the server's clock is the page's", async () => {
    live.run();
    await answered(status('"1"', { asOf: "2026-11-24T13:00:00Z" }));
    assert.equal(serversNow(), Date.parse("2026-11-24T13:00:00Z"));
  });

  it("a shorter pause that the app names is taken", async () => {
    await running();
    await after(0.5);
    await answered(unchanged({ "Retry-After": "1" }));
    await after(1);
    await answered(unchanged({ "Retry-After": "1" }));
    await after(1);
    assert.equal(asked.length, 4);
  });
});

describe("when nobody answers", () => {
  it("it is told, and tried again after 1, 2, 4 seconds and so on, never later than a minute", async () => {
    await lost();
    assert.deepEqual([live.state, live.error.message, told], ["lost", "Restarting.", 2]);
    for (const pause of [1, 2, 4, 8, 16, 32, 60, 60]) {
      assert.equal(live.retryAt, Date.now() + 1000 * pause);
      const before = asked.length;
      await after(pause - 0.1);
      assert.equal(asked.length, before);
      await after(0.1);
      assert.equal(asked.length, before + 1);
      await refused();
    }
  });

  it("it is not tried sooner than the app asked for", async () => {
    await running();
    await after(0.5);
    await refused(json({}, { "Retry-After": "20" }, 429));
    assert.equal(live.retryAt, Date.now() + 20_000);
  });

  it("it comes back with what it missed, without waiting for a change", async () => {
    await lost();
    await after(1);
    assert.equal(asked.at(-1).query.get("wait"), null);
    await answered(unchanged());
    assert.deepEqual([live.state, live.retryAt, told], ["live", null, 3]);
  });

  it("it is tried at once when somebody asks for it or the device is online again", async () => {
    await lost();
    live.hurry();
    await settled();
    assert.equal(asked.length, 3);
    await refused();
    listeners.online();
    await settled();
    assert.equal(asked.length, 4);
  });

  it("it is not waited for any longer when somebody asks for it while a try is open", async () => {
    await lost();
    await after(1);
    live.hurry();
    assert.equal(asked[2].options.signal.aborted, true);
    await settled();
    await after(0.5);
    assert.equal(asked.length, 4);
  });

  it("the next failure begins with a short pause again", async () => {
    await lost();
    await after(1);
    await refused();
    await after(2);
    await answered(status('"2"'));
    await after(0.5);
    await refused();
    assert.equal(live.retryAt, Date.now() + 1000);
  });

  it("an offline device is told at once", async () => {
    await running();
    listeners.offline();
    assert.deepEqual([live.state, live.error.message], ["lost", "This device is offline."]);
  });

  it("a session that is over leads to the sign-in page", async () => {
    await running();
    await after(0.5);
    await refused(json({}, {}, 401));
    assert.deepEqual([reloads, live.state], [1, "live"]);
  });
});

describe("a hidden window", () => {
  it("asks nothing, and everything when it is seen again", async () => {
    await running();
    document.hidden = true;
    document.send("visibilitychange");
    await after(30);
    assert.equal(asked.length, 1);
    document.hidden = false;
    document.send("visibilitychange");
    await settled();
    assert.equal(asked.length, 2);
  });

  it("lets go of the request it has open", async () => {
    await running();
    await after(0.5);
    document.hidden = true;
    document.send("visibilitychange");
    await settled();
    assert.equal(asked[1].options.signal.aborted, true);
    assert.equal(live.state, "live");
  });
});

describe("the feeds of a view", () => {
  class Fake {
    asked = 0;
    constructor(news, wanted = () => true) {
      this.news = news;
      this.wanted = wanted;
    }

    async refresh() {
      if (!this.wanted()) return false;
      this.asked += 1;
      return this.news;
    }
  }

  it("are asked at once, at each change, and every 15 seconds", async () => {
    const feed = new Fake(false);
    await live.watch([feed]);
    assert.equal(feed.asked, 1);
    await running();
    assert.equal(feed.asked, 2);
    await after(14);
    assert.equal(feed.asked, 2);
    await after(1);
    assert.equal(feed.asked, 3);
  });

  it("tell when they have news", async () => {
    await live.watch([new Fake(true), new Fake(false)]);
    assert.equal(told, 1);
  });

  it("are asked too when another's answer made them worth asking", async () => {
    const first = new Fake(true);
    const second = new Fake(true, () => first.asked > 0);
    await live.watch([second, first]);
    assert.deepEqual([first.asked, second.asked], [1, 1]);
  });
});
