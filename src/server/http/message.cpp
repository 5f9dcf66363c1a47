#include "server/http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace onward::server::http {

std::string_view Request::query() const {
  const size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return {};
}

size_t Response::size() const {
  size_t size = 0;
  for (const Bytes& part : body) size += part.size();
  return size;
}

Response json_response(const Json& body, int status) { return text_response(body.dump(), "application/json", status); }

Response text_response(std::string body, std::string content_type, int status) {
  Response response{.status = status, .content_type = std::move(content_type)};
  response.body.push_back(Bytes::from_string(std::move(body)));
  return response;
}

Response error_response(const Error& error) {
  std::string text = error.message();
  if (!error.hint().empty()) text += "; " + error.hint();
  Response response = json_response(Json::object({{"error", text}}), http_status(error.code()));
  if (error.code() == Code::kResourceExhausted || error.code() == Code::kUnavailable) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

std::string server_timing(const serving::Timing& timing, std::string_view model) {
  // Every answer has one: it is put together by hand.
  std::string text;
  const auto add = [&](std::string_view what, serving::Clock::duration duration) {
    text += what;
    if (!model.empty()) text.append(";desc=\"").append(model).append("\"");
    const auto us = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
    std::array<char, 32> digits;
    char* end = std::to_chars(digits.data(), digits.data() + digits.size(), us / 1000).ptr;
    *end++ = '.';
    for (const uint64_t unit : {100U, 10U, 1U}) *end++ = static_cast<char>('0' + us / unit % 10);
    text.append(";dur=").append(digits.data(), end);
  };
  text.reserve(64);
  add("queue", timing.queue);
  add(", infer", timing.infer);
  return text;
}

int http_status(Code code) {
  switch (code) {
    case Code::kOk:
      return 200;
    case Code::kInvalidArgument:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
      return 400;
    case Code::kUnauthenticated:
      return 401;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
    case Code::kAborted:
      return 409;
    case Code::kResourceExhausted:
      return 429;
    case Code::kCancelled:
      return 499;
    case Code::kUnimplemented:
      return 501;
    case Code::kUnavailable:
      return 503;
    case Code::kDeadlineExceeded:
      return 504;
    case Code::kUnknown:
    case Code::kInternal:
    case Code::kDataLoss:
      break;
  }
  return 500;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return status < 500 ? "Error" : "Internal Server Error";
  }
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
           const auto lower = [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : +c; };
           return lower(x) == lower(y);
         });
}

std::vector<std::pair<std::string, std::string>> query_values(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> values;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (item.empty()) continue;
    const size_t equals = std::min(item.find('='), item.size());
    const std::string_view value = item.substr(std::min(equals + 1, item.size()));
    values.emplace_back(percent_decode(item.substr(0, equals)), percent_decode(value));
  }
  return values;
}

std::string percent_decode(std::string_view text) {
  if (text.find('%') == std::string_view::npos) return std::string(text);
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    const bool whole = i + 2 < text.size();
    if (!whole || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2 || value == 0) {
      fail_invalid(fmt::format("the address has a malformed escape: {}", text.substr(i, 3)));
    }
    decoded.push_back(static_cast<char>(value));
    i += 2;
  }
  return decoded;
}

}  // namespace onward::server::http
