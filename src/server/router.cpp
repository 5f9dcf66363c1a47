#include "server/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/wake.h"

namespace onward::server {
namespace {

PathSegments split(std::string_view path) {
  PathSegments segments;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  if (!path.empty() && path.back() == '/') path.remove_suffix(1);
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return segments;
}

// "{model}:predict" → name "model", suffix ":predict".
bool match_segment(std::string_view pattern, std::string_view segment, Call& call) {
  const size_t close = pattern.find('}');
  const std::string_view suffix = pattern.substr(close + 1);
  if (segment.size() <= suffix.size() || !http::same_name(segment.substr(segment.size() - suffix.size()), suffix)) {
    return false;
  }
  call.params.emplace_back(pattern.substr(1, close - 1),
                           http::percent_decode(segment.substr(0, segment.size() - suffix.size())));
  return true;
}

// TensorFlow Serving takes its paths in any case.
bool same_fixed(const PathSegments& pattern, std::string_view wanted, std::string_view segment) {
  return wanted == segment || (pattern.front() == "v1" && http::same_name(wanted, segment));
}

bool match(const PathSegments& pattern, const PathSegments& path, Call& call) {
  if (pattern.size() != path.size()) return false;
  // Most patterns differ in a fixed segment: nothing is decoded for them.
  for (size_t i = path.size(); i-- > 0;) {
    if (pattern[i].front() != '{' && !same_fixed(pattern, pattern[i], path[i])) return false;
  }
  call.params.clear();
  for (size_t i = 0; i < path.size(); ++i) {
    if (pattern[i].front() == '{' && !match_segment(pattern[i], path[i], call)) return false;
  }
  return true;
}

// Answers with what `action` throws.
template <class Action>
void answering(const http::Respond& respond, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    respond(http::error_response(error));
  } catch (const std::bad_alloc&) {
    respond(http::error_response(Error(Code::kResourceExhausted, "out of memory for this request")));
  }
}

// A handler that needs a parked model runs again when it is loaded.
void run(Handler handler, const Call& call, std::set<std::string> woken) {
  answering(call.respond, [&] {
    try {
      handler(call);
    } catch (const serving::Parked& parked) {
      wake_in_background(call.context, parked, std::move(woken),
                         [handler, call](std::set<std::string> all, const Error* error) {
                           if (error != nullptr) return call.respond(http::error_response(*error));
                           run(handler, call, std::move(all));
                         });
    }
  });
}

void answer_unmatched(const std::string& allowed, const http::Request& request, const http::Respond& respond) {
  if (allowed.empty()) {
    fail_not_found(fmt::format("there is nothing at {}", request.path()), "see /openapi.json for what there is");
  }
  http::Response response = http::json_response(
      Json::object(
          {{"error", fmt::format("{} is not possible at {}, only {}", request.method, request.path(), allowed)}}),
      405);
  response.headers.emplace_back("Allow", allowed);
  respond(std::move(response));
}

}  // namespace

std::string_view Call::param(std::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return {};
}

Router::Router(const std::vector<Route>& routes) {
  for (const Route& route : routes) patterns_.push_back({route, split(route.path)});
}

void Router::handle(Context& context, http::RequestPtr request, http::Respond respond) const {
  Call call{context, std::move(request), {}, std::move(respond)};
  answering(call.respond, [&] {
    const PathSegments path = split(call.request->path());
    const std::string_view method = call.request->method == "HEAD" ? "GET" : std::string_view(call.request->method);
    std::string allowed;
    for (const Pattern& pattern : patterns_) {
      if (!match(pattern.segments, path, call)) continue;
      if (pattern.route.method == method) {
        check_access(context.keys, context.options.admin, pattern.route.role, call.request->header("Authorization"),
                     call.request->header("X-API-Key"));
        return run(pattern.route.handler, call, {});
      }
      allowed.append(allowed.empty() ? "" : ", ").append(pattern.route.method);
    }
    answer_unmatched(allowed, *call.request, call.respond);
  });
}

}  // namespace onward::server
