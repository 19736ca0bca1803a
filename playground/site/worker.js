/** The browser's Python with the flow in it: answers {id, do, ...} with {id, told} or {id, problem}, and says how far it is. */

import { loadPyodide } from "./pyodide/pyodide.mjs";

const PLACE = "/campanha";

/** For the stand-in of greenlet: a gate to wait at, and the beginning of one that will wait. */
const gates = {
  gate() {
    let open;
    const opened = new Promise((resolve) => {
      open = resolve;
    });
    return { opened, open };
  },
  begin(run) {
    // Not on the caller's stack: that one is set aside first.
    Promise.resolve()
      .then(() => run.callPromising())
      .finally(() => run.destroy());
  },
};

const says = (stage) => postMessage({ stage });

async function bytes(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} is not there (${answer.status})`);
  return answer.arrayBuffer();
}

async function begun(bug) {
  says("Loading Python");
  const archive = bytes("./python/campanha.zip");
  const python = await loadPyodide({ indexURL: new URL("./pyodide/", self.location).href });
  says("Unpacking the flow");
  python.registerJsModule("campanha_gates", gates);
  python.FS.mkdirTree(PLACE);
  python.unpackArchive(await archive, "zip", { extractDir: PLACE });
  python.pyimport("sys").path.insert(0, PLACE);
  says("Importing the flow");
  const here = python.pyimport("in_browser");
  if (bug) here.plant(JSON.stringify(bug));
  here.begin();
  return here;
}

let here;
const known = new Set();
let search;

async function knows(scenario) {
  if (known.has(scenario)) return;
  here.beginning(scenario, await bytes(`./beginnings/${scenario}.pickle`));
  known.add(scenario);
}

const does = {
  async begin({ bug }) {
    here = await begun(bug);
    return null;
  },
  async trace({ replay }) {
    await knows(replay.split(":")[0]);
    return JSON.parse(await here.traced.callPromising(replay));
  },
  async search({ scenario, anew, seconds }) {
    await knows(scenario);
    if (anew || !search) search = await here.Search.callPromising(scenario);
    return JSON.parse(await search.goes_on.callPromising(seconds));
  },
};

// One after the other: there is one Python.
let turn = Promise.resolve();
onmessage = ({ data }) => {
  turn = turn.then(async () => {
    try {
      postMessage({ id: data.id, told: await does[data.do](data) });
    } catch (problem) {
      postMessage({ id: data.id, problem: String(problem.message ?? problem) });
    }
  });
};
