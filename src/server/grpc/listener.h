// The gRPC listener: receives calls, checks their keys and hands each message to its method's handler.
#pragma once

#include <memory>

#include "server/router.h"

namespace onward::server::grpc {

// Binds as context.options say and serves from now on; throws Error(kAlreadyExists) when the port is in use,
// kInvalidArgument for an address or certificate that can't be used. `context` must outlive it.
std::unique_ptr<Endpoint> listen(Context& context);

}  // namespace onward::server::grpc
