// What the Open Inference Protocol tells about models and how they are managed, as JSON: REST sends it as it is, gRPC
// as the messages of the same field names.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "server/router.h"

namespace onward::server::oip {

// `version` may be empty. All throw Error as Repository::find does.
Json model_metadata(const serving::Repository& repository, std::string_view name, std::string_view version);
// Of all models where `name` is empty, of all versions where `version` is.
Json model_statistics(const serving::Repository& repository, std::string_view name, std::string_view version);
// A list of {name, version, state, reason}.
Json repository_index(const serving::Repository& repository, bool only_ready);

// Throws Error(kUnimplemented) for the parameter of a load request that would bring a model along: what is served comes
// from the repository.
void refuse_override(std::string_view parameter);

// Loads or unloads `name` in the background; `done` gets what went wrong, or null.
using Managed = std::function<void(const Error*)>;
void load(Context& context, const std::string& name, Managed done);
void unload(Context& context, const std::string& name, Managed done);

}  // namespace onward::server::oip
