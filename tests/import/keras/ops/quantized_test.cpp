#include "import/keras/ops/quantized.h"

#include <gtest/gtest.h>

namespace onward::importer::keras {
namespace {

bool quantized_by(const std::string& policy) {
  Layer layer;
  layer.config = Json::parse(R"({"dtype": {"module": "keras", "class_name": ")" + policy + R"(", "config": {}}})");
  return is_quantized(layer);
}

TEST(Quantized, PoliciesAreToldApart) {
  for (const char* policy :
       {"QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "Int4DTypePolicy", "GPTQDTypePolicy", "AWQDTypePolicy"}) {
    EXPECT_TRUE(quantized_by(policy)) << policy;
  }
  for (const char* policy : {"DTypePolicy", "FloatDTypePolicy", "DTypePolicyMap"}) EXPECT_FALSE(quantized_by(policy));
  Layer plain;
  plain.config = Json::parse(R"({"dtype": "float32"})");
  EXPECT_FALSE(is_quantized(plain));
}

}  // namespace
}  // namespace onward::importer::keras
