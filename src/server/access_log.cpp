#include "server/access_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "server/protocol/json_tensor.h"

namespace onward::server {

http::Respond logged(const http::RequestPtr& request, http::Respond respond) {
  return [request, respond = std::move(respond)](http::Response response) {
    const double ms = std::chrono::duration<double, std::milli>(serving::Clock::now() - request->arrived).count();
    std::string line = fmt::format(R"({{"time":"{:%FT%TZ}","remote":)",
                                   fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
    write_json_string(line, request->remote);
    line += R"(,"method":)";
    write_json_string(line, request->method);
    line += R"(,"path":)";
    write_json_string(line, request->target);
    fmt::format_to(std::back_inserter(line), R"(,"status":{},"in":{},"out":{},"ms":{:.3f})", response.status,
                   request->body.size(), response.size(), ms);
    if (const std::string_view trace = request->header("traceparent"); !trace.empty()) {
      line += R"(,"traceparent":)";
      write_json_string(line, trace);
    }
    line += "}\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
    respond(std::move(response));
  };
}

}  // namespace onward::server
