#include "server/protocol/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "server/protocol/json_reader.h"
#include "server/protocol/json_tensor.h"
#include "server/protocol/oip.h"
#include "serving/layout.h"

namespace onward::server::generate {
namespace {

using ir::Tensor;

class Reader {
 public:
  Reader(const serving::Model& model, std::string_view body)
      : model_(model), reader_(body), given_(model.session().inputs().size()) {}

  Request read() {
    Request request;
    read_members(&request.id);
    reader_.finish();
    request.inputs = oip::all_given(model_, std::move(given_));
    return request;
  }

 private:
  // `id` is null within "parameters".
  void read_members(std::string* id) {
    const auto& infos = model_.session().inputs();
    std::string key;
    reader_.open_object();
    while (reader_.next_key(key)) {
      const auto info =
          std::find_if(infos.begin(), infos.end(), [&](const runtime::ValueInfo& each) { return each.name == key; });
      if (info != infos.end()) {
        take(*info, given_[static_cast<size_t>(info - infos.begin())]);
      } else if (id != nullptr && key == "parameters") {
        read_members(nullptr);
      } else if (id != nullptr && key == "id" && reader_.peek() == JsonReader::Kind::kString) {
        *id = reader_.string();
      } else {
        reader_.skip();
      }
    }
  }

  void take(const runtime::ValueInfo& info, std::optional<Tensor>& slot) {
    const std::string what = fmt::format("input \"{}\"", info.name);
    if (slot) reader_.fail(what + " was given twice");
    Tensor tensor = read_tensor(reader_, info.dtype, what);
    if (tensor.rank() == 0) tensor = tensor.reshaped(ir::Dims(info.shape.size(), 1));
    slot = serving::fit(tensor, info.shape);
    if (!slot) {
      fail_invalid(fmt::format("{} must be {}, got {}", what, ir::shape_text(info.shape),
                               ir::shape_text(ir::to_shape(tensor.dims()))));
    }
  }

  const serving::Model& model_;
  JsonReader reader_;
  std::vector<std::optional<Tensor>> given_;
};

}  // namespace

Request read(const serving::Model& model, std::string_view body) { return Reader(model, body).read(); }

std::string write(const serving::Model& model, const Request& request, const std::vector<Tensor>& outputs) {
  std::string text = "{";
  const auto key = [&text](std::string_view name) {
    if (text.size() > 1) text += ',';
    write_json_string(text, name);
    text += ':';
  };
  if (!request.id.empty()) {
    key("id");
    write_json_string(text, request.id);
  }
  key("model_name");
  write_json_string(text, model.name());
  key("model_version");
  write_json_string(text, model.version_text());
  for (size_t i = 0; i < outputs.size(); ++i) {
    key(model.session().outputs()[i].name);
    if (outputs[i].count() == 1) {
      write_element(text, outputs[i], 0);
    } else {
      write_flat(text, outputs[i]);
    }
  }
  return text + "}";
}

}  // namespace onward::server::generate
