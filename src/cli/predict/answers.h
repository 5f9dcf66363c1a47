// A model's outputs as files and text.
#pragma once

#include <string>
#include <vector>

#include "runtime/session.h"

namespace onward::cli {

enum class AnswerKind { kNone, kNpz, kNpy, kPng, kJson };

// By the file's ending, told before anything is computed; kNone for no file. Throws Error(kInvalidArgument) for another
// ending, and for a kind that holds one output when there are several.
AnswerKind answer_kind(const std::string& file, size_t outputs);

// The file appears whole or not at all.
void write_answers(const std::string& file, AnswerKind kind, const std::vector<runtime::ValueInfo>& infos,
                   const std::vector<ir::Tensor>& tensors);

// One line: {"outputs":[{"name":…,"dtype":…,"shape":…,"data":…}]}
std::string answers_json(const std::vector<runtime::ValueInfo>& infos, const std::vector<ir::Tensor>& tensors);

}  // namespace onward::cli
