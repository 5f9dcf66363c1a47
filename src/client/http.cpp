#include "client/http.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <functional>
#include <optional>

#include "base/error.h"

namespace onward::client {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using Code_ = boost::system::error_code;

constexpr size_t kMostAnswer = size_t{1} << 31;

using Request = http::request<http::span_body<const char>>;

}  // namespace

bool is_url(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

Url parse_url(std::string_view text, std::string_view default_port) {
  const std::string whole(text);
  if (!is_url(text)) fail_invalid("\"" + whole + "\" is no URL that begins with http:// or https://");
  Url url;
  url.tls = text.starts_with("https://");
  text.remove_prefix(url.tls ? 8 : 7);
  const size_t slash = text.find('/');
  url.path = slash == std::string_view::npos ? "/" : std::string(text.substr(slash));
  const std::string_view authority = text.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    fail_invalid("\"" + whole + "\" names a user", "give keys as headers: --header 'Authorization: Bearer KEY'");
  }
  const size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) fail_invalid("\"" + whole + "\": the address has no ]");
  const size_t colon = authority.find(':', bracket);
  url.host = std::string(bracket == 0 ? authority.substr(0, colon) : authority.substr(1, bracket - 1));
  if (default_port.empty()) default_port = url.tls ? "443" : "80";
  url.port = colon == std::string_view::npos ? default_port : authority.substr(colon + 1);
  const bool digits = !url.port.empty() && url.port.find_first_not_of("0123456789") == std::string::npos;
  if (url.host.empty() || !digits) fail_invalid("\"" + whole + "\" has no host, or a port that is no number");
  return url;
}

class Connection::Impl {
 public:
  Impl(Url url, std::chrono::milliseconds patience) : url_(std::move(url)), patience_(patience) {
    if (!url_.tls) return;
    tls_.set_default_verify_paths();
    tls_.set_verify_mode(boost::asio::ssl::verify_peer);
  }

  Answer exchange(Request& request) {
    request.set(http::field::host, url_.host + ":" + url_.port);
    const bool kept = stream_.has_value();
    try {
      return attempt(request);
    } catch (const Error& error) {
      stream_.reset();
      // The server may have closed a connection that was idle.
      if (!kept || error.code() != Code::kUnavailable) throw;
    }
    return attempt(request);
  }

 private:
  using Stream = beast::ssl_stream<beast::tcp_stream>;

  std::string where() const { return (url_.tls ? "https://" : "http://") + url_.host + ":" + url_.port; }

  void check(const Code_& error) {
    if (!error) return;
    stream_.reset();
    if (error == beast::error::timeout) {
      throw Error(Code::kDeadlineExceeded, where() + " gave no answer in time");
    }
    throw Error(Code::kUnavailable, where() + ": " + error.message(), "is the server running there?");
  }

  // Runs one asynchronous step: only these know time limits.
  void step(const std::function<void(const std::function<void(Code_)>&)>& start) {
    Code_ result;
    beast::get_lowest_layer(*stream_).expires_after(patience_);
    start([&](Code_ error) { result = error; });
    context_.restart();
    context_.run();
    check(result);
  }

  void connect() {
    Code_ error;
    const auto found = tcp::resolver(context_).resolve(url_.host, url_.port, error);
    stream_.emplace(context_, tls_);
    check(error);
    beast::tcp_stream& plain = beast::get_lowest_layer(*stream_);
    step([&](const auto& done) {
      plain.async_connect(found, [done](Code_ code, const tcp::endpoint&) { done(code); });
    });
    plain.socket().set_option(tcp::no_delay(true), error);
    check(error);
    if (!url_.tls) return;
    SSL_set_tlsext_host_name(stream_->native_handle(), url_.host.c_str());
    stream_->set_verify_callback(boost::asio::ssl::host_name_verification(url_.host));
    step([&](const auto& done) { stream_->async_handshake(boost::asio::ssl::stream_base::client, done); });
  }

  template <class Layer>
  void send_and_receive(Layer& layer, Request& request, http::response_parser<http::string_body>& parser) {
    step([&](const auto& done) { http::async_write(layer, request, [done](Code_ code, size_t) { done(code); }); });
    step([&](const auto& done) {
      http::async_read(layer, buffer_, parser, [done](Code_ code, size_t) { done(code); });
    });
  }

  Answer attempt(Request& request) {
    if (!stream_) connect();
    buffer_.clear();
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostAnswer);
    if (url_.tls) {
      send_and_receive(*stream_, request, parser);
    } else {
      send_and_receive(beast::get_lowest_layer(*stream_), request, parser);
    }
    const bool keep = parser.keep_alive();
    auto response = parser.release();
    if (!keep) stream_.reset();
    return {static_cast<int>(response.result_int()), std::move(response.body())};
  }

  Url url_;
  std::chrono::milliseconds patience_;
  boost::asio::io_context context_;
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_client};
  std::optional<Stream> stream_;
  beast::flat_buffer buffer_;
};

Connection::Connection(Url url, std::chrono::milliseconds patience)
    : impl_(std::make_unique<Impl>(std::move(url), patience)) {}
Connection::~Connection() = default;

Answer Connection::exchange(std::string_view method, const std::string& target, std::string_view body,
                            const Headers& headers) {
  Request request(http::string_to_verb(method), target, 11);
  for (const auto& [name, value] : headers) request.set(name, value);
  request.body() = beast::span<const char>(body.data(), body.size());
  request.prepare_payload();
  return impl_->exchange(request);
}

}  // namespace onward::client
