// The page: the models there are, what they do now, and a form to try one.
import * as metrics from "./metrics.js";
import { parse, sample, show } from "./tensors.js";

const kEverySeconds = 2;
const kPoints = 120;
const by = (id) => document.getElementById(id);
const known = new Map(); // name → metadata
let file = null;
let last = null; // {time, samples}
const rates = [];

function headers(more = {}) {
  const key = sessionStorage.getItem("key");
  return key ? { ...more, "X-API-Key": key } : more;
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers(options.headers) });
  const text = await response.text();
  if (response.status === 401) document.querySelector(".key").hidden = false;
  if (!response.ok) {
    let message = text;
    try {
      message = JSON.parse(text).error;
    } catch {}
    throw new Error(message);
  }
  return text;
}

const tensorText = ({ name, datatype, shape }) => `${name} ${datatype} [${shape.map((size) => (size < 0 ? "?" : size)).join(", ")}]`;

function row(entry) {
  const line = document.createElement("tr");
  const cell = (text, kind) => {
    const made = document.createElement("td");
    made.textContent = text;
    made.className = kind ?? "";
    line.append(made);
    return made;
  };
  const ready = entry.state === "READY";
  const metadata = known.get(entry.name);
  const lines = (list) => (list ?? []).map(tensorText).join("\n");
  cell(entry.version > 1 ? `${entry.name} (version ${entry.version})` : entry.name);
  cell(ready ? "ready" : `${entry.state.toLowerCase()}: ${entry.reason}`, ready ? "good" : "bad");
  for (const part of ["inputs", "outputs"]) cell(ready ? lines(metadata?.[part]) : "", "tensor").style.whiteSpace = "pre-line";
  for (const part of ["rate", "mean", "p99"]) cell("", "number").dataset[part] = entry.name;
  return line;
}

async function listModels() {
  const index = JSON.parse(await ask("/v2/repository/index", { method: "POST", body: "{}" }));
  for (const { name, state } of index) {
    if (state !== "READY") continue;
    try {
      known.set(name, JSON.parse(await ask(`/v2/models/${encodeURIComponent(name)}`)));
    } catch {
      known.delete(name); // gone meanwhile
    }
  }
  by("models").tBodies[0].replaceChildren(...index.map(row));
  const names = [...new Set(index.filter(({ state }) => state === "READY").map(({ name }) => name))];
  const select = by("model");
  const before = select.value;
  if ([...select.options].map(({ value }) => value).join("\n") !== names.join("\n")) {
    select.replaceChildren(...names.map((name) => new Option(name, name)));
    if (names.includes(before)) select.value = before;
    if (select.value !== before) suggest();
  }
  by("state").textContent = `${names.length} of ${new Set(index.map(({ name }) => name)).size} models ready`;
}

function suggest() {
  const inputs = known.get(by("model").value)?.inputs ?? [];
  const one = inputs.length === 1 ? sample(inputs[0]) : null;
  const many = Object.fromEntries(inputs.map((input) => [input.name, sample(input) ?? []]));
  by("input").value = inputs.length === 1 ? (one ? JSON.stringify({ input: one }) : '{"input": …}') : JSON.stringify({ inputs: many }, null, 1);
}

function choose(chosen) {
  file = chosen ?? null;
  const picture = file?.type.startsWith("image/") ?? false;
  by("preview").hidden = !picture;
  if (picture) by("preview").src = URL.createObjectURL(file);
  by("clear").hidden = !file;
  by("input").disabled = Boolean(file);
  if (!file) by("file").value = "";
}

async function predict() {
  const name = by("model").value;
  const start = performance.now();
  let text;
  if (file) {
    text = await ask(`/predict?models=${encodeURIComponent(name)}`, { method: "POST", body: file });
  } else {
    const body = parse(by("input").value);
    text = await ask("/predict", { method: "POST", body: JSON.stringify({ ...body, models: [name] }) });
  }
  const took = performance.now() - start;
  const outputs = parse(text)[`${name}_prediction`];
  const alone = Array.isArray(outputs) || typeof outputs !== "object";
  const named = alone ? { [known.get(name)?.outputs[0].name ?? name]: outputs } : outputs;
  const note = document.createElement("p");
  note.className = "quiet";
  note.textContent = `Answered in ${took.toFixed(1)} ms`;
  by("answer").replaceChildren(note, ...Object.entries(named).map(([output, value]) => show(output, value)));
}

function fail(error) {
  const note = document.createElement("p");
  note.className = "bad";
  note.setAttribute("role", "alert");
  note.textContent = error.message;
  by("answer").replaceChildren(note);
}

function drawRates() {
  const most = Math.max(1, ...rates);
  const points = rates.map((rate, i) => `${kPoints - rates.length + i + 1},${23 - (22 * rate) / most}`);
  document.querySelector("#rate polyline").setAttribute("points", points.join(" "));
  const seconds = rates.length * kEverySeconds;
  const span = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  by("rate-text").textContent = `${rates.at(-1).toFixed(1)} requests/s now, at most ${Math.max(...rates).toFixed(1)} in the last ${span}`;
}

async function look() {
  const samples = metrics.read(await ask("/metrics"));
  const time = performance.now();
  if (last) {
    const changed = metrics.changes(last.samples, samples, (time - last.time) / 1000);
    for (const part of ["rate", "mean", "p99"]) {
      for (const cell of document.querySelectorAll(`[data-${part}]`)) {
        const value = changed.get(cell.dataset[part])?.[part];
        cell.textContent = value == null ? "–" : value.toFixed(part === "rate" ? 1 : 2);
      }
    }
    rates.push([...changed.values()].reduce((sum, { rate }) => sum + rate, 0));
    if (rates.length > kPoints) rates.shift();
    drawRates();
  }
  last = { time, samples };
}

async function refresh() {
  try {
    if (!document.hidden || !last) {
      await listModels();
      await look();
    }
  } catch (error) {
    by("state").textContent = `The server does not answer: ${error.message}`;
  }
  setTimeout(refresh, kEverySeconds * 1000);
}

by("key").value = sessionStorage.getItem("key") ?? "";
by("key").addEventListener("change", ({ target }) => sessionStorage.setItem("key", target.value));
by("model").addEventListener("change", suggest);
by("file").addEventListener("change", ({ target }) => choose(target.files[0]));
by("clear").addEventListener("click", () => choose(null));
const over = (event, on) => {
  event.preventDefault();
  by("input").classList.toggle("over", on);
};
by("try").addEventListener("dragover", (event) => over(event, true));
by("try").addEventListener("dragleave", (event) => over(event, false));
by("try").addEventListener("drop", (event) => {
  over(event, false);
  choose(event.dataTransfer.files[0]);
});
by("try").addEventListener("submit", (event) => {
  event.preventDefault();
  predict().catch(fail);
});
refresh();
