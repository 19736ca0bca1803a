/** The page: a schedule in its address, the trace of that schedule's run, and the step that is shown. */

import { by, drawBug, drawChanged, drawFlow, drawLights, drawStep, drawStrip, drawWorld, make } from "./drawing.js";
import { Python, Replaced } from "./python.js";
import { fragmentOf, readSchedule, replayOf, worldAt } from "./schedule.js";

const STEP_MILLISECONDS = 140;
const SEARCH_SECONDS = 0.4;
const FIRST = "start";
/** Of a run by chance: how many of its choice points go another way. */
const FAULTS = 2;

const still = matchMedia("(prefers-reduced-motion: reduce)");
let story;
let trace;
let schedule = { scenario: FIRST, seed: 0, choices: new Map(), bug: "" };
let at = 0;
let ready = false;
let playing = 0;
let searching = false;
/** The newest run that was asked for: an older one's answer is not drawn. */
let wanted = 0;

const python = new Python((stage) => says(stage, "working"));

function says(text, className = "") {
  by("python").textContent = text;
  by("python").className = `python ${className}`;
}

function notice(text) {
  by("notice").hidden = !text;
  by("notice").textContent = text;
}

async function load(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} is not there (${answer.status}). Build the page again: ./dev playground`);
  return answer.json();
}

// --- what is shown ---------------------------------------------------------------------------------------------

function show(number) {
  at = Math.max(0, Math.min(number, trace.steps.length));
  const there = worldAt(trace, at);
  drawStep(trace, at, ready && !searching, choose);
  drawWorld(trace, there);
  drawFlow(story, trace, at, there);
  document.body.dataset.shows = `${replayOf(schedule)} ${at}`;
}

function drawAll() {
  by("at").max = trace.steps.length;
  drawLights(trace);
  drawStrip(trace, schedule.choices);
  drawChanged(trace, { go: show, undo: (point) => change(point, 0) });
  by("link").value = new URL(fragmentOf(schedule), location.href).href;
  by("command").textContent = `./dev simulate --replay '${replayOf(schedule)}'`;
  const kept = (replay) => fragmentOf({ ...readSchedule(replay), bug: schedule.bug });
  by("suggested").replaceChildren(
    ...story.suggested.map((one) => make("li", {}, make("a", { href: kept(one.replay), text: one.says }))),
  );
  by("scenario").value = schedule.scenario;
  by("bug").value = schedule.bug;
  drawBug(story.bugs.find((one) => one.id === schedule.bug));
  show(at);
}

function pause() {
  clearInterval(playing);
  playing = 0;
  by("play").textContent = "Play";
}

function play() {
  if (at >= trace.steps.length) show(0);
  playing = setInterval(() => {
    show(at + 1);
    if (at >= trace.steps.length) pause();
  }, STEP_MILLISECONDS);
  by("play").textContent = "Pause";
}

// --- what runs -------------------------------------------------------------------------------------------------

/** Runs the schedule, and shows it from the step at that number on. */
async function run(number, { plays = false } = {}) {
  pause();
  wanted += 1;
  const mine = wanted;
  history.replaceState(null, "", fragmentOf(schedule));
  const plain = !schedule.choices.size && !schedule.seed && !schedule.bug;
  if (!plain && !ready) {
    by("verdict").textContent = "Python is still starting; this runs as soon as it is there.";
    return;
  }
  const asked = replayOf(schedule);
  try {
    if (!plain) says("Running", "working");
    const told = plain ? await load(`traces/${schedule.scenario}.json`) : await python.ask("trace", { replay: asked });
    if (mine !== wanted) return;
    trace = told;
    // What was chosen where nothing can be chosen is none; what is left is what the run took.
    schedule.choices = new Map(trace.steps.filter((step) => step.chosen).map((step) => [step.at, step.chosen]));
    at = number;
    drawAll();
    document.body.dataset.ran = asked;
    if (plays && !still.matches) play();
  } catch (problem) {
    if (!(problem instanceof Replaced)) notice(`That run did not work: ${problem.message}`);
  } finally {
    if (ready && mine === wanted) says("Python runs in your browser", "ready");
  }
}

function change(point, option) {
  if (option) schedule.choices.set(point, option);
  else schedule.choices.delete(point);
  return run(at, { plays: Boolean(option) });
}

function choose(option) {
  change(trace.steps[at].at, option);
}

/** Python with the chosen bug in it. early: one that was begun before, without any */
async function plant(id, early = null) {
  stopSearch();
  const bug = story.bugs.find((one) => one.id === id);
  schedule.bug = bug ? id : "";
  ready = false;
  enable();
  try {
    await (early ?? python.begin(bug));
    ready = true;
    says("Python runs in your browser", "ready");
    enable();
  } catch (problem) {
    if (problem instanceof Replaced) return;
    says("Python did not start", "");
    notice(`Python did not start: ${problem.message}`);
    return;
  }
  await run(at);
}

function enable() {
  by("search").disabled = !ready;
  by("surprise").disabled = !ready;
  if (trace) show(at);
}

async function search() {
  if (searching) {
    stopSearch();
    return;
  }
  pause();
  searching = true;
  by("search").textContent = "Stop";
  show(at);
  const { scenario } = schedule;
  try {
    for (let anew = true; searching; anew = false) {
      const { schedules, found } = await python.ask("search", { scenario, anew, seconds: SEARCH_SECONDS });
      if (!searching) break;
      by("searched").textContent = found
        ? `Found after ${schedules} schedules, and shrunk to what it takes.`
        : `${schedules} schedules, and all of it held …`;
      if (found) {
        const { choices, seed } = readSchedule(found.replay);
        schedule = { ...schedule, choices, seed };
        stopSearch();
        const [first] = choices.keys();
        await run(Math.max(0, (first ?? 1) - 1));
      }
    }
  } catch (problem) {
    if (!(problem instanceof Replaced)) notice(`The search did not work: ${problem.message}`);
  } finally {
    stopSearch();
  }
}

function stopSearch() {
  searching = false;
  by("search").textContent = "Find what breaks it";
  if (trace) show(at);
}

/** Some steps go another way, drawn by chance. */
function surprise() {
  const choices = new Map();
  for (let left = FAULTS; left > 0; left -= 1) {
    const step = trace.steps[Math.floor(Math.random() * trace.steps.length)];
    choices.set(step.at, 1 + Math.floor(Math.random() * trace.options[step.point].length));
  }
  schedule.choices = choices;
  run(Math.max(0, Math.min(...choices.keys()) - 1), { plays: true });
}

// --- the beginning ---------------------------------------------------------------------------------------------

function listen() {
  by("first").onclick = () => (pause(), show(0));
  by("back").onclick = () => (pause(), show(at - 1));
  by("on").onclick = () => (pause(), show(at + 1));
  by("last").onclick = () => (pause(), show(trace.steps.length));
  by("play").onclick = () => (playing ? pause() : play());
  by("at").oninput = () => (pause(), show(Number(by("at").value)));
  by("strip").onclick = ({ clientX }) => {
    const { left, width } = by("strip").getBoundingClientRect();
    pause();
    show(Math.floor(((clientX - left) / width) * trace.steps.length));
  };
  by("scenario").onchange = () => {
    stopSearch();
    by("searched").textContent = "";
    schedule = { ...schedule, scenario: by("scenario").value, seed: 0, choices: new Map() };
    run(0);
  };
  by("bug").onchange = () => {
    const bug = story.bugs.find((one) => one.id === by("bug").value);
    by("searched").textContent = bug ? `Should be seen by: ${bug.light}.` : "";
    schedule = { ...schedule, scenario: bug?.scenario ?? schedule.scenario, seed: 0, choices: new Map() };
    at = 0;
    plant(by("bug").value);
  };
  by("search").onclick = search;
  by("surprise").onclick = surprise;
  by("copy").onclick = async () => {
    await navigator.clipboard?.writeText(by("link").value);
    by("copy").textContent = "Copied";
    setTimeout(() => (by("copy").textContent = "Copy"), 1500);
  };
  addEventListener("hashchange", () => follow({ plays: true }));
}

/** The address names a schedule: that is what runs. */
function follow(how = {}) {
  const named = readSchedule(location.hash);
  if (!named || !story.scenarios.some((one) => one.name === named.scenario)) {
    if (location.hash.length > 1) notice("The address names no schedule that this page can run.");
    return false;
  }
  const other = named.bug !== schedule.bug;
  schedule = named;
  const [first] = named.choices.keys();
  at = Math.max(0, (first ?? 1) - 1);
  if (other) plant(named.bug);
  else run(at, how);
  return true;
}

async function begin() {
  // It takes the longest, and needs nothing of the rest.
  const early = Python.possible() && !readSchedule(location.hash)?.bug ? python.begin() : null;
  early?.catch(() => {}); // said where it is waited for
  story = await load("story.json");
  by("scenario").append(
    ...story.scenarios.map((one) => make("option", { value: one.name, text: `${one.name}: ${one.says}` })),
  );
  by("bug").append(
    make("option", { value: "", text: "none: the code as it is" }),
    ...story.bugs.map((one) => make("option", { value: one.id, text: one.says })),
  );
  const named = readSchedule(location.hash);
  const first = named && story.scenarios.some((one) => one.name === named.scenario) ? named.scenario : FIRST;
  schedule.scenario = first;
  trace = await load(`traces/${first}.json`);
  drawAll();
  listen();
  document.body.dataset.drawn = "";
  if (!Python.possible()) {
    says("Only recorded runs", "");
    notice(
      "Your browser cannot set a running Python aside (JavaScript Promise Integration), so nothing can be changed here: " +
        "Chrome, Edge and others of Chromium 137 or newer can. The plain runs are recorded and can be looked at.",
    );
    return;
  }
  if (!follow() || !schedule.bug) await plant("", early);
}

if (location.protocol === "file:") {
  notice("A page that was opened as a file may not load its parts: ./dev playground --open serves it on this machine.");
} else {
  begin().catch((problem) => notice(problem.message));
}
