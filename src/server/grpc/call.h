// gRPC calls, free of the gRPC library.
#pragma once

#include <google/protobuf/message_lite.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "server/router.h"

namespace onward::server::grpc {

// A serialized message: its parts one after another, sent without a copy.
using Message = std::vector<Bytes>;
Message serialized(const google::protobuf::MessageLite& message);

// A request message as it came.
class Incoming {
 public:
  virtual ~Incoming() = default;
  // Throws Error(kInvalidArgument) where it is no such message.
  virtual void parse(google::protobuf::MessageLite& message) const = 0;
};

// One call of a client. Its functions may be called from any thread and do nothing once the call is over.
class Call {
 public:
  explicit Call(Context& call_context) : context(call_context) {}
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // The answer to one request message; a call that does not stream is over with it.
  virtual void answer(Message message) = 0;
  // One more message; the call goes on.
  virtual void send(Message message) = 0;
  // Ends the call.
  virtual void fail(const Error& error) = 0;
  virtual bool over() const = 0;
  // Throws Error where the caller's key is not good for this role.
  virtual void require(Role role) const = 0;

  Context& context;
  serving::Clock::time_point arrived = serving::Clock::now();
  std::optional<serving::Clock::time_point> deadline;
  // Cancelled when the client goes away before the end.
  std::shared_ptr<serving::Cancellation> cancellation = std::make_shared<serving::Cancellation>();
};

using CallPtr = std::shared_ptr<Call>;

// Handles one request message, now or later; what it throws ends the call.
using Handler = void (*)(const CallPtr& call, const Incoming& message);

struct Method {
  std::string_view path;  // "/package.Service/Method"
  Handler handler;
  Role role;
  bool streams = false;  // the client may send any number of messages
};

// Everything the server answers over gRPC, in one table.
const std::vector<Method>& methods();

}  // namespace onward::server::grpc
