// The Server-Timing header: where a request's time went.
#pragma once

#include <fmt/format.h>

#include "server/http/message.h"

namespace onward::server::http {

inline void add_server_timing(Response& response, const serving::Timing& timing) {
  const auto ms = [](serving::Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
  };
  response.headers.emplace_back("Server-Timing",
                                fmt::format("queue;dur={:.3f}, infer;dur={:.3f}", ms(timing.queue), ms(timing.infer)));
}

}  // namespace onward::server::http
