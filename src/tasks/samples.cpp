#include "tasks/samples.h"

#include <filesystem>
#include <set>

#include "base/error.h"
#include "quantize/calibration.h"
#include "quantize/fidelity.h"
#include "tasks/feeds/feeds.h"
#include "tasks/feeds/sample_files.h"
#include "tasks/random_feeds.h"

namespace onward::tasks {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> calibration_files(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    fail_not_found("there is no calibration folder " + folder,
                   "put one .npz for each sample into it, its arrays named as the model's inputs, or images");
  }
  std::vector<std::string> files = sample_files(folder);
  if (files.empty()) {
    fail_invalid(
        "the calibration folder " + folder + " holds no samples",
        "put one .npz for each sample into it, its arrays named as the model's inputs, or .png or .jpg images");
  }
  return files;
}

}  // namespace

quantize::Samples folder_samples(const std::string& folder, size_t limit, const runtime::Session& session,
                                 serving::PixelRange pixels) {
  const std::vector<std::string> all = calibration_files(folder);
  std::vector<std::string> files;
  for (const size_t index : quantize::spread_samples(all.size(), limit)) files.push_back(all[index]);
  const std::vector<runtime::ValueInfo> inputs = session.inputs();
  std::set<std::string> outputs;
  for (const runtime::ValueInfo& info : session.outputs()) outputs.insert(info.name);

  quantize::Samples samples;
  samples.count = files.size();
  samples.name = [files](size_t index) { return files[index]; };
  samples.inputs = [files, inputs, pixels](size_t index) {
    std::vector<ir::Tensor> tensors = read_feeds(sample_feeds(files[index], inputs), inputs, pixels);
    quantize::check_finite(tensors, inputs, files[index]);
    return tensors;
  };
  samples.labels = [files, outputs](size_t index) {
    std::vector<runtime::NamedTensor> labels;
    if (!is_npz(files[index])) return labels;
    for (auto& [name, tensor] : read_npz(files[index])) {
      if (outputs.contains(name)) labels.emplace_back(name, std::move(tensor));
    }
    return labels;
  };
  return samples;
}

quantize::Samples random_samples(size_t count, const runtime::Session& session) {
  const std::vector<runtime::ValueInfo> inputs = session.inputs();
  quantize::Samples samples;
  samples.count = count;
  samples.name = [](size_t index) { return "random sample " + std::to_string(index); };
  samples.inputs = [inputs](size_t index) { return random_feeds(inputs, static_cast<unsigned>(index) + 1); };
  return samples;
}

}  // namespace onward::tasks
