// One JSON line per answered request on stderr.
#pragma once

#include "server/http/message.h"

namespace onward::server {

// `respond`, which also writes the line.
http::Respond logged(const http::RequestPtr& request, http::Respond respond);

}  // namespace onward::server
