// Errors inside Onward: one exception type with a canonical code, what went wrong, and what the user can do.
//
// Internal code throws `Error`; the public API (include/onward) turns it into a `Status`. The codes are Abseil's
// canonical set; HTTP and gRPC each map them in one table of their own.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace onward {

enum class Code {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "NOT_FOUND" and so on, as gRPC spells them.
std::string_view code_name(Code code);

class Error : public std::exception {
 public:
  // `what` names the thing and the place; `hint` (may be empty) tells what the user can do about it.
  Error(Code code, std::string what, std::string hint = {})
      : code_(code), what_(std::move(what)), hint_(std::move(hint)) {}

  Code code() const { return code_; }
  const char* what() const noexcept override { return what_.c_str(); }
  const std::string& message() const { return what_; }
  const std::string& hint() const { return hint_; }

  // The same error with "<prefix>: " before its message: how a caller adds the file, layer or node.
  Error within(std::string_view prefix) const;

 private:
  Code code_;
  std::string what_;
  std::string hint_;
};

// Shorthands for the commonest kinds.
[[noreturn]] void fail_invalid(std::string what, std::string hint = {});      // the user's argument is wrong
[[noreturn]] void fail_data(std::string what, std::string hint = {});         // a file is damaged or not what it claims
[[noreturn]] void fail_unsupported(std::string what, std::string hint = {});  // well-formed, but not supported
[[noreturn]] void fail_not_found(std::string what, std::string hint = {});

}  // namespace onward
