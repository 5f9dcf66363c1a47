#include "server/wake.h"

namespace onward::server {

void wake_in_background(Context& context, const serving::Parked& parked, std::set<std::string> woken, Woken then) {
  if (!woken.insert(parked.name + "/" + std::to_string(parked.version)).second) {
    const Error error(Code::kResourceExhausted,
                      "the models that this request asks for do not fit into the memory budget together",
                      "ask for fewer at once, or raise --memory");
    return then(std::move(woken), &error);
  }
  context.on_demand.post([&repository = context.repository, parked, woken = std::move(woken), then = std::move(then)] {
    try {
      repository.wake(parked);
    } catch (const Error& error) {
      return then(woken, &error);
    }
    then(woken, nullptr);
  });
}

}  // namespace onward::server
