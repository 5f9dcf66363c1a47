#include "server/http/connection.h"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "server/http/body.h"
#include "server/http/compression.h"

namespace onward::server::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = serving::Clock;
using Parser = beast::http::request_parser<AlignedBody>;

constexpr size_t kReadBuffer = 64 * 1024;
constexpr size_t kSmallBody = 32 * 1024;  // handled in the connection's thread

// Writes everything, in larger pieces than Asio's 64 KiB.
constexpr auto kAtOnce = [](const error_code& error, size_t) { return error ? size_t{0} : size_t{4} << 20; };

// What a proxy is asked for, "http://host/path", is the path here.
std::string_view origin_form(std::string_view target) {
  if (target.starts_with('/')) return target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_name(target.substr(0, scheme.size()), scheme)) continue;
    const size_t path = target.find('/', scheme.size());
    return path == std::string_view::npos ? "/" : target.substr(path);
  }
  return target;
}

tcp::socket& lowest(tcp::socket& socket) { return socket; }
tcp::socket& lowest(asio::ssl::stream<tcp::socket>& stream) { return stream.next_layer(); }

template <class Stream>
class Connection : public ConnectionBase, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  template <class... Args>
  Connection(Loop& loop, Shared& shared, Args&&... args)
      : loop_(loop), shared_(shared), stream_(std::forward<Args>(args)...) {
    buffer_.reserve(kReadBuffer);
    error_code error;
    const auto endpoint = lowest(stream_).remote_endpoint(error);
    if (!error) remote_ = endpoint.address().to_string();
    lowest(stream_).set_option(tcp::no_delay(true), error);
    shared_.connections.fetch_add(1);
  }
  ~Connection() override {
    loop_.remove(this);
    shared_.connections.fetch_sub(1);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() {
    loop_.add(this->shared_from_this());
    expire_after(shared_.limits.request);
    if constexpr (std::is_same_v<Stream, tcp::socket>) {
      read_header();
    } else {
      stream_.async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](error_code error) {
        if (!error) self->read_header();
      });
    }
  }

  void check(Clock::time_point now) override {
    if (state_ == State::kIdle && parser_ && buffer_.size() > 0 && !begun_) {
      begun_ = true;  // a header that is not whole yet
      expires_ = std::min(expires_, now + shared_.limits.request);
    }
    if (now < expires_) return;
    const bool reading = begun_ || (state_ == State::kReading && parser_ && parser_->is_header_done());
    if (reading && !late_) {
      late_ = true;  // the reading that ends now answers so
      error_code ignored;
      lowest(stream_).cancel(ignored);
    } else if (state_ != State::kAnswering) {
      close();
    }
  }

  void stop_when_idle() override {
    if (state_ == State::kIdle) close();
  }

  void close() override {
    error_code ignored;
    lowest(stream_).close(ignored);
  }

 private:
  enum class State { kIdle, kReading, kAnswering, kWriting };

  void expire_after(std::chrono::seconds time) { expires_ = Clock::now() + time; }

  void read_header() {
    if (shared_.stopping && buffer_.size() == 0) return close();
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(shared_.limits.header_bytes));
    parser_->body_limit(shared_.limits.body_bytes);
    state_ = State::kIdle;
    begun_ = false;
    late_ = false;
    expire_after(shared_.limits.idle);
    beast::http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](error_code error, size_t) { self->on_header(error); });
  }

  void on_header(error_code error) {
    if (late_) return refuse_late();
    if (error) return on_read_error(error);
    state_ = State::kReading;
    begun_ = false;
    expire_after(shared_.limits.request);
    arrived_ = Clock::now();
    auto& message = parser_->get();
    keep_alive_ = message.keep_alive();
    if (const auto length = parser_->content_length(); length && *length > shared_.limits.body_bytes) {
      return too_large();
    }
    if (const auto coding = message[beast::http::field::transfer_encoding];
        !coding.empty() && !same_name(coding, "chunked")) {
      return refuse(501, fmt::format("Transfer-Encoding \"{}\" is not supported, only chunked",
                                     std::string_view(coding.data(), coding.size())));
    }
    message.body().align_after(message["Inference-Header-Content-Length"]);
    if (parser_->is_done()) return dispatch();
    if (const auto length = parser_->content_length(); !length || *length > buffer_.size()) hurry();
    if (same_name(message[beast::http::field::expect], "100-continue") && message.version() >= 11) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(stream_, asio::buffer(kContinue), [self = this->shared_from_this()](error_code bad, size_t) {
        if (!bad) self->read_body();
      });
      return;
    }
    read_body();
  }

  // A client that sends header and body apart (with Nagle's algorithm) waits for our acknowledgement of the first,
  // which the kernel would delay by 40 ms.
  void hurry() {
    const int on = 1;
    setsockopt(lowest(stream_).native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  }

  void read_body() {
    if (const auto length = parser_->content_length()) {
      auto& body = parser_->get().body();
      body.reserve(static_cast<size_t>(std::min(*length, AlignedBody::kTrusted)));
      const size_t here = std::min(static_cast<size_t>(*length), buffer_.size());
      body.append(buffer_.data().data(), here);
      buffer_.consume(here);
      return read_rest(static_cast<size_t>(*length));
    }
    beast::http::async_read(stream_, buffer_, *parser_, [self = this->shared_from_this()](error_code error, size_t) {
      if (self->late_) return self->refuse_late();
      if (error) {
        self->on_read_error(error);
      } else {
        self->dispatch();
      }
    });
  }

  // A body of known length goes straight to where it stays.
  void read_rest(size_t length) {
    auto& body = parser_->get().body();
    if (body.size() == length) return dispatch();
    const size_t part = std::min<size_t>(length - body.size(), AlignedBody::kTrusted);
    stream_.async_read_some(body.free_room(part),
                            [self = this->shared_from_this(), length](error_code error, size_t count) {
                              if (self->late_) return self->refuse_late();
                              if (error) return self->close();
                              self->parser_->get().body().commit(count);
                              self->read_rest(length);
                            });
  }

  void on_read_error(error_code error) {
    using Http = beast::http::error;
    static const error_code bad_request = make_error_code(Http::bad_method);
    if (error == Http::header_limit || error == Http::buffer_overflow) {
      refuse(431, fmt::format("the request's header is larger than {} bytes", shared_.limits.header_bytes));
    } else if (error == Http::body_limit) {
      too_large();
    } else if (error.category() == bad_request.category() && error != Http::end_of_stream &&
               error != Http::partial_message) {
      refuse(400, "the request is not valid HTTP: " + error.message());
    } else {
      close();
    }
  }

  void refuse_late() { refuse(408, "the request did not arrive in time"); }
  void too_large() { refuse(413, fmt::format("the body is larger than {} bytes", shared_.limits.body_bytes)); }

  // Answers and closes: what else the client sends is not read as a request.
  void refuse(int status, const std::string& why) {
    keep_alive_ = false;
    linger_ = true;
    state_ = State::kAnswering;
    write(json_response(Json::object({{"error", why}}), status));
  }

  void dispatch() {
    auto request = std::make_shared<Request>();
    auto& message = parser_->get();
    request->method = std::string(message.method_string());
    request->target = std::string(origin_form(message.target()));
    request->headers.reserve(8);
    for (const auto& field : message) request->headers.emplace_back(field.name_string(), field.value());
    request->remote = remote_;
    request->arrived = arrived_;
    request->cancellation = std::make_shared<serving::Cancellation>();
    const bool small = message.body().size() <= kSmallBody;
    request->body = std::move(message.body()).take();
    head_ = request->method == "HEAD";
    accept_encoding_ = std::string(message[beast::http::field::accept_encoding]);
    state_ = State::kAnswering;
    cancellation_ = request->cancellation;
    const uint64_t turn = ++turn_;
    if (small && request->header("Content-Encoding").empty()) {
      handle(std::move(request), turn);
    } else {
      asio::post(*shared_.workers, [self = this->shared_from_this(), request = std::move(request), turn]() mutable {
        self->handle(std::move(request), turn);
      });
    }
    if (state_ == State::kAnswering && turn == turn_) watch();
  }

  void handle(std::shared_ptr<Request> request, uint64_t turn) {
    const auto respond = [self = this->shared_from_this(), turn](Response response) {
      if (self->loop_.context.get_executor().running_in_this_thread()) return self->answer(turn, std::move(response));
      asio::post(self->loop_.context,
                 [self, turn, response = std::move(response)]() mutable { self->answer(turn, std::move(response)); });
    };
    try {
      request->body = decompress(request->body, request->header("Content-Encoding"), shared_.limits.decompressed_bytes);
    } catch (const Error& error) {
      Response response = error_response(error);
      if (error.code() == Code::kOutOfRange) response.status = 413;
      if (error.code() == Code::kUnimplemented) response.status = 415;
      return respond(std::move(response));
    }
    shared_.handle(std::move(request), respond);
  }

  void answer(uint64_t turn, Response response) {
    if (turn_ == turn && state_ == State::kAnswering) write(std::move(response));
  }

  // While an answer is being made, notice that the client went away.
  void watch() {
    watching_ = true;
    lowest(stream_).async_wait(tcp::socket::wait_read, [self = this->shared_from_this()](error_code error) {
      self->watching_ = false;
      if (error || self->state_ != State::kAnswering) return;
      char byte = 0;
      error_code peek_error;
      lowest(self->stream_).non_blocking(true, peek_error);
      lowest(self->stream_).receive(asio::buffer(&byte, 1), tcp::socket::message_peek, peek_error);
      if (peek_error && peek_error != asio::error::would_block && self->cancellation_) self->cancellation_->cancel();
    });
  }

  void write(Response response) {
    state_ = State::kWriting;
    cancellation_.reset();
    if (watching_) {
      error_code ignored;
      lowest(stream_).cancel(ignored);
    }
    if (shared_.stopping) keep_alive_ = false;
    expire_after(shared_.limits.request);
    compress(response, accept_encoding_);
    const bool http10 = parser_->get().version() < 11;
    head_text_.clear();
    head_text_.append("HTTP/1.1 ").append(fmt::format_int(response.status).c_str()).append(" ");
    head_text_.append(reason_phrase(response.status)).append("\r\nContent-Type: ").append(response.content_type);
    head_text_.append("\r\nContent-Length: ").append(fmt::format_int(response.size()).c_str()).append("\r\n");
    for (const auto& [name, value] : response.headers) {
      head_text_.append(name).append(": ").append(value).append("\r\n");
    }
    if (!keep_alive_) {
      head_text_ += "Connection: close\r\n";
    } else if (http10) {
      head_text_ += "Connection: keep-alive\r\n";
    }
    head_text_ += "\r\n";
    body_ = std::move(response.body);
    std::vector<asio::const_buffer> buffers{asio::buffer(head_text_)};
    if (!head_) {
      for (const Bytes& part : body_) buffers.emplace_back(part.data(), part.size());
    }
    asio::async_write(stream_, buffers, kAtOnce, [self = this->shared_from_this()](error_code error, size_t) {
      self->body_.clear();
      if (error) return self->close();
      if (self->keep_alive_) return self->read_header();
      self->finish();
    });
  }

  // Closing a socket with unread input would reset the connection before the client has read the answer.
  void finish() {
    error_code ignored;
    if constexpr (std::is_same_v<Stream, tcp::socket>) lowest(stream_).shutdown(tcp::socket::shutdown_send, ignored);
    if (!linger_) return close();
    expire_after(std::chrono::seconds(2));
    state_ = State::kReading;
    late_ = true;
    drain();
  }

  void drain() {
    buffer_.clear();
    lowest(stream_).async_read_some(buffer_.prepare(kReadBuffer),
                                    [self = this->shared_from_this()](error_code error, size_t) {
                                      if (error || Clock::now() > self->expires_) return self->close();
                                      self->drain();
                                    });
  }

  Loop& loop_;
  Shared& shared_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::string remote_;
  State state_ = State::kIdle;
  Clock::time_point expires_;
  Clock::time_point arrived_;
  std::shared_ptr<serving::Cancellation> cancellation_;
  std::string accept_encoding_;
  std::string head_text_;
  std::vector<Bytes> body_;
  uint64_t turn_ = 0;  // which request is being answered
  bool keep_alive_ = true;
  bool head_ = false;
  bool watching_ = false;
  bool begun_ = false;  // a part of a header is there
  bool late_ = false;
  bool linger_ = false;
};

}  // namespace

void serve(Loop& loop, Shared& shared, tcp::socket socket) {
  std::make_shared<Connection<tcp::socket>>(loop, shared, std::move(socket))->start();
}

void serve(Loop& loop, Shared& shared, tcp::socket socket, asio::ssl::context& tls) {
  std::make_shared<Connection<asio::ssl::stream<tcp::socket>>>(loop, shared, std::move(socket), tls)->start();
}

}  // namespace onward::server::http
