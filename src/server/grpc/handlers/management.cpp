#include "server/protocol/management.h"

#include <google/protobuf/util/json_util.h>

#include "server/grpc/handlers/handlers.h"
#include "server/grpc/proto/inference.pb.h"
#include "server/protocol/oip.h"

namespace onward::server::grpc {
namespace {

template <class Message>
Message parsed(const Incoming& incoming) {
  Message message;
  incoming.parse(message);
  return message;
}

// The protocol's messages have the fields of its JSON.
template <class Message>
void answer_json(const CallPtr& call, const Json& json) {
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(json.dump(), &message);
  if (!status.ok()) throw Error(Code::kInternal, "the answer does not fit its message: " + status.ToString());
  call->answer(serialized(message));
}

template <class Response>
oip::Managed answer_with(const CallPtr& call) {
  return [call](const Error* error) {
    if (error == nullptr) {
      call->answer(serialized(Response()));
    } else {
      call->fail(*error);
    }
  };
}

Json setting_json(const inference::LogSettingsRequest::SettingValue& value) {
  if (value.has_bool_param()) return value.bool_param();
  if (value.has_uint32_param()) return static_cast<int64_t>(value.uint32_param());
  return value.string_param();
}

}  // namespace

void server_live(const CallPtr& call, const Incoming&) {
  inference::ServerLiveResponse response;
  response.set_live(true);
  call->answer(serialized(response));
}

void server_ready(const CallPtr& call, const Incoming&) {
  inference::ServerReadyResponse response;
  response.set_ready(call->context.ready());
  call->answer(serialized(response));
}

void model_ready(const CallPtr& call, const Incoming& message) {
  const auto request = parsed<inference::ModelReadyRequest>(message);
  inference::ModelReadyResponse response;
  response.set_ready(call->context.repository.serves(request.name(), request.version()));
  call->answer(serialized(response));
}

void server_metadata(const CallPtr& call, const Incoming&) {
  answer_json<inference::ServerMetadataResponse>(call, oip::server_metadata());
}

void model_metadata(const CallPtr& call, const Incoming& message) {
  const auto request = parsed<inference::ModelMetadataRequest>(message);
  answer_json<inference::ModelMetadataResponse>(
      call, oip::model_metadata(call->context.repository, request.name(), request.version()));
}

void model_config(const CallPtr& call, const Incoming& message) {
  const auto request = parsed<inference::ModelConfigRequest>(message);
  const serving::ModelPtr model = call->context.repository.find(request.name(), request.version());
  answer_json<inference::ModelConfigResponse>(call, Json::object({{"config", oip::model_config(*model)}}));
}

void model_statistics(const CallPtr& call, const Incoming& message) {
  const auto request = parsed<inference::ModelStatisticsRequest>(message);
  answer_json<inference::ModelStatisticsResponse>(
      call, oip::model_statistics(call->context.repository, request.name(), request.version()));
}

void repository_index(const CallPtr& call, const Incoming& message) {
  const auto request = parsed<inference::RepositoryIndexRequest>(message);
  answer_json<inference::RepositoryIndexResponse>(
      call, Json::object({{"models", oip::repository_index(call->context.repository, request.ready())}}));
}

void repository_load(const CallPtr& call, const Incoming& message) {
  const auto request = parsed<inference::RepositoryModelLoadRequest>(message);
  for (const auto& [key, value] : request.parameters()) oip::refuse_override(key);
  oip::load(call->context, request.model_name(), answer_with<inference::RepositoryModelLoadResponse>(call));
}

void repository_unload(const CallPtr& call, const Incoming& message) {
  const auto request = parsed<inference::RepositoryModelUnloadRequest>(message);
  oip::unload(call->context, request.model_name(), answer_with<inference::RepositoryModelUnloadResponse>(call));
}

void trace_setting(const CallPtr& call, const Incoming& message) {
  const auto request = parsed<inference::TraceSettingRequest>(message);
  Json changes = Json::object();
  for (const auto& [key, setting] : request.settings()) {
    Json values = Json::array();
    for (const std::string& value : setting.value()) values.push(value);
    changes.set(key, std::move(values));
  }
  if (changes.size() > 0) call->require(Role::kAdmin);
  call->context.tracer.change(changes);
  inference::TraceSettingResponse response;
  const Json settings = call->context.tracer.settings();
  for (const auto& [key, value] : settings.as_object()) {
    auto& values = (*response.mutable_settings())[key];
    if (value.is_string()) values.add_value(value.as_string());
    if (value.is_array()) {
      for (const Json& each : value.as_array()) values.add_value(each.as_string());
    }
  }
  call->answer(serialized(response));
}

void log_settings(const CallPtr& call, const Incoming& message) {
  const auto request = parsed<inference::LogSettingsRequest>(message);
  Json changes = Json::object();
  for (const auto& [key, value] : request.settings()) changes.set(key, setting_json(value));
  if (changes.size() > 0) call->require(Role::kAdmin);
  call->context.log.change(changes);
  inference::LogSettingsResponse response;
  const Json settings = call->context.log.settings();
  for (const auto& [key, value] : settings.as_object()) {
    auto& setting = (*response.mutable_settings())[key];
    if (value.is_bool()) setting.set_bool_param(value.as_bool());
    if (value.is_int()) setting.set_uint32_param(static_cast<uint32_t>(value.as_int()));
    if (value.is_string()) setting.set_string_param(value.as_string());
  }
  call->answer(serialized(response));
}

}  // namespace onward::server::grpc
