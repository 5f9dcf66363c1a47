// Which names a torch pickle may use. Nothing is ever called; a file that asks for a dangerous call is refused whole,
// so that nobody takes it for an honest checkpoint.
#pragma once

#include <string>
#include <string_view>

#include "formats/pickle.h"

namespace onward::torchfile {

// Throws Error(kPermissionDenied) naming the global where no honest file mentions it (os.system, builtins.eval …).
void require_harmless_global(std::string_view what, std::string_view global);

// Throws Error(kPermissionDenied) naming the first global that the pickle calls and that is on no list of those that
// checkpoints use. Objects that are only created and filled (a class of the user's) are allowed.
void require_harmless_calls(std::string_view what, const pickle::Document& document);

// The class or function of an object, also where a legacy file wraps it in a persistent reference; "" where unnamed.
std::string_view class_name(const pickle::Object& object);

}  // namespace onward::torchfile
