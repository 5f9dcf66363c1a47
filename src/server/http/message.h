// HTTP requests and responses, free of the HTTP library.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "serving/scheduler.h"

namespace onward::server::http {

using Header = std::pair<std::string, std::string>;

struct Request {
  std::string method;
  std::string target;  // as sent: path and query
  std::vector<Header> headers;
  Bytes body;  // with any Content-Encoding undone
  std::string remote;
  serving::Clock::time_point arrived;
  // Cancelled when the client goes away before the answer.
  std::shared_ptr<serving::Cancellation> cancellation;

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view query() const;
  // The first header of this name in any case; empty when there is none.
  std::string_view header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<Header> headers;
  std::vector<Bytes> body;  // one after another

  size_t size() const;
};

// Sends the answer; called exactly once, from any thread.
using Respond = std::function<void(Response)>;
using RequestPtr = std::shared_ptr<const Request>;
// Must not block for long: it runs in the connections' thread for small bodies.
using Handle = std::function<void(RequestPtr, Respond)>;

Response json_response(const Json& body, int status = 200);
Response text_response(std::string body, std::string content_type, int status = 200);
// {"error": "<message>. <hint>"} with the code's status.
Response error_response(const Error& error);

// The value of a Server-Timing header; `model` is named where there are several.
std::string server_timing(const serving::Timing& timing, std::string_view model = {});

// The one table from canonical codes to HTTP's.
int http_status(Code code);
std::string_view reason_phrase(int status);

bool same_name(std::string_view a, std::string_view b);  // ASCII case aside
// key=value&… with escapes undone. Throws Error(kInvalidArgument) for malformed ones.
std::vector<std::pair<std::string, std::string>> query_values(std::string_view query);
// %XX undone. Throws Error(kInvalidArgument) where it is malformed or holds a NUL.
std::string percent_decode(std::string_view text);

}  // namespace onward::server::http
