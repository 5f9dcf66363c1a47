// The gRPC handlers, one file for each service or verb; methods.cpp says where each is.
#pragma once

#include "server/grpc/call.h"

namespace onward::server::grpc {

void server_live(const CallPtr& call, const Incoming& message);
void server_ready(const CallPtr& call, const Incoming& message);
void model_ready(const CallPtr& call, const Incoming& message);
void server_metadata(const CallPtr& call, const Incoming& message);
void model_metadata(const CallPtr& call, const Incoming& message);
void model_config(const CallPtr& call, const Incoming& message);
void model_statistics(const CallPtr& call, const Incoming& message);
void repository_index(const CallPtr& call, const Incoming& message);
void repository_load(const CallPtr& call, const Incoming& message);
void repository_unload(const CallPtr& call, const Incoming& message);
void trace_setting(const CallPtr& call, const Incoming& message);
void log_settings(const CallPtr& call, const Incoming& message);
void model_infer(const CallPtr& call, const Incoming& message);
void model_stream_infer(const CallPtr& call, const Incoming& message);

void health_check(const CallPtr& call, const Incoming& message);
void health_watch(const CallPtr& call, const Incoming& message);
void reflect(const CallPtr& call, const Incoming& message);

void tfs_predict(const CallPtr& call, const Incoming& message);
void tfs_classify(const CallPtr& call, const Incoming& message);
void tfs_regress(const CallPtr& call, const Incoming& message);
void tfs_multi_inference(const CallPtr& call, const Incoming& message);
void tfs_model_metadata(const CallPtr& call, const Incoming& message);
void tfs_model_status(const CallPtr& call, const Incoming& message);
void tfs_reload(const CallPtr& call, const Incoming& message);

}  // namespace onward::server::grpc
