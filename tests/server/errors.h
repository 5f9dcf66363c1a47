// The message of the Error that an action throws; "" for none.
#pragma once

#include <string>

#include "base/error.h"

namespace onward::server {

template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

}  // namespace onward::server
