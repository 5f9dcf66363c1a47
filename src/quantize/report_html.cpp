#include <fmt/format.h>

#include <algorithm>

#include "quantize/report.h"

namespace onward::quantize {
namespace {

constexpr const char* kStyle = R"(<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>onward quantize</title><style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem;color:#1c2733}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #dde3ea;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}code,pre{background:#f2f5f8;padding:.1rem .3rem}
pre{padding:.6rem;overflow-x:auto}svg text{font:11px system-ui,sans-serif}
</style></head><body>
)";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string decibels(double sqnr) { return sqnr >= Difference::kExact ? "exact" : fmt::format("{:.1f} dB", sqnr); }

std::string summary(const Report& r) {
  const double size = static_cast<double>(r.bytes_after) / static_cast<double>(std::max<size_t>(r.bytes_before, 1));
  std::string text = fmt::format(
      "<h1>{} → {}</h1><p>Mode {}. {}</p><table><tr><th></th><th>before</th><th>after</th><th></th></tr>"
      "<tr><td>size</td><td class=n>{}</td><td class=n>{}</td><td>{:.3f} of it</td></tr>"
      "<tr><td>time, ms</td><td class=n>{:.3f}</td><td class=n>{:.3f}</td><td>{:.2f} times as fast</td></tr>",
      escaped(r.source), escaped(r.output), escaped(r.mode), escaped(r.method), r.bytes_before, r.bytes_after, size,
      r.milliseconds_before, r.milliseconds_after, r.milliseconds_before / std::max(r.milliseconds_after, 1e-9));
  if (!r.fidelity.metric.empty()) {
    text += fmt::format("<tr><td>{}</td><td class=n>{:.4f}</td><td class=n>{:.4f}</td><td>drop {:.2f}%</td></tr>",
                        r.fidelity.metric, r.fidelity.float_score, r.fidelity.score, r.fidelity.drop() * 100);
  }
  text += fmt::format("<tr><td>answers</td><td class=n></td><td class=n>{}</td><td>cosine {:.6f}, {}</td></tr></table>",
                      decibels(r.fidelity.sqnr), r.fidelity.cosine,
                      r.random_samples ? "on random inputs" : fmt::format("on {} samples", r.checked));
  for (const std::string& note : r.notes) text += "<p>" + escaped(note) + "</p>";
  return text;
}

const char* colour(const std::string& form) {
  if (form == "float") return "#9aa7b4";
  return form.find("weights") != std::string::npos ? "#e0a13c" : "#2f7ed8";
}

// A bar a layer: how clean its results still are.
std::string layer_plot(const Report& r) {
  constexpr double kMost = 60;
  constexpr int kRow = 18;
  const bool measured =
      std::any_of(r.layers.begin(), r.layers.end(), [](const LayerReport& layer) { return layer.weights > 0; });
  if (!measured) return {};
  std::string bars;
  int y = 0;
  for (const LayerReport& layer : r.layers) {
    const double shown = std::clamp(layer.sqnr, 0.0, kMost);
    bars += fmt::format(
        "<text x='0' y='{}'>{}</text><rect x='260' y='{}' width='{:.1f}' height='12' fill='{}'/>"
        "<text x='{:.1f}' y='{}'>{} · {}</text>",
        y + 12, escaped(layer.name), y + 2, shown / kMost * 400, colour(layer.form), 266 + shown / kMost * 400, y + 12,
        decibels(layer.sqnr), escaped(layer.form));
    y += kRow;
  }
  return fmt::format(
      "<h2>Error by layer</h2><p>Signal against error of each layer's results in the whole model (longer is better, "
      "cut "
      "at 60 dB).</p><svg viewBox='0 0 820 {}' width='100%' role='img'>{}</svg>",
      y + 4, bars);
}

// Two bars a layer: its time in the float model and in the quantized one.
std::string time_plot(const Report& r) {
  constexpr int kRow = 22;
  double most = 0;
  for (const LayerReport& layer : r.layers) {
    if (layer.timed()) most = std::max({most, layer.milliseconds_before, layer.milliseconds_after});
  }
  if (most == 0) return {};
  std::string bars;
  int y = 0;
  for (const LayerReport& layer : r.layers) {
    if (!layer.timed()) continue;
    const double before = layer.milliseconds_before / most * 400;
    const double after = layer.milliseconds_after / most * 400;
    bars += fmt::format(
        "<text x='0' y='{}'>{}</text><rect x='260' y='{}' width='{:.1f}' height='7' fill='#9aa7b4'/>"
        "<rect x='260' y='{}' width='{:.1f}' height='7' fill='{}'/><text x='{:.1f}' y='{}'>{:.3f} → {:.3f} ms</text>",
        y + 13, escaped(layer.name), y + 2, before, y + 10, after, colour(layer.form), 266 + std::max(before, after),
        y + 13, layer.milliseconds_before, layer.milliseconds_after);
    y += kRow;
  }
  return fmt::format(
      "<h2>Time by layer</h2><p>Of its own node in the float model (grey) and in the quantized one, without what lies "
      "between layers.</p><svg viewBox='0 0 820 {}' width='100%' role='img'>{}</svg>",
      y + 4, bars);
}

std::string candidate_plot(const Report& r) {
  if (r.candidates.empty()) return {};
  double slowest = 0;
  size_t largest = 1;
  for (const Candidate& one : r.candidates) {
    slowest = std::max(slowest, one.milliseconds);
    largest = std::max(largest, one.bytes);
  }
  std::string dots;
  std::string rows;
  for (const Candidate& one : r.candidates) {
    const double x = 40 + one.milliseconds / std::max(slowest, 1e-9) * 480;
    const double y = 220 - static_cast<double>(one.bytes) / static_cast<double>(largest) * 190;
    dots += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='5' fill='{}'/><text x='{:.1f}' y='{:.1f}'>{}</text>", x, y,
                        one.verdict == "chosen" ? "#2a9d5c" : "#9aa7b4", x + 8, y + 4, escaped(one.what));
    rows +=
        fmt::format("<tr><td>{}</td><td class=n>{}</td><td class=n>{:.3f}</td><td class=n>{}</td><td>{}</td></tr>",
                    escaped(one.what), one.bytes, one.milliseconds, decibels(one.fidelity.sqnr), escaped(one.verdict));
  }
  return fmt::format(
      "<h2>What was tried</h2><svg viewBox='0 0 720 250' width='100%' role='img'><line x1='40' y1='220' x2='560' "
      "y2='220' "
      "stroke='#555'/><line x1='40' y1='20' x2='40' y2='220' stroke='#555'/><text x='480' y='238'>time, to {:.2f} ms"
      "</text><text x='0' y='14'>size</text>{}</svg><table><tr><th>candidate</th><th>bytes</th><th>ms</th><th>SQNR</th>"
      "<th>verdict</th></tr>{}</table>",
      slowest, dots, rows);
}

std::string layer_table(const Report& r) {
  std::string rows;
  for (const LayerReport& layer : r.layers) {
    const std::string time =
        layer.timed() ? fmt::format("{:.3f} → {:.3f}", layer.milliseconds_before, layer.milliseconds_after) : "";
    rows += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td class=n>{}</td><td class=n>{}</td><td "
        "class=n>{}</td><td>{}</td></tr>",
        escaped(layer.name), escaped(layer.op), escaped(layer.form), layer.weights,
        layer.weights > 0 ? decibels(layer.sqnr) : "", time, escaped(layer.reason));
  }
  return "<h2>Layers</h2><table><tr><th>layer</th><th>operator</th><th>form</th><th>weights</th><th>SQNR</th>"
         "<th>time, ms</th><th></th></tr>" +
         rows + "</table>";
}

}  // namespace

std::string to_html(const Report& report) {
  return kStyle + summary(report) + candidate_plot(report) + layer_plot(report) + time_plot(report) +
         layer_table(report) + "<h2>Again</h2><pre>" + escaped(report.command) + "</pre></body></html>\n";
}

}  // namespace onward::quantize
