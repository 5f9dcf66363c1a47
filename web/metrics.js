// What /metrics says, and what changed between two looks at it.

// Prometheus's text form: a map from name to [{labels, value}].
export function read(text) {
  const samples = new Map();
  for (const line of text.split("\n")) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!found) continue;
    const labels = {};
    for (const [, key, value] of (found[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[key] = value.replace(/\\(.)/g, "$1");
    if (!samples.has(found[1])) samples.set(found[1], []);
    samples.get(found[1]).push({ labels, value: Number(found[3]) });
  }
  return samples;
}

const kTime = "onward_request_duration_seconds";

// By model: {count, seconds, buckets: [[bound, count]]}; versions together.
function totals(samples) {
  const models = new Map();
  const of = ({ labels }) => {
    if (!models.has(labels.model)) models.set(labels.model, { count: 0, seconds: 0, buckets: new Map() });
    return models.get(labels.model);
  };
  for (const sample of samples.get(`${kTime}_count`) ?? []) of(sample).count += sample.value;
  for (const sample of samples.get(`${kTime}_sum`) ?? []) of(sample).seconds += sample.value;
  for (const sample of samples.get(`${kTime}_bucket`) ?? []) {
    const { buckets } = of(sample);
    const bound = sample.labels.le === "+Inf" ? Infinity : Number(sample.labels.le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + sample.value);
  }
  return models;
}

// The bound under which `share` of the requests between two looks stayed, interpolated within its bucket.
function quantile(before, after, count, share) {
  let lower = 0, below = 0;
  for (const [bound, total] of [...after.buckets].sort(([a], [b]) => a - b)) {
    const now = total - (before?.buckets.get(bound) ?? 0);
    if (now >= share * count) {
      if (!Number.isFinite(bound)) return lower;
      return lower + ((bound - lower) * (share * count - below)) / Math.max(1, now - below);
    }
    [lower, below] = [bound, now];
  }
  return lower;
}

// By model: {rate, mean, p99} of the `seconds` between two looks; mean and p99 in ms, null where nothing was asked.
export function changes(before, after, seconds) {
  const [old, now] = [totals(before), totals(after)];
  const result = new Map();
  for (const [name, total] of now) {
    const past = old.get(name);
    const count = Math.max(0, total.count - (past?.count ?? 0));
    result.set(name, {
      rate: count / seconds,
      mean: count > 0 ? (1000 * (total.seconds - (past?.seconds ?? 0))) / count : null,
      p99: count > 0 ? 1000 * quantile(past, total, count, 0.99) : null,
    });
  }
  return result;
}
