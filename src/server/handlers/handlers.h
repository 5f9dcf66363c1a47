// The HTTP handlers, one file each; routes.cpp says where each is.
#pragma once

#include "server/router.h"

namespace onward::server {

void predict(const Call& call);
void infer(const Call& call);
void generate_once(const Call& call);
void generate_stream(const Call& call);
void health_live(const Call& call);
void health_ready(const Call& call);
void server_metadata(const Call& call);
void list_models(const Call& call);
void model_metadata(const Call& call);
void model_ready(const Call& call);
void model_config(const Call& call);
void model_statistics(const Call& call);
void repository_index(const Call& call);
void repository_load(const Call& call);
void repository_unload(const Call& call);
void tfs_predict(const Call& call);
void tfs_classify(const Call& call);
void tfs_regress(const Call& call);
void tfs_status(const Call& call);
void tfs_metadata(const Call& call);
void log_settings(const Call& call);
void change_log_settings(const Call& call);
void trace_settings(const Call& call);
void change_trace_settings(const Call& call);
void metrics(const Call& call);
void openapi(const Call& call);
void home(const Call& call);
void web_file(const Call& call);

}  // namespace onward::server
