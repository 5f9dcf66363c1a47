/* Looks into a model, converts it, loads it, predicts, serves it for a moment, and makes it smaller.
 *
 *   predict MODEL OUT.onnx [SMALL.onnx]
 */
#include <onward/onward.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program where something failed. */
static void sure(onward_status* status) {
  if (status == NULL) return;
  fprintf(stderr, "error: %s: %s\n%s\n", onward_status_name(status), onward_status_message(status),
          onward_status_hint(status));
  onward_status_free(status);
  exit(1);
}

static void print(const char* what, const onward_value_info* info) {
  size_t i;
  printf("%s %s [", what, info->name);
  for (i = 0; i < info->rank; ++i) printf("%s%" PRId64, i == 0 ? "" : ",", info->dims[i]);
  printf("]\n");
}

/* The first value of the model's answer to zeros. */
static float answer_to_zeros(const onward_model* model, const onward_value_info* input) {
  int64_t dims[8];
  size_t count = 1;
  size_t i;
  onward_tensor tensor;
  onward_answer* answer;
  onward_tensor first;
  float value;
  for (i = 0; i < input->rank && i < 8; ++i) {
    dims[i] = input->dims[i] < 0 ? 1 : input->dims[i];
    count *= (size_t)dims[i];
  }
  tensor.dtype = ONWARD_FLOAT32;
  tensor.rank = input->rank;
  tensor.dims = dims;
  tensor.data = calloc(count, sizeof(float));
  tensor.bytes = count * sizeof(float);
  sure(onward_model_predict(model, &tensor, 1, &answer));
  sure(onward_answer_tensor(answer, 0, &first));
  value = *(const float*)first.data;
  onward_answer_free(answer);
  free((void*)tensor.data);
  return value;
}

static void inspect(const char* path) {
  onward_inspection* inspection;
  const char* name;
  size_t nodes;
  size_t i;
  sure(onward_inspect_file(path, NULL, &inspection));
  printf("%s:", onward_inspection_format(inspection));
  for (i = 0; i < onward_inspection_operator_count(inspection); ++i) {
    sure(onward_inspection_operator(inspection, i, &name, &nodes));
    printf(" %s %u", name, (unsigned)nodes);
  }
  printf("\n");
  onward_inspection_free(inspection);
}

static void quantize(const char* path, const char* target) {
  onward_quantize_options options = ONWARD_QUANTIZE_OPTIONS_INIT;
  onward_quantization* done;
  options.mode = ONWARD_QUANTIZE_WEIGHTS8;
  sure(onward_quantize_file(path, target, &options, &done));
  printf("smaller: %s\n",
         onward_quantization_bytes_after(done) < onward_quantization_bytes_before(done) ? "yes" : "no");
  onward_quantization_free(done);
}

int main(int argc, char** argv) {
  onward_convert_options options = ONWARD_CONVERT_OPTIONS_INIT;
  onward_model* model;
  onward_value_info info;
  onward_server* server;
  if (argc != 3 && argc != 4) {
    fprintf(stderr, "usage: predict MODEL OUT.onnx [SMALL.onnx]\n");
    return 2;
  }
  inspect(argv[1]);
  options.opset = 17;
  sure(onward_convert_file(argv[1], argv[2], &options));
  sure(onward_model_load(argv[2], NULL, &model));
  sure(onward_model_output(model, 0, &info));
  print("out", &info);
  sure(onward_model_input(model, 0, &info));
  print("in ", &info);
  printf("answer: %g\n", (double)answer_to_zeros(model, &info));
  onward_model_free(model);

  sure(onward_server_start(NULL, &server));
  sure(onward_server_add(server, "model", argv[2]));
  printf("served on a port: %s\n", onward_server_port(server) > 0 ? "yes" : "no");
  onward_server_stop(server);
  if (argc == 4) quantize(argv[1], argv[3]);
  return 0;
}
