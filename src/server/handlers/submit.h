// Running one model for one request.
#pragma once

#include <functional>

#include "server/router.h"

namespace onward::server {

// Submits the job with the request's cancellation and answers with what `write` makes of its outputs (an Error that it
// throws becomes the error answer), plus the Server-Timing header.
void submit(const Call& call, serving::Job job, std::function<http::Response(const std::vector<ir::Tensor>&)> write);

}  // namespace onward::server
