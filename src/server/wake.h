// Loading what made room for other models, when a request asks for it.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "server/router.h"

namespace onward::server {

// Loads the parked model in another thread, then calls `then` there: with null, or with what went wrong. `woken` are
// the models that this request had loaded before, and comes back with this one; a model that made room again within one
// request shows that they do not fit together, which is an error.
using Woken = std::function<void(std::set<std::string> woken, const Error* error)>;
void wake_in_background(Context& context, const serving::Parked& parked, std::set<std::string> woken, Woken then);

}  // namespace onward::server
