#include "cli/predict/answers.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/image/image.h"
#include "formats/npy.h"
#include "runtime/arrays.h"
#include "server/protocol/json_tensor.h"
#include "serving/images.h"

namespace onward::cli {

using runtime::ValueInfo;

std::string answers_json(const std::vector<ValueInfo>& infos, const std::vector<ir::Tensor>& tensors) {
  std::string text = "{\"outputs\":[";
  for (size_t i = 0; i < tensors.size(); ++i) {
    text += i == 0 ? "{\"name\":" : ",{\"name\":";
    server::write_json_string(text, infos[i].name);
    text += fmt::format(",\"dtype\":\"{}\",\"shape\":{},\"data\":", ir::dtype_name(tensors[i].dtype()),
                        ir::shape_text(ir::to_shape(tensors[i].dims())));
    server::write_tensor(text, tensors[i]);
    text += "}";
  }
  return text + "]}\n";
}

AnswerKind answer_kind(const std::string& file, size_t outputs) {
  static const std::map<std::string, AnswerKind> kinds{
      {".npz", AnswerKind::kNpz}, {".npy", AnswerKind::kNpy}, {".png", AnswerKind::kPng}, {".json", AnswerKind::kJson}};
  if (file.empty()) return AnswerKind::kNone;
  const auto kind = kinds.find(std::filesystem::path(file).extension().string());
  if (kind == kinds.end()) fail_invalid("can't tell how to write " + file, "end it in .npz, .npy, .png or .json");
  const bool single = kind->second == AnswerKind::kNpy || kind->second == AnswerKind::kPng;
  if (single && outputs != 1) {
    fail_invalid(fmt::format("the model has {} outputs, {} holds one", outputs, file), "write them to an .npz file");
  }
  return kind->second;
}

void write_answers(const std::string& file, AnswerKind kind, const std::vector<ValueInfo>& infos,
                   const std::vector<ir::Tensor>& tensors) {
  if (kind == AnswerKind::kNpz) {
    std::vector<std::pair<std::string, Array>> arrays;
    for (size_t i = 0; i < tensors.size(); ++i) arrays.emplace_back(infos[i].name, runtime::to_array(tensors[i]));
    npy::write_npz(file, arrays);
  } else if (kind == AnswerKind::kNpy) {
    npy::write(file, runtime::to_array(tensors.front()));
  } else {
    const Bytes bytes = kind == AnswerKind::kJson
                            ? Bytes::from_string(answers_json(infos, tensors))
                            : image::encode_png(serving::tensor_image(tensors.front(), infos.front().name));
    const ByteView parts[] = {bytes.view()};
    write_file(file, parts);
  }
}

}  // namespace onward::cli
