/** Draws what is: lights, the step, the world and the flow. Text goes in as text, never as markup. */

export const by = (id) => document.getElementById(id);

/** An element with what it holds. given: class, text, or any property; kids: elements */
export function make(tag, given = {}, ...kids) {
  const { className = "", text, attributes = {}, ...rest } = given;
  const made = Object.assign(document.createElement(tag), rest);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...kids);
  return made;
}

const PROMISES = {
  "I1 rows in": "every row in, or in quarantine",
  "I2 rows out": "every row scored once",
  "I3 one submission": "submitted once",
  "I4 only forward": "records only go forward",
  "I5 traffic on the accepted": "traffic on accepted models",
  "I6 every move is told": "every move is told",
  "I7 everything ends": "everything ends",
  "I8 again, nothing": "told again, nothing changes",
  "I9 nothing of a row in a log": "no row in a log",
  "nothing unforeseen": "nothing unforeseen",
  outcome: "as if nothing had happened",
};

const PLACES = Object.keys(PROMISES);
/** In the order above; what has no words here comes last, as the oracle names it. */
const placeOf = ({ name }) => (PLACES.includes(name) ? PLACES.indexOf(name) : PLACES.length);
const byPlace = (one, other) => placeOf(one) - placeOf(other);

export function drawLights(trace) {
  const bad = trace.lights.filter((light) => light.violations.length);
  by("lights").replaceChildren(
    ...trace.lights.toSorted(byPlace).map(({ name }) => {
      const says = PROMISES[name] ?? name;
      const broken = bad.some((light) => light.name === name);
      const number = name in PROMISES ? /^I\d+/.exec(name)?.[0] : undefined;
      const words = make("span", {}, number ?? "", make("span", { className: number ? "more" : "", text: number ? ` ${says}` : says }));
      words.append(make("span", { className: "visually-hidden", text: broken ? ": broken" : ": holds" }));
      return make("li", { className: broken ? "bad" : "" }, words);
    }),
  );
  by("verdict").className = bad.length ? "verdict bad" : "verdict";
  by("verdict").textContent = bad.length
    ? `${bad.length === 1 ? "One is" : `${bad.length} are`} broken in this run.`
    : `All of it holds: ${lasting(trace)}.`;
  by("broken").replaceChildren(
    ...bad.flatMap((light) => light.violations.slice(0, 2).map((says) => make("li", { text: `${light.name}: ${says}` }))),
  );
}

/** How long it took until nothing was due any more. */
function lasting({ steps }) {
  const seconds = (steps.at(-1).clock - steps[0].clock) / 1000;
  const time = seconds < 1 ? "less than a second" : seconds < 100 ? `${seconds.toFixed(0)} s` : seconds < 7200 ? `${(seconds / 60).toFixed(0)} minutes` : `${(seconds / 3600).toFixed(0)} hours`;
  const chosen = steps.some((step) => step.chosen);
  return chosen ? `it was all well again after ${time} of its clock, ${steps.length} choice points` : `${steps.length} choice points, ${time} of its clock`;
}

/** Days are left out: a part of the flow takes minutes, or hours where something is late. */
export function clockOf(milliseconds) {
  const seconds = milliseconds / 1000;
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  return `${two(8 + seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}.${String(milliseconds % 1000).padStart(3, "0")}`;
}

const LONG = 150;

export function drawStrip(trace, chosen) {
  by("strip").classList.toggle("long", trace.steps.length > LONG);
  by("strip").replaceChildren(
    ...trace.steps.map((step) => {
      const kind = chosen.has(step.at)
        ? "chosen"
        : step.point.endsWith(": delivery")
          ? "arrives"
          : Object.keys(step.changes).length
            ? "changes"
            : "";
      return make("i", { className: kind });
    }),
  );
}

const DEADLY = /died/;

/** choose(option): asked when a way to go is clicked; 0 is the plain one. */
export function drawStep(trace, number, can, choose) {
  const step = trace.steps[number];
  [...by("strip").children].forEach((cell, at) => cell.classList.toggle("here", at === number));
  by("at").value = number;
  if (!step) {
    by("says").textContent = "Nothing is due any more: the run is over.";
    by("point").textContent = "";
    by("count").textContent = `${trace.steps.length} choice points`;
    by("at").setAttribute("aria-valuetext", "the end");
    by("options").replaceChildren();
    return;
  }
  by("clock").textContent = clockOf(step.clock);
  by("says").textContent = step.says;
  by("point").textContent = step.point;
  by("count").textContent = `Choice point ${step.at} of ${trace.steps.length}`;
  by("at").setAttribute("aria-valuetext", `${step.at}: ${step.says}`);
  const ways = trace.options[step.point].map((name, at) => {
    const pressed = step.chosen === at + 1;
    return make("button", {
      type: "button",
      text: name,
      disabled: !can,
      className: DEADLY.test(name) ? "deadly" : "",
      attributes: { "aria-pressed": String(pressed) },
      onclick: () => choose(pressed ? 0 : at + 1),
    });
  });
  const heading = step.instance === null ? "What if it was …" : "What if, here, it …";
  by("options").replaceChildren(...(ways.length ? [make("p", { text: heading }), ...ways] : []));
}

export function drawChanged(trace, { go, undo }) {
  const chosen = trace.steps.map((step, number) => ({ step, number })).filter(({ step }) => step.chosen);
  by("changed").replaceChildren(
    ...(chosen.length
      ? chosen.map(({ step, number }) => {
          const name = trace.options[step.point][step.chosen - 1];
          const says = `${step.at}. ${step.says}: ${name}`;
          return make(
            "li",
            {},
            make("button", { type: "button", className: "goes", text: says, onclick: () => go(number) }),
            make("button", {
              type: "button",
              text: "Undo",
              attributes: { "aria-label": `Undo ${says}` },
              onclick: () => undo(step.at),
            }),
          );
        })
      : [make("li", { text: "Nothing yet: everything goes the plain way. Choose a step, and what happens there." })]),
  );
}

const LISTED = [
  ["messages", "Messages that wait", (name, one) => [one.fact || "one that nobody can read", one.deliveries ? `${one.queue}, ${one.deliveries + 1}. time` : one.queue]],
  ["facts", "Facts that are due", (name, one) => [one.fact, one.givenUp ? "given up" : "open"]],
  ["leases", "Leases", (name, one) => [name, one.attempt > 1 ? `${one.attempt}. attempt` : "held"]],
  ["records", "Records", (name, state) => [name.replace("upload upload/", "upload "), state]],
  ["submissions", "Submissions", (name, state) => [name, state]],
  ["runs", "Runs of the workspace", (name, state) => [name, state]],
  ["traffic", "Traffic", (name, shares) => [name, Object.entries(shares).map(([model, share]) => `${model} ${share} %`).join(", ")]],
];

export function drawWorld(trace, { world, fresh }) {
  const letters = Array.from({ length: trace.instances }, (_, number) => String.fromCharCode(65 + number));
  const idle = { alive: true, stalled: false, at: [] };
  by("instances").replaceChildren(
    ...letters.map((letter) => {
      const one = world.instances[letter] ?? idle;
      const works = one.at.length > 0;
      const kind = !one.alive ? "dead" : one.stalled ? "stalled" : works ? "works" : "";
      const does = !one.alive ? "dead" : one.stalled ? `stands still at ${one.at[0] ?? "nothing"}` : works ? `at ${one.at.join(", ")}` : "idle";
      return make("div", { className: `instance ${kind}` }, make("b", { text: `Instance ${letter}` }), does);
    }),
  );
  const parts = LISTED.filter(([part]) => Object.keys(world[part]).length).map(([part, title, told]) => {
    const lines = Object.entries(world[part]).map(([name, value]) => {
      const [what, how] = told(name, value);
      const className = fresh[part]?.[name] === undefined ? "" : "fresh";
      return make("li", { className }, make("span", { text: what }), make("span", { text: how }));
    });
    return make("section", {}, make("h3", { text: title }), make("ul", {}, ...lines));
  });
  const files = Object.keys(world.files).length;
  if (files) parts.push(make("section", {}, make("h3", { text: "Files" }), make("p", { className: "quiet", text: `${files} lie in storage` })));
  by("parts").replaceChildren(...parts);
}

const MOST_OTHERS = 4;

/** The rows of the flow that this run comes to, and where it is in them. */
/** The bug that is planted: what stands in the code, and what does then. */
export function drawBug(bug) {
  by("planted").hidden = !bug;
  if (!bug) return;
  const lines = (text, mark, className) =>
    text
      .replace(/\n$/, "")
      .split("\n")
      .map((line) => make("span", { className, text: `${mark} ${line}\n` }));
  by("planted").replaceChildren(
    make("p", { className: "quiet", text: `${bug.module.replaceAll(".", "/")}.py, in your browser alone:` }),
    make("pre", { attributes: { tabindex: "0" } }, ...lines(bug.before, "−", "less"), ...(bug.after ? lines(bug.after, "+", "more") : [])),
  );
}

export function drawFlow(story, trace, number, { world }) {
  const met = new Set(trace.steps.map((step) => step.fact));
  const waiting = new Set([...Object.values(world.facts), ...Object.values(world.messages)].map((one) => one.fact));
  const works = new Map();
  for (const [letter, one] of Object.entries(world.instances)) for (const fact of one.at) works.set(fact, letter);
  const done = new Set(trace.steps.slice(0, number).filter((step) => step.instance !== null).map((step) => step.fact));
  const pill = (fact) => {
    const letter = works.get(fact);
    const kind = letter ? "works" : waiting.has(fact) ? "waits" : done.has(fact) ? "done" : story.outside.includes(fact) ? "outside" : "";
    const hint = letter ? ` (instance ${letter})` : waiting.has(fact) ? " (waits)" : "";
    return make("span", { className: `pill ${kind}`, text: fact }, make("span", { className: "visually-hidden", text: hint }));
  };
  /** Those that this run has; how many more there could be is enough of the others. */
  const leads = (row) => {
    const here = row.leadsTo.filter((fact) => met.has(fact) || waiting.has(fact));
    const others = row.leadsTo.filter((fact) => !here.includes(fact));
    const shown = others.length > MOST_OTHERS ? [] : others;
    const rest = others.length - shown.length;
    return [...[...here, ...shown].map(pill), ...(rest ? [make("span", { className: "quiet", text: `or ${rest} others` })] : [])];
  };
  by("flow").replaceChildren(
    ...story.flow
      .filter((row) => row.when.some((fact) => met.has(fact) || waiting.has(fact)))
      .map((row) => {
        const at = row.when.some((fact) => works.has(fact));
        return make(
          "li",
          { className: at ? "works" : "" },
          make("div", { className: "facts" }, ...row.when.map(pill)),
          make("div", { className: "step" }, make("b", { text: row.do }), make("p", { text: row.says })),
          make("div", { className: "facts" }, ...leads(row)),
        );
      }),
  );
}
