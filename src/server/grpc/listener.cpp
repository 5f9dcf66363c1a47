#include "server/grpc/listener.h"

#include <fmt/format.h>
#include <grpc/support/log.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "server/access.h"
#include "server/grpc/call.h"
#include "server/observe.h"
#include "server/wake.h"

namespace onward::server::grpc {
namespace {

namespace lib = ::grpc;

// The one table from canonical codes to gRPC's, which are the same by number.
lib::Status status_of(const Error& error) {
  static_assert(static_cast<int>(Code::kUnauthenticated) == static_cast<int>(lib::StatusCode::UNAUTHENTICATED));
  static_assert(static_cast<int>(Code::kFailedPrecondition) == static_cast<int>(lib::StatusCode::FAILED_PRECONDITION));
  static_assert(static_cast<int>(Code::kDataLoss) == static_cast<int>(lib::StatusCode::DATA_LOSS));
  const std::string& hint = error.hint();
  return {static_cast<lib::StatusCode>(error.code()), hint.empty() ? error.message() : error.message() + "; " + hint};
}

lib::ByteBuffer to_buffer(const Message& message) {
  std::vector<lib::Slice> slices;
  for (const Bytes& part : message) {
    if (part.empty()) continue;
    void* const data = const_cast<std::byte*>(part.data());  // gRPC only reads it
    slices.emplace_back(
        data, part.size(), [](void* owner) { delete static_cast<Bytes*>(owner); }, new Bytes(part));
  }
  return {slices.data(), slices.size()};
}

class Received : public Incoming {
 public:
  explicit Received(lib::ByteBuffer& buffer) : buffer_(buffer) {}
  void parse(google::protobuf::MessageLite& message) const override {
    lib::ProtoBufferReader reader(&buffer_);
    if (!message.ParseFromZeroCopyStream(&reader)) {
      fail_invalid("the request is not a valid " + message.GetTypeName());
    }
  }

 private:
  lib::ByteBuffer& buffer_;
};

std::string_view view(lib::string_ref text) { return {text.data(), text.size()}; }

std::string_view metadata(const lib::CallbackServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  return found == context.client_metadata().end() ? std::string_view() : view(found->second);
}

class Reactor;

// The calls that go on.
class Calls {
 public:
  void add(Reactor* call) {
    const std::lock_guard lock(mutex_);
    calls_.insert(call);
  }
  void remove(Reactor* call) {
    const std::lock_guard lock(mutex_);
    calls_.erase(call);
  }
  // Ends streams that are between requests; others when theirs are answered.
  void stop();

 private:
  std::mutex mutex_;
  std::unordered_set<Reactor*> calls_;
};

// Keeps itself alive until gRPC is done with it.
class Reactor : public lib::ServerGenericBidiReactor, public Call, public std::enable_shared_from_this<Reactor> {
 public:
  Reactor(Context& call_context, Calls& calls) : Call(call_context), calls_(calls) { calls_.add(this); }
  ~Reactor() override { calls_.remove(this); }

  void stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    if (!method_->streams || pending_ > 0 || status_) return;
    status_ = stopped();
    go_on(lock);
  }

  lib::ServerGenericBidiReactor* start(const lib::GenericCallbackServerContext& client, const Method* method) {
    self_ = shared_from_this();
    method_ = method;
    exchange_.method = "gRPC";
    exchange_.path = client.method();
    exchange_.remote = client.peer();
    exchange_.traceparent = metadata(client, "traceparent");
    exchange_.trace = context.tracer.begin(exchange_.traceparent);
    take_deadline(client);
    try {
      if (method == nullptr) fail_unsupported("there is no method " + client.method());
      authorization_ = metadata(client, "authorization");
      api_key_ = metadata(client, "x-api-key");
      require(method->role);
      StartRead(&buffer_);
    } catch (const Error& error) {
      fail(error);
    }
    return this;
  }

  void answer(Message message) override { write(message, true); }
  void send(Message message) override { write(message, false); }

  void fail(const Error& error) override { end(status_of(error)); }

  bool over() const override {
    const std::lock_guard lock(mutex_);
    return status_.has_value();
  }

  void require(Role role) const override {
    check_access(context.keys, context.options.admin, role, authorization_, api_key_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return on_half_close();
    {
      const std::lock_guard lock(mutex_);
      ++pending_;
      exchange_.in += buffer_.Length();
    }
    handle({});
  }

  void OnWriteDone(bool /*ok*/) override {
    std::unique_lock lock(mutex_);
    out_.pop_front();
    writing_ = false;
    go_on(lock);
  }

  void OnCancel() override {
    cancellation->cancel();
    fail(Error(Code::kCancelled, "the client went away"));
  }

  void OnDone() override {
    if (is_noted(context, exchange_.trace)) {
      exchange_.status = static_cast<int>(status_->error_code());
      exchange_.failed = !status_->ok();
      exchange_.took = serving::Clock::now() - arrived;
      note(context, exchange_);
    }
    const std::shared_ptr<Reactor> last = std::move(self_);  // may delete this
  }

 private:
  static constexpr size_t kMostPending = 64;

  void take_deadline(const lib::GenericCallbackServerContext& client) {
    const auto when = client.deadline();
    if (when == std::chrono::system_clock::time_point::max()) return;
    const auto left = when - std::chrono::system_clock::now();
    if (left < std::chrono::hours(24)) deadline = serving::Clock::now() + left;
  }

  // A handler that needs a parked model runs again when it is loaded.
  void handle(std::set<std::string> woken) {
    try {
      lib::ByteBuffer message(buffer_);  // shares its slices
      method_->handler(shared_from_this(), Received(message));
    } catch (const serving::Parked& parked) {
      const auto again = [self = shared_from_this()](std::set<std::string> all, const Error* error) {
        if (error != nullptr) return self->fail(*error);
        self->handle(std::move(all));
      };
      return wake_in_background(context, parked, std::move(woken), again);
    } catch (const Error& error) {
      return fail(error);
    } catch (const std::bad_alloc&) {
      return fail(Error(Code::kResourceExhausted, "out of memory for this request"));
    }
    if (method_->streams) read_on();
  }

  static lib::Status stopped() { return {lib::StatusCode::UNAVAILABLE, "the server is stopping"}; }

  void on_half_close() {
    {
      const std::lock_guard lock(mutex_);
      half_closed_ = true;
      if (pending_ > 0) return;
    }
    end(method_->streams ? lib::Status::OK : lib::Status(lib::StatusCode::INVALID_ARGUMENT, "no message came"));
  }

  // A stream whose answers lag behind is not read further.
  void read_on() {
    {
      const std::lock_guard lock(mutex_);
      paused_ = pending_ >= kMostPending;
      if (paused_) return;
    }
    StartRead(&buffer_);
  }

  void write(const Message& message, bool answers) {
    lib::ByteBuffer buffer = to_buffer(message);
    std::unique_lock lock(mutex_);
    if (status_) return;
    exchange_.out += buffer.Length();
    out_.push_back(std::move(buffer));
    const bool read_more = answers && paused_;
    if (answers) {
      --pending_;
      paused_ = false;
      const bool last = pending_ == 0;
      if (!method_->streams || (half_closed_ && last)) {
        status_ = lib::Status::OK;
      } else if (stopping_ && last) {
        status_ = stopped();
      }
    }
    go_on(lock);
    if (read_more) StartRead(&buffer_);
  }

  void end(lib::Status status) {
    std::unique_lock lock(mutex_);
    if (status_) return;
    status_ = std::move(status);
    go_on(lock);
  }

  // Starts what comes next; gives the lock back first, as gRPC may call back at once.
  void go_on(std::unique_lock<std::mutex>& lock) {
    if (writing_ || finished_) return lock.unlock();
    if (!out_.empty()) {
      writing_ = true;
      lib::ByteBuffer* const next = &out_.front();
      lock.unlock();
      StartWrite(next);
    } else if (status_) {
      finished_ = true;
      lock.unlock();
      Finish(*status_);
    } else {
      lock.unlock();
    }
  }

  Calls& calls_;
  const Method* method_ = nullptr;
  Exchange exchange_;
  std::string authorization_;
  std::string api_key_;
  std::shared_ptr<Reactor> self_;
  lib::ByteBuffer buffer_;
  mutable std::mutex mutex_;
  std::deque<lib::ByteBuffer> out_;
  std::optional<lib::Status> status_;
  size_t pending_ = 0;  // messages that wait for their answer
  bool half_closed_ = false;
  bool stopping_ = false;
  bool paused_ = false;
  bool writing_ = false;
  bool finished_ = false;
};

void Calls::stop() {
  const std::lock_guard lock(mutex_);
  for (Reactor* call : calls_) call->stop();
}

class Service : public lib::CallbackGenericService {
 public:
  explicit Service(Context& context) : context_(context) {
    for (const Method& method : methods()) methods_[method.path] = &method;
  }

  void stop_streams() { calls_.stop(); }

  lib::ServerGenericBidiReactor* CreateReactor(lib::GenericCallbackServerContext* context) override {
    context_.grpc_calls.fetch_add(1, std::memory_order_relaxed);
    const auto found = methods_.find(context->method());
    return std::make_shared<Reactor>(context_, calls_)
        ->start(*context, found == methods_.end() ? nullptr : found->second);
  }

 private:
  Context& context_;
  Calls calls_;
  std::unordered_map<std::string_view, const Method*> methods_;
};

// The HTTP listener has checked the files by now; gRPC looks every few seconds whether they are others.
std::shared_ptr<lib::ServerCredentials> credentials(const http::TlsOptions& tls) {
  if (!tls.wanted()) return lib::InsecureServerCredentials();
  constexpr unsigned kRefreshSeconds = 2;
  lib::experimental::TlsServerCredentialsOptions options(
      std::make_shared<lib::experimental::FileWatcherCertificateProvider>(tls.key, tls.certificate, tls.client_ca,
                                                                          kRefreshSeconds));
  options.watch_identity_key_cert_pairs();
  if (!tls.client_ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return lib::experimental::TlsServerCredentials(options);
}

class Listener : public Endpoint {
 public:
  explicit Listener(Context& context) : service_(context) {
    gpr_set_log_function([](gpr_log_func_args*) {});  // what matters comes back as a status
    const http::ListenerOptions& http = context.options.http;
    lib::ServerBuilder builder;
    const std::string where = http.host.find(':') == std::string::npos
                                  ? fmt::format("{}:{}", http.host, context.options.grpc_port)
                                  : fmt::format("[{}]:{}", http.host, context.options.grpc_port);
    builder.AddListeningPort(where, credentials(http.tls), &port_);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(static_cast<int>(std::min<size_t>(http.limits.body_bytes, INT32_MAX)));
    builder.SetMaxSendMessageSize(-1);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ && port_ != 0) return;
    throw Error(Code::kAlreadyExists, fmt::format("can't listen on {} for gRPC: the port is in use", where),
                "choose another one with --grpc PORT (0: any free one)");
  }
  ~Listener() override { end(std::chrono::milliseconds(0)); }

  uint16_t port() const override { return static_cast<uint16_t>(port_); }
  void stop(std::chrono::milliseconds patience) override { end(patience); }

 private:
  void end(std::chrono::milliseconds patience) {
    if (!server_) return;
    std::thread streams([this] { service_.stop_streams(); });
    server_->Shutdown(std::chrono::system_clock::now() + patience);
    streams.join();
    server_->Wait();
    server_.reset();
  }

  Service service_;
  std::unique_ptr<lib::Server> server_;
  int port_ = 0;
};

}  // namespace

Message serialized(const google::protobuf::MessageLite& message) {
  return {Bytes::from_string(message.SerializeAsString())};
}

std::unique_ptr<Endpoint> listen(Context& context) { return std::make_unique<Listener>(context); }

}  // namespace onward::server::grpc
