// The part of the C API that looks at files and makes them smaller.
#include "api/c_support.h"

using onward::Status;
using onward::StatusCode;
using namespace onward::c;

struct onward_inspection {
  explicit onward_inspection(onward::FileInfo given)
      : info(std::move(given)),
        inputs(info.inputs),
        outputs(info.outputs),
        operators(info.operators.begin(), info.operators.end()) {}

  onward::FileInfo info;
  Values inputs;
  Values outputs;
  std::vector<std::pair<std::string, size_t>> operators;
};

struct onward_quantization {
  onward::Quantization done;
};

namespace {

onward::Result<std::vector<onward::Tensor>> sample_of(const onward_quantize_options& options, size_t index) {
  std::vector<onward_tensor> given(options.sample_inputs);
  if (options.sample(options.sample_context, index, given.data(), given.size()) != 0) {
    return Status(StatusCode::kAborted,
                  "sample " + std::to_string(index) + " was refused by the function that gives it");
  }
  std::vector<onward::Tensor> tensors;
  for (const onward_tensor& one : given) {
    onward::Result<onward::Tensor> tensor = to_cpp(one);
    if (!tensor.ok()) return tensor.status();
    tensors.push_back(*std::move(tensor));
  }
  return tensors;
}

onward::QuantizeOptions to_cpp_options(const onward_quantize_options& given) {
  onward::QuantizeOptions options;
  options.mode = static_cast<onward::QuantizeMode>(given.mode);
  options.opset = given.opset;
  if (given.reading != nullptr) options.import = to_cpp(given.reading).import;
  options.calibration = text(given.calibration);
  if (given.sample != nullptr) {
    options.sample_count = given.sample_count;
    options.sample = [&given](size_t index) { return sample_of(given, index); };
  }
  options.max_drop = given.max_drop;
  options.max_bytes = given.max_bytes;
  options.exclude = texts<std::string>(given.exclude, given.exclude_count);
  options.only = texts<std::string>(given.only, given.only_count);
  options.custom_ops = texts<std::filesystem::path>(given.custom_ops, given.custom_op_count);
  return options;
}

}  // namespace

onward_status* onward_inspect_file(const char* source, const onward_convert_options* options,
                                   onward_inspection** inspection) {
  return guarded([&] {
    onward::Result<onward::FileInfo> info = onward::inspect_file(text(source), to_cpp(options).import);
    if (!info.ok()) return info.status();
    *inspection = new onward_inspection(*std::move(info));
    return Status();
  });
}

const char* onward_inspection_format(const onward_inspection* inspection) { return inspection->info.format.c_str(); }
const char* onward_inspection_producer(const onward_inspection* inspection) {
  return inspection->info.producer.c_str();
}
size_t onward_inspection_input_count(const onward_inspection* inspection) { return inspection->inputs.size(); }
size_t onward_inspection_output_count(const onward_inspection* inspection) { return inspection->outputs.size(); }
size_t onward_inspection_operator_count(const onward_inspection* inspection) { return inspection->operators.size(); }
size_t onward_inspection_weight_count(const onward_inspection* inspection) { return inspection->info.weights; }
size_t onward_inspection_weight_bytes(const onward_inspection* inspection) { return inspection->info.weight_bytes; }

onward_status* onward_inspection_input(const onward_inspection* inspection, size_t index, onward_value_info* info) {
  return guarded([&] { return inspection->inputs.describe(index, info); });
}

onward_status* onward_inspection_output(const onward_inspection* inspection, size_t index, onward_value_info* info) {
  return guarded([&] { return inspection->outputs.describe(index, info); });
}

onward_status* onward_inspection_operator(const onward_inspection* inspection, size_t index, const char** name,
                                          size_t* nodes) {
  return guarded([&] {
    if (index >= inspection->operators.size()) return invalid("there is no such operator: " + std::to_string(index));
    *name = inspection->operators[index].first.c_str();
    *nodes = inspection->operators[index].second;
    return Status();
  });
}

void onward_inspection_free(onward_inspection* inspection) { delete inspection; }

onward_status* onward_quantize_file(const char* source, const char* target, const onward_quantize_options* options,
                                    onward_quantization** quantization) {
  return guarded([&] {
    const onward_quantize_options given = taken(options, ONWARD_QUANTIZE_OPTIONS_INIT);
    onward::Result<onward::Quantization> done =
        onward::quantize_file(text(source), text(target), to_cpp_options(given));
    if (!done.ok()) return done.status();
    if (quantization != nullptr) *quantization = new onward_quantization{*std::move(done)};
    return Status();
  });
}

size_t onward_quantization_bytes_before(const onward_quantization* quantization) {
  return quantization->done.bytes_before;
}
size_t onward_quantization_bytes_after(const onward_quantization* quantization) {
  return quantization->done.bytes_after;
}
double onward_quantization_milliseconds_before(const onward_quantization* quantization) {
  return quantization->done.milliseconds_before;
}
double onward_quantization_milliseconds_after(const onward_quantization* quantization) {
  return quantization->done.milliseconds_after;
}
double onward_quantization_sqnr(const onward_quantization* quantization) { return quantization->done.sqnr; }
double onward_quantization_cosine(const onward_quantization* quantization) { return quantization->done.cosine; }
const char* onward_quantization_report(const onward_quantization* quantization) {
  return quantization->done.report.c_str();
}
void onward_quantization_free(onward_quantization* quantization) { delete quantization; }
