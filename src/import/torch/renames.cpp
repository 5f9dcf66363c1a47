#include "import/torch/renames.h"

#include "base/error.h"
#include "base/json.h"

namespace onward::importer {

Renames read_renames(const std::optional<Bytes>& file, const std::string& what) {
  Renames renames;
  if (!file) return renames;
  try {
    const Json json = Json::parse(file->text());
    (void)json.as_object();
    for (const auto& [key, names] : {std::pair("inputs", &renames.inputs), std::pair("outputs", &renames.outputs)}) {
      const Json* list = json.find(key);
      if (list == nullptr) continue;
      for (const Json& name : list->as_array()) names->push_back(name.as_string());
    }
  } catch (const Error& error) {
    fail_data(what + ": its extra file onward.json: " + error.message(),
              R"(it should read {"inputs": ["name", …], "outputs": ["name", …]})");
  }
  return renames;
}

void check_renames(const std::string& kind, size_t named, size_t has, const std::string& what) {
  if (named == 0 || named == has) return;
  fail_data(what + ": its extra file onward.json names " + std::to_string(named) + " " + kind + ", the program has " +
            std::to_string(has));
}

}  // namespace onward::importer
