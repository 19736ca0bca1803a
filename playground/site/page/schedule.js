/** A schedule as text: what `./dev simulate --replay` takes, with the bug that is planted, as the page's address has it. */

/** @returns {{scenario: string, seed: number, choices: Map<number, number>, bug: string} | null} null: that is none */
export function readSchedule(fragment) {
  const [text, ...rest] = decodeURIComponent(fragment.replace(/^#/, "")).split("&");
  const found = /^([a-z-]+):(\d+):((?:\d+=\d+(?:,\d+=\d+)*)?)$/.exec(text);
  if (!found) return null;
  const pairs = found[3] ? found[3].split(",").map((one) => one.split("=").map(Number)) : [];
  const bug = rest.find((one) => one.startsWith("bug="))?.slice(4) ?? "";
  return { scenario: found[1], seed: Number(found[2]), choices: new Map(pairs), bug };
}

export function replayOf({ scenario, seed, choices }) {
  const pairs = [...choices].sort(([one], [other]) => one - other).map(([at, option]) => `${at}=${option}`);
  return `${scenario}:${seed}:${pairs.join(",")}`;
}

export function fragmentOf(schedule) {
  return `#${replayOf(schedule)}${schedule.bug ? `&bug=${schedule.bug}` : ""}`;
}

/** The world before the step of that number, and what the step before it changed. */
export function worldAt(trace, number) {
  const world = Object.fromEntries(Object.entries(trace.begins).map(([part, there]) => [part, { ...there }]));
  let fresh = {};
  for (const step of trace.steps.slice(0, number)) {
    fresh = step.changes;
    for (const [part, changed] of Object.entries(step.changes)) {
      for (const [name, value] of Object.entries(changed)) {
        if (value === null) delete world[part][name];
        else world[part][name] = value;
      }
    }
  }
  return { world, fresh };
}
