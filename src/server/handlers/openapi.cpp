#include <algorithm>
#include <string>

#include "server/handlers/handlers.h"
#include "server/routes.h"

namespace onward::server {
namespace {

Json parameters_of(std::string_view path) {
  Json parameters = Json::array();
  for (size_t open = path.find('{'); open != std::string_view::npos; open = path.find('{', open + 1)) {
    const size_t close = path.find('}', open);
    parameters.push(Json::object({{"name", path.substr(open + 1, close - open - 1)},
                                  {"in", "path"},
                                  {"required", true},
                                  {"schema", Json::object({{"type", "string"}})}}));
  }
  return parameters;
}

Json content(std::string_view type, std::string_view schema) {
  Json object = Json::object({{"type", "object"}});
  if (!schema.empty()) object = Json::object({{"$ref", "#/components/schemas/" + std::string(schema)}});
  return Json::object({{type.empty() ? "application/json" : std::string(type), Json::object({{"schema", object}})}});
}

Json operation_of(const Route& route) {
  std::string id(route.method);
  for (const char c : route.path) id += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  Json operation = Json::object({{"operationId", id},
                                 {"summary", route.summary},
                                 {"tags", Json::array({Json(route.tag)})},
                                 {"parameters", parameters_of(route.path)}});
  if (!route.request_type.empty()) {
    operation.set("requestBody", Json::object({{"required", true}, {"content", content(route.request_type, "")}}));
  }
  operation.set("responses",
                Json::object({{"200", Json::object({{"description", "Done"}})},
                              {"default", Json::object({{"description", "What went wrong"},
                                                        {"content", content("application/json", "Error")}})}}));
  if (route.role != Role::kOpen) operation.set("security", Json::array({Json::object({{"key", Json::array()}})}));
  return operation;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

}  // namespace

void openapi(const Call& call) {
  Json paths = Json::object();
  for (const Route& route : routes()) {
    Json operations = paths.contains(route.path) ? paths.at(route.path) : Json::object();
    operations.set(lower(route.method), operation_of(route));
    paths.set(route.path, std::move(operations));
  }
  const Json error = Json::object({{"type", "object"},
                                   {"required", Json::array({Json("error")})},
                                   {"properties", Json::object({{"error", Json::object({{"type", "string"}})}})}});
  const Json key = Json::object({{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}});
  call.respond(http::json_response(
      Json::object({{"openapi", "3.0.3"},
                    {"info", Json::object({{"title", "Onward"}, {"version", ONWARD_VERSION}})},
                    {"paths", std::move(paths)},
                    {"components", Json::object({{"schemas", Json::object({{"Error", error}})},
                                                 {"securitySchemes", Json::object({{"key", key}})}})}})));
}

}  // namespace onward::server
