// Everything the server answers over HTTP, in one table: routing, roles and openapi.json come from it.
#pragma once

#include <vector>

#include "server/router.h"

namespace onward::server {

const std::vector<Route>& routes();

}  // namespace onward::server
