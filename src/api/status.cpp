#include "onward/status.h"

#include <cstdio>
#include <cstdlib>
#include <new>

#include "api/guard.h"

namespace onward {

static_assert(static_cast<int>(StatusCode::kOk) == static_cast<int>(Code::kOk) &&
              static_cast<int>(StatusCode::kInvalidArgument) == static_cast<int>(Code::kInvalidArgument) &&
              static_cast<int>(StatusCode::kUnimplemented) == static_cast<int>(Code::kUnimplemented) &&
              static_cast<int>(StatusCode::kUnauthenticated) == static_cast<int>(Code::kUnauthenticated));

std::string_view status_code_name(StatusCode code) { return code_name(static_cast<Code>(code)); }

void detail::value_of_failure(const Status& status) {
  std::fprintf(stderr, "onward: the value of a failed result was used: %s\n", status.text().c_str());
  std::abort();
}

namespace api {

Status current_status() {
  try {
    throw;
  } catch (const Error& error) {
    return Status(static_cast<StatusCode>(error.code()), error.message(), error.hint());
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted, "out of memory");
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, std::string("internal error: ") + error.what(),
                  "please report this with the file that caused it");
  } catch (...) {
    return Status(StatusCode::kInternal, "internal error", "please report this with the file that caused it");
  }
}

Error to_error(const Status& status) {
  return Error(static_cast<Code>(status.code()), status.message(), status.hint());
}

}  // namespace api
}  // namespace onward
