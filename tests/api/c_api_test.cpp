#include <gmock/gmock.h>

#include "files.h"
#include "onward/onward.h"

namespace onward {
namespace {

using testing::HasSubstr;

// The code of a status, which is freed; its message goes to `message`.
int code_of(onward_status* status, std::string* message = nullptr) {
  const int code = onward_status_code(status);
  if (message != nullptr) *message = onward_status_message(status);
  onward_status_free(status);
  return code;
}

onward_model* loaded(const std::string& name) {
  onward_model* model = nullptr;
  EXPECT_EQ(code_of(onward_model_load(fixture(name).c_str(), nullptr, &model)), 0);
  return model;
}

TEST(CApi, NullIsOk) {
  EXPECT_EQ(onward_status_code(nullptr), 0);
  EXPECT_STREQ(onward_status_name(nullptr), "OK");
  EXPECT_STREQ(onward_status_message(nullptr), "");
  onward_status_free(nullptr);
  onward_model_free(nullptr);
  onward_answer_free(nullptr);
  onward_server_stop(nullptr);
}

TEST(CApi, FailuresLeaveResultsAlone) {
  onward_model* model = nullptr;
  onward_status* status = onward_model_load("no/such/file", nullptr, &model);
  EXPECT_EQ(onward_status_code(status), 5);
  EXPECT_STREQ(onward_status_name(status), "NOT_FOUND");
  EXPECT_THAT(onward_status_message(status), HasSubstr("no/such/file"));
  EXPECT_EQ(model, nullptr);
  onward_status_free(status);
  EXPECT_NE(code_of(onward_model_load(nullptr, nullptr, &model)), 0);
}

TEST(CApi, PredictsAndChecksWhatItGets) {
  onward_model* model = loaded("linear");
  EXPECT_EQ(onward_model_input_count(model), 1U);
  EXPECT_EQ(onward_model_output_count(model), 1U);
  onward_value_info info;
  EXPECT_EQ(code_of(onward_model_input(model, 0, &info)), 0);
  EXPECT_STREQ(info.name, "x");
  EXPECT_EQ(info.dtype, ONWARD_FLOAT32);
  EXPECT_EQ(info.dims[0], -1);
  EXPECT_EQ(info.dims[1], 3);
  EXPECT_EQ(code_of(onward_model_output(model, 1, &info)), 3);

  const float values[] = {1, 2, 3};
  const int64_t dims[] = {1, 3};
  onward_tensor tensor{ONWARD_FLOAT32, 2, dims, values, sizeof values};
  onward_answer* answer = nullptr;
  ASSERT_EQ(code_of(onward_model_predict(model, &tensor, 1, &answer)), 0);
  ASSERT_EQ(onward_answer_count(answer), 1U);
  onward_tensor output;
  ASSERT_EQ(code_of(onward_answer_tensor(answer, 0, &output)), 0);
  EXPECT_EQ(output.bytes, sizeof values);
  EXPECT_EQ(static_cast<const float*>(output.data)[2], 7);
  EXPECT_EQ(code_of(onward_answer_tensor(answer, 1, &output)), 3);
  onward_answer_free(answer);

  answer = nullptr;
  std::string message;
  tensor.bytes = 8;
  EXPECT_EQ(code_of(onward_model_predict(model, &tensor, 1, &answer), &message), 3);
  EXPECT_THAT(message, HasSubstr("takes 12 bytes, got 8"));
  EXPECT_EQ(code_of(onward_model_predict(model, nullptr, 0, &answer), &message), 3);
  EXPECT_THAT(message, HasSubstr("1 inputs, 0 were given"));
  EXPECT_EQ(answer, nullptr);
  onward_model_free(model);
}

TEST(CApi, OptionsOfAnOlderCallerKeepTheirDefaults) {
  const auto source = written("m.pbtxt", graphdef("Relu"));
  const std::string target = scratch("m.onnx");
  onward_convert_options options = ONWARD_CONVERT_OPTIONS_INIT;
  options.opset = 3;
  EXPECT_EQ(code_of(onward_convert_file(source.c_str(), target.c_str(), &options)), 3);
  options.size = offsetof(onward_convert_options, opset);  // as if `opset` had come later
  EXPECT_EQ(code_of(onward_convert_file(source.c_str(), target.c_str(), &options)), 0);

  const int64_t dims[] = {5, 2};
  const onward_input_shape shape{"x", 2, dims};
  options = ONWARD_CONVERT_OPTIONS_INIT;
  options.input_shapes = &shape;
  options.input_shape_count = 1;
  ASSERT_EQ(code_of(onward_convert_file(source.c_str(), target.c_str(), &options)), 0);
  EXPECT_EQ(Model::load(target)->inputs().front().shape.front().size, 5);
}

TEST(CApi, StringsGoInAndOut) {
  onward_model* model = loaded("text");
  const char* words[] = {"ä", "", "three"};
  const int64_t dims[] = {3};
  onward_tensor tensor{ONWARD_STRING, 1, dims, words, sizeof words};
  onward_answer* answer = nullptr;
  ASSERT_EQ(code_of(onward_model_predict(model, &tensor, 1, &answer)), 0);
  onward_tensor output;
  ASSERT_EQ(code_of(onward_answer_tensor(answer, 0, &output)), 0);
  EXPECT_EQ(output.dtype, ONWARD_STRING);
  ASSERT_EQ(output.bytes, sizeof words);
  for (size_t i = 0; i < 3; ++i) EXPECT_STREQ(static_cast<const char* const*>(output.data)[i], words[i]);
  onward_answer_free(answer);
  std::string message;
  tensor.bytes = sizeof(char*);
  EXPECT_EQ(code_of(onward_model_predict(model, &tensor, 1, &answer), &message), 3);
  EXPECT_THAT(message, HasSubstr("3 strings"));
  onward_model_free(model);
}

TEST(CApi, InspectsFiles) {
  onward_inspection* inspection = nullptr;
  ASSERT_EQ(code_of(onward_inspect_file(fixture("linear").c_str(), nullptr, &inspection)), 0);
  EXPECT_STREQ(onward_inspection_format(inspection), "ONNX");
  ASSERT_EQ(onward_inspection_input_count(inspection), 1U);
  ASSERT_EQ(onward_inspection_output_count(inspection), 1U);
  onward_value_info info;
  ASSERT_EQ(code_of(onward_inspection_input(inspection, 0, &info)), 0);
  EXPECT_STREQ(info.name, "x");
  EXPECT_EQ(info.dims[1], 3);
  ASSERT_EQ(onward_inspection_operator_count(inspection), 2U);
  const char* name = nullptr;
  size_t nodes = 0;
  ASSERT_EQ(code_of(onward_inspection_operator(inspection, 0, &name, &nodes)), 0);
  EXPECT_STREQ(name, "Add");
  EXPECT_EQ(nodes, 1U);
  EXPECT_EQ(code_of(onward_inspection_operator(inspection, 2, &name, &nodes)), 3);
  EXPECT_GT(onward_inspection_weight_count(inspection), 0U);
  EXPECT_GT(onward_inspection_weight_bytes(inspection), 0U);
  onward_inspection_free(inspection);
  EXPECT_EQ(code_of(onward_inspect_file("no/such/file", nullptr, &inspection)), 5);
}

// Fills a 1x10 input of the fixture "ten"; stops at the sample that `context` names.
int ramp(void* context, size_t index, onward_tensor* inputs, size_t count) {
  static const int64_t dims[] = {1, 10};
  static float values[10];
  if (count != 1 || index == *static_cast<size_t*>(context)) return 1;
  for (size_t i = 0; i < 10; ++i) values[i] = static_cast<float>(i + index) / 10;
  inputs[0] = {ONWARD_FLOAT32, 2, dims, values, sizeof values};
  return 0;
}

TEST(CApi, QuantizesWithSamplesOfAFunction) {
  const std::string target = scratch("small.onnx");
  size_t refused = 100;
  onward_quantize_options options = ONWARD_QUANTIZE_OPTIONS_INIT;
  options.mode = ONWARD_QUANTIZE_STATIC;
  options.sample = ramp;
  options.sample_context = &refused;
  options.sample_count = 4;
  options.sample_inputs = 1;
  onward_quantization* done = nullptr;
  std::string message;
  ASSERT_EQ(code_of(onward_quantize_file(fixture("cnn").c_str(), target.c_str(), &options, &done), &message), 3)
      << message;
  EXPECT_THAT(message, HasSubstr("must be float32"));
  refused = 1;
  EXPECT_EQ(code_of(onward_quantize_file(fixture("ten").c_str(), target.c_str(), &options, &done), &message), 10);
  EXPECT_THAT(message, HasSubstr("sample 1"));
  EXPECT_EQ(done, nullptr);

  options = ONWARD_QUANTIZE_OPTIONS_INIT;
  options.mode = ONWARD_QUANTIZE_WEIGHTS8;
  ASSERT_EQ(code_of(onward_quantize_file(fixture("cnn").c_str(), target.c_str(), &options, &done), &message), 0)
      << message;
  EXPECT_LT(onward_quantization_bytes_after(done), onward_quantization_bytes_before(done));
  EXPECT_GT(onward_quantization_sqnr(done), 20);
  EXPECT_GT(onward_quantization_cosine(done), 0.99);
  EXPECT_GT(onward_quantization_milliseconds_before(done), 0);
  EXPECT_GT(onward_quantization_milliseconds_after(done), 0);
  EXPECT_THAT(onward_quantization_report(done), HasSubstr("\"mode\": \"weights8\""));
  onward_quantization_free(done);
  onward_quantization_free(nullptr);
  onward_inspection_free(nullptr);
}

TEST(CApi, ServesModelsThatAreAdded) {
  onward_server* server = nullptr;
  ASSERT_EQ(code_of(onward_server_start(nullptr, &server)), 0);
  EXPECT_GT(onward_server_port(server), 0);
  EXPECT_EQ(onward_server_grpc_port(server), -1);
  EXPECT_EQ(code_of(onward_server_add(server, "m", fixture("linear").c_str())), 0);
  EXPECT_EQ(code_of(onward_server_add(server, "m", fixture("linear").c_str())), 6);
  onward_server_stop(server);
}

}  // namespace
}  // namespace onward
