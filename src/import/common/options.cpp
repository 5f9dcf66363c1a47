#include "import/common/options.h"

#include "base/error.h"

namespace onward::importer {

void check_dtype(const Options& options, const std::string& input, ir::DType file_dtype) {
  const auto given = options.input_dtypes.find(input);
  if (given == options.input_dtypes.end() || given->second == file_dtype) return;
  const std::string is(ir::dtype_name(file_dtype));
  fail_invalid(
      "the input \"" + input + "\" is " + is + " in the file, not " + std::string(ir::dtype_name(given->second)),
      "leave the dtype out of --input, or write " + input + ":" + is + "=DIMS");
}

}  // namespace onward::importer
