// Built-in layers that cannot be converted, each with the reason.
#pragma once

#include <map>
#include <string>

namespace onward::importer::keras {

const std::map<std::string, const char*, std::less<>>& refused_layers();

}  // namespace onward::importer::keras
