// Many predictions with one session: files of a folder as they arrive, or lines.
#pragma once

#include <iosfwd>
#include <string>

#include "runtime/session.h"
#include "serving/images.h"

namespace onward::cli {

struct WatchOptions {
  std::string folder;
  std::string output;
  std::string format;  // the answers' ending
  serving::PixelRange pixels;
  bool once = false;  // ends when all that is there is answered; otherwise never
};

// A file is taken when it has stopped growing; one that was answered already (the answer is newer) is left alone. What
// can't be answered is told on stderr, and with `once` throws Error(kInvalidArgument) in the end.
void watch_folder(const runtime::Session& session, const WatchOptions& options);

// One JSON value a line, one answer a line, in order: what answers_json writes, or {"error":"…"}. Throws
// Error(kInvalidArgument) in the end when a line failed.
void answer_lines(const runtime::Session& session, std::istream& in, std::ostream& out);

}  // namespace onward::cli
