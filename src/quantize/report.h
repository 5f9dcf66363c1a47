// What a quantization did, layer by layer.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "quantize/fidelity.h"

namespace onward::quantize {

struct LayerReport {
  std::string name;
  std::string op;
  std::string form;                  // "int8", "4 bits", "float16" …, "float"
  std::string reason;                // why it was left in float, or stored only
  size_t weights = 0;                // how many numbers
  double sqnr = Difference::kExact;  // of its results in the whole quantized model, against the float model
  double milliseconds_before = 0;    // of its own node; 0 where ONNX Runtime fused it into another
  double milliseconds_after = 0;

  bool timed() const { return milliseconds_before > 0 && milliseconds_after > 0; }
};

struct Candidate {
  std::string what;
  size_t bytes = 0;
  double milliseconds = 0;
  Fidelity fidelity;
  std::string verdict;  // "chosen", or why not
};

struct Report {
  std::string source;
  std::string output;
  std::string mode;
  std::string method;  // how static scales were found: "entropy, bias corrected"
  std::string command;
  size_t samples = 0;  // that there were
  size_t checked = 0;  // of them, whose answers were compared
  bool random_samples = false;
  bool measured = true;  // without: neither times nor fidelity, of the layers neither
  size_t bytes_before = 0;
  size_t bytes_after = 0;
  double milliseconds_before = 0;
  double milliseconds_after = 0;
  Fidelity fidelity;
  std::vector<LayerReport> layers;
  std::vector<Candidate> candidates;  // of mode auto
  std::vector<std::string> notes;
};

Json to_json(const Report& report);
// One self-contained page, with plots as SVG.
std::string to_html(const Report& report);

}  // namespace onward::quantize
