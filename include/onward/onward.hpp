// The whole C++ API. These headers are the only stable ones; docs/library.md introduces them.
#pragma once

#include "onward/convert.h"      // IWYU pragma: export
#include "onward/model.h"        // IWYU pragma: export
#include "onward/options.h"      // IWYU pragma: export
#include "onward/quantize.h"     // IWYU pragma: export
#include "onward/server.h"       // IWYU pragma: export
#include "onward/status.h"       // IWYU pragma: export
#include "onward/tensor.h"       // IWYU pragma: export
#include "onward/translation.h"  // IWYU pragma: export
