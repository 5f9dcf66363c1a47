#include "server/grpc/handlers/handlers.h"

namespace onward::server::grpc {

const std::vector<Method>& methods() {
  static const std::vector<Method> table = {
      {"/inference.GRPCInferenceService/ServerLive", server_live, Role::kOpen},
      {"/inference.GRPCInferenceService/ServerReady", server_ready, Role::kOpen},
      {"/inference.GRPCInferenceService/ModelReady", model_ready, Role::kOpen},
      {"/inference.GRPCInferenceService/ServerMetadata", server_metadata, Role::kOpen},
      {"/inference.GRPCInferenceService/ModelMetadata", model_metadata, Role::kInfer},
      {"/inference.GRPCInferenceService/ModelInfer", model_infer, Role::kInfer},
      {"/inference.GRPCInferenceService/ModelStreamInfer", model_stream_infer, Role::kInfer, true},
      {"/inference.GRPCInferenceService/ModelConfig", model_config, Role::kInfer},
      {"/inference.GRPCInferenceService/ModelStatistics", model_statistics, Role::kInfer},
      {"/inference.GRPCInferenceService/RepositoryIndex", repository_index, Role::kInfer},
      {"/inference.GRPCInferenceService/RepositoryModelLoad", repository_load, Role::kAdmin},
      {"/inference.GRPCInferenceService/RepositoryModelUnload", repository_unload, Role::kAdmin},
      {"/inference.GRPCInferenceService/TraceSetting", trace_setting, Role::kInfer},
      {"/inference.GRPCInferenceService/LogSettings", log_settings, Role::kInfer},
      {"/grpc.health.v1.Health/Check", health_check, Role::kOpen},
      {"/grpc.health.v1.Health/Watch", health_watch, Role::kOpen},
      {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", reflect, Role::kOpen, true},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", reflect, Role::kOpen, true},
      {"/tensorflow.serving.PredictionService/Predict", tfs_predict, Role::kInfer},
      {"/tensorflow.serving.PredictionService/Classify", tfs_classify, Role::kInfer},
      {"/tensorflow.serving.PredictionService/Regress", tfs_regress, Role::kInfer},
      {"/tensorflow.serving.PredictionService/MultiInference", tfs_multi_inference, Role::kInfer},
      {"/tensorflow.serving.PredictionService/GetModelMetadata", tfs_model_metadata, Role::kInfer},
      {"/tensorflow.serving.ModelService/GetModelStatus", tfs_model_status, Role::kOpen},
      {"/tensorflow.serving.ModelService/HandleReloadConfigRequest", tfs_reload, Role::kAdmin},
  };
  return table;
}

}  // namespace onward::server::grpc
