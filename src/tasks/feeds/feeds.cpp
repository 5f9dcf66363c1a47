#include "tasks/feeds/feeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/image/image.h"
#include "formats/npy.h"
#include "formats/zip.h"
#include "runtime/arrays.h"
#include "server/protocol/json_reader.h"
#include "server/protocol/json_tensor.h"
#include "serving/layout.h"

namespace onward::tasks {
namespace {

using ir::Tensor;
using runtime::ValueInfo;

struct Feed {
  size_t input;
  std::string file;
};

std::string described(const std::vector<ValueInfo>& inputs) {
  std::string text;
  for (const ValueInfo& input : inputs) {
    text += fmt::format("{}\"{}\" {} {}", text.empty() ? "" : ", ", input.name, ir::dtype_name(input.dtype),
                        ir::shape_text(input.shape));
  }
  return text;
}

// Names and paths may both hold "=": the name decides.
Feed parse_feed(const std::string& text, const std::vector<ValueInfo>& inputs) {
  for (size_t equals = text.find('='); equals != std::string::npos; equals = text.find('=', equals + 1)) {
    const auto named = [&](const ValueInfo& input) { return input.name == text.substr(0, equals); };
    const auto found = std::find_if(inputs.begin(), inputs.end(), named);
    if (found != inputs.end()) return {static_cast<size_t>(found - inputs.begin()), text.substr(equals + 1)};
  }
  const bool bare = std::filesystem::exists(text) || text.find('=') == std::string::npos;
  if (bare && inputs.size() == 1) return {0, text};
  fail_invalid(bare ? fmt::format("--input {} does not say which input it is", text)
                    : fmt::format("the model has no input \"{}\"", text.substr(0, text.find('='))),
               "its inputs are " + described(inputs) + "; write --input \"NAME=FILE\"");
}

Tensor suited(const Tensor& stored, const ValueInfo& input, const std::string& file) {
  const Tensor tensor = runtime::as_stored(stored, input.dtype);
  const std::optional<Tensor> fitted = serving::fit(tensor, input.shape);
  if (!fitted) {
    fail_invalid(fmt::format("input \"{}\" wants shape {}, {} has {}", input.name, ir::shape_text(input.shape), file,
                             ir::shape_text(ir::to_shape(stored.dims()))));
  }
  return server::convert_exactly(*fitted, input.dtype, fmt::format("input \"{}\" ({})", input.name, file));
}

Tensor from_npz(const Bytes& bytes, const ValueInfo& input, const std::string& file) {
  const auto arrays = npy::read_npz(bytes, file);
  const auto named = [&](const auto& entry) { return entry.first == input.name; };
  auto found = std::find_if(arrays.begin(), arrays.end(), named);
  if (found == arrays.end() && arrays.size() == 1) found = arrays.begin();
  if (found == arrays.end()) fail_invalid(fmt::format("{} holds no array \"{}\"", file, input.name));
  return suited(runtime::to_tensor(found->second, file), input, file);
}

bool looks_like_json(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos &&
         std::string_view("[{\"-0123456789tfN").find(text[start]) != std::string::npos;
}

Tensor from_json(std::string_view text, const ValueInfo& input, const std::string& file) {
  try {
    server::JsonReader reader(text);
    const Tensor tensor = server::read_tensor(reader, input.dtype, "input \"" + input.name + "\"");
    reader.finish();
    return suited(tensor, input, file);
  } catch (const Error& error) {
    throw error.message().find(file) == std::string::npos ? error.within(file) : error;
  }
}

Tensor read_feed(const std::string& file, const ValueInfo& input, serving::PixelRange pixels) {
  const Bytes bytes = map_file(file);
  if (image::looks_like(bytes.view())) {
    try {
      return serving::image_tensor(image::read(bytes, file), input, pixels);
    } catch (const Error& error) {
      throw error.message().starts_with(file) ? error : error.within(file);
    }
  }
  if (npy::looks_like(bytes.view())) return suited(runtime::to_tensor(npy::read(bytes, file), file), input, file);
  if (zip::looks_like_zip(bytes.view())) return from_npz(bytes, input, file);
  if (looks_like_json(bytes.text())) return from_json(bytes.text(), input, file);
  fail_invalid(fmt::format("{} is no .npy, .npz, .png, .jpg or .json file", file),
               "save the array with numpy.save, the picture as PNG, or nested lists as JSON");
}

}  // namespace

std::vector<Tensor> read_feeds(const std::vector<std::string>& given, const std::vector<ValueInfo>& inputs,
                               serving::PixelRange pixels) {
  std::vector<std::optional<Tensor>> tensors(inputs.size());
  for (const std::string& text : given) {
    const Feed feed = parse_feed(text, inputs);
    if (tensors[feed.input]) fail_invalid(fmt::format("--input gives \"{}\" twice", inputs[feed.input].name));
    tensors[feed.input] = read_feed(feed.file, inputs[feed.input], pixels);
  }
  std::vector<Tensor> ordered;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!tensors[i]) {
      fail_invalid(fmt::format("input \"{}\" is missing", inputs[i].name),
                   fmt::format("the model takes {}; add --input \"{}=FILE\" (.npy, .npz, .png, .jpg or .json)",
                               described(inputs), inputs[i].name));
    }
    ordered.push_back(*std::move(tensors[i]));
  }
  return ordered;
}

std::vector<Tensor> read_json_feeds(std::string_view text, const std::vector<ValueInfo>& inputs) {
  server::JsonReader reader(text);
  std::map<std::string, std::string_view> values;
  if (reader.peek() == server::JsonReader::Kind::kObject) {
    reader.open_object();
    for (std::string key; reader.next_key(key);) values[key] = reader.skip();
    reader.finish();
  } else if (inputs.size() == 1) {
    values[inputs.front().name] = text;
  }
  std::vector<Tensor> tensors;
  for (const ValueInfo& input : inputs) {
    const auto value = values.find(input.name);
    if (value == values.end()) {
      fail_invalid(fmt::format("input \"{}\" is missing; the model takes {}", input.name, described(inputs)));
    }
    tensors.push_back(from_json(value->second, input, "the value"));
  }
  if (values.size() > inputs.size())
    fail_invalid("there are values for no input; the model takes " + described(inputs));
  return tensors;
}

std::vector<runtime::NamedTensor> read_npz(const std::string& file) {
  std::vector<runtime::NamedTensor> tensors;
  const Bytes bytes = map_file(file);
  if (!zip::looks_like_zip(bytes.view())) fail_invalid(file + " is no .npz file", "save the arrays with numpy.savez");
  for (const auto& [name, array] : npy::read_npz(bytes, file)) {
    tensors.emplace_back(name, runtime::to_tensor(array, file));
  }
  return tensors;
}

}  // namespace onward::tasks
