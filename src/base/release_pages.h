// Gives memory back to the system before its owner goes.
#pragma once

#include "base/bytes.h"

namespace onward {

// Where `bytes` lie in a mapped file (map_file), the pages that they fill need no memory any more; they are read again
// when someone looks at them. Bytes that lie elsewhere stay as they are. Thread safe.
void release_pages(ByteView bytes);

// Small ones are copied out of what they lie in: looking at them later brings no pages of their neighbours back.
Bytes apart_if_small(const Bytes& bytes);

}  // namespace onward
