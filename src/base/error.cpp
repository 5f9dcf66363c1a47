#include "base/error.h"

#include <array>

namespace onward {

std::string_view code_name(Code code) {
  static constexpr std::array<std::string_view, 17> kNames = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames.at(static_cast<size_t>(code));
}

Error Error::within(std::string_view prefix) const { return Error(code_, std::string(prefix) + ": " + what_, hint_); }

void fail_invalid(std::string what, std::string hint) {
  throw Error(Code::kInvalidArgument, std::move(what), std::move(hint));
}
void fail_data(std::string what, std::string hint) { throw Error(Code::kDataLoss, std::move(what), std::move(hint)); }
void fail_unsupported(std::string what, std::string hint) {
  throw Error(Code::kUnimplemented, std::move(what), std::move(hint));
}
void fail_not_found(std::string what, std::string hint) {
  throw Error(Code::kNotFound, std::move(what), std::move(hint));
}

}  // namespace onward
