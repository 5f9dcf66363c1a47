// How functions of this library tell that something went wrong. No exception leaves the library, but for std::bad_alloc
// where a function that returns a plain value copies it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "onward/export.h"

namespace onward {

// The canonical codes, numbered as gRPC and Abseil number them.
enum class StatusCode : int32_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,  // what the caller gave is wrong: a shape, a name, an option
  kDeadlineExceeded = 4,
  kNotFound = 5,  // no such file, model or name
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,  // out of memory, or larger than a limit
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,  // well-formed, but not supported: the message names each operator
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,  // a file is damaged, or not what it claims to be
  kUnauthenticated = 16,
};

// "NOT_FOUND" and so on.
ONWARD_API std::string_view status_code_name(StatusCode code);

// Ok, or a code, what went wrong and where, and what can be done about it. A value: copy and move it freely.
class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  Status(StatusCode code, std::string message, std::string hint = {})
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  // Names the file, layer, operator or argument; empty when ok.
  const std::string& message() const { return message_; }
  // What the caller can do; may be empty.
  const std::string& hint() const { return hint_; }
  // Both on two lines, or "ok".
  std::string text() const { return ok() ? "ok" : hint_.empty() ? message_ : message_ + "\n" + hint_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  std::string hint_;
};

namespace detail {
// Prints the status to stderr and ends the program.
[[noreturn]] ONWARD_API void value_of_failure(const Status& status);
}  // namespace detail

// A value, or the status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : data_(std::in_place_index<0>, std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : data_(std::in_place_index<1>, std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return data_.index() == 0; }
  explicit operator bool() const { return ok(); }
  Status status() const { return ok() ? Status() : *std::get_if<1>(&data_); }

  // Only where ok(): asking a failure for its value is a mistake in the program, which then ends with the status on
  // stderr.
  T& value() & { return *checked(); }
  const T& value() const& { return *const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(*checked()); }
  T& operator*() & { return *checked(); }
  const T& operator*() const& { return *const_cast<Result*>(this)->checked(); }
  T&& operator*() && { return std::move(*checked()); }
  T* operator->() { return checked(); }
  const T* operator->() const { return const_cast<Result*>(this)->checked(); }

 private:
  T* checked() {
    if (T* value = std::get_if<0>(&data_)) return value;
    detail::value_of_failure(*std::get_if<1>(&data_));
  }

  std::variant<T, Status> data_;
};

}  // namespace onward
