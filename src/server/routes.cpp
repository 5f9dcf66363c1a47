#include "server/routes.h"

#include "server/handlers/handlers.h"

namespace onward::server {

const std::vector<Route>& routes() {
  constexpr std::string_view kJson = "application/json";
  static const std::vector<Route> table = {
      {"POST", "/predict", predict, Role::kInfer, "predict", "One input to every model that accepts it", kJson},
      {"POST", "/v2/models/{model}/infer", infer, Role::kInfer, "inference", "Run a model", kJson},
      {"POST", "/v2/models/{model}/versions/{version}/infer", infer, Role::kInfer, "inference",
       "Run one version of a model", kJson},
      {"GET", "/v2/health/live", health_live, Role::kOpen, "health", "Whether the server runs"},
      {"GET", "/v2/health/ready", health_ready, Role::kOpen, "health", "Whether the server takes requests"},
      {"GET", "/v2", server_metadata, Role::kOpen, "metadata", "The server's name, version and extensions"},
      {"GET", "/v2/models", list_models, Role::kInfer, "metadata", "The served models' names"},
      {"GET", "/v2/models/{model}", model_metadata, Role::kInfer, "metadata", "A model's inputs and outputs"},
      {"GET", "/v2/models/{model}/versions/{version}", model_metadata, Role::kInfer, "metadata",
       "A version's inputs and outputs"},
      {"GET", "/v2/models/{model}/ready", model_ready, Role::kOpen, "health", "Whether a model takes requests"},
      {"GET", "/v2/models/{model}/versions/{version}/ready", model_ready, Role::kOpen, "health",
       "Whether a version takes requests"},
      {"GET", "/metrics", metrics, Role::kOpen, "operation", "Metrics for Prometheus"},
      {"GET", "/openapi.json", openapi, Role::kOpen, "operation", "This description"},
      {"GET", "/", home, Role::kOpen, "operation", "A page that lists the models"},
  };
  return table;
}

}  // namespace onward::server
