/* The C API: load, convert, inspect, quantize, predict, serve. C99; for C++ see onward.hpp.
 *
 * Functions that may fail return NULL when all went well, else a status that the caller frees with onward_status_free.
 * Results come through the last arguments, which stay as they are in case of failure. Strings are UTF-8 and end in a
 * zero; paths too. Options end in members that later versions add: begin with the INIT macros, which note the size.
 */
#ifndef ONWARD_ONWARD_H
#define ONWARD_ONWARD_H

#include <stddef.h>
#include <stdint.h>

#include "onward/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- errors ------------------------------------------------------------------------------------------------------ */

typedef struct onward_status onward_status;

/* gRPC's canonical numbers: 3 INVALID_ARGUMENT, 5 NOT_FOUND, 12 UNIMPLEMENTED, 15 DATA_LOSS …; 0 for NULL. */
ONWARD_API int onward_status_code(const onward_status* status);
/* "NOT_FOUND"; "OK" for NULL. */
ONWARD_API const char* onward_status_name(const onward_status* status);
/* What went wrong and where, and what can be done (may be empty). Valid until the status is freed; "" for NULL. */
ONWARD_API const char* onward_status_message(const onward_status* status);
ONWARD_API const char* onward_status_hint(const onward_status* status);
ONWARD_API void onward_status_free(onward_status* status); /* NULL is fine */

/* --- tensors ----------------------------------------------------------------------------------------------------- */

/* ONNX's numbers. */
typedef enum onward_dtype {
  ONWARD_UNDEFINED = 0,
  ONWARD_FLOAT32 = 1,
  ONWARD_UINT8 = 2,
  ONWARD_INT8 = 3,
  ONWARD_UINT16 = 4,
  ONWARD_INT16 = 5,
  ONWARD_INT32 = 6,
  ONWARD_INT64 = 7,
  ONWARD_STRING = 8,
  ONWARD_BOOL = 9,
  ONWARD_FLOAT16 = 10,
  ONWARD_FLOAT64 = 11,
  ONWARD_UINT32 = 12,
  ONWARD_UINT64 = 13,
  ONWARD_BFLOAT16 = 16
} onward_dtype;

/* Row-major elements in the machine's byte order, which belong to somebody else. Of strings, `data` is an array of
 * `const char*`, one for each element (UTF-8, ending in a zero), and `bytes` the size of that array. */
typedef struct onward_tensor {
  onward_dtype dtype;
  size_t rank;
  const int64_t* dims;
  const void* data;
  size_t bytes;
} onward_tensor;

/* An input or output; a dimension of -1 varies. */
typedef struct onward_value_info {
  const char* name;
  onward_dtype dtype;
  size_t rank;
  const int64_t* dims;
} onward_value_info;

/* --- converting -------------------------------------------------------------------------------------------------- */

typedef struct onward_input_shape {
  const char* name;
  size_t rank;
  const int64_t* dims; /* -1: varies */
} onward_input_shape;

typedef struct onward_convert_options {
  size_t size;
  int opset;             /* 0: 18, or the oldest later one that can express the model */
  int nchw;              /* not 0: image inputs and outputs that are NHWC become NCHW */
  const char* signature; /* of a SavedModel; NULL: its default */
  const onward_input_shape* input_shapes;
  size_t input_shape_count;
} onward_convert_options;
#define ONWARD_CONVERT_OPTIONS_INIT \
  { sizeof(onward_convert_options), 0, 0, NULL, NULL, 0 }

/* Any supported file or SavedModel folder → ONNX file, whole or not at all. `options` may be NULL. */
ONWARD_API onward_status* onward_convert_file(const char* source, const char* target,
                                              const onward_convert_options* options);

/* --- inspecting -------------------------------------------------------------------------------------------------- */

typedef struct onward_inspection onward_inspection;

/* What a file holds, without running or writing anything. `options` (may be NULL) say how it is read: its signature and
 * input shapes. The caller frees the inspection; what it gives is valid until then. */
ONWARD_API onward_status* onward_inspect_file(const char* source, const onward_convert_options* options,
                                              onward_inspection** inspection);
ONWARD_API const char* onward_inspection_format(const onward_inspection* inspection);   /* "Keras (.keras)" */
ONWARD_API const char* onward_inspection_producer(const onward_inspection* inspection); /* "keras 3.15", or "" */
ONWARD_API size_t onward_inspection_input_count(const onward_inspection* inspection);
ONWARD_API size_t onward_inspection_output_count(const onward_inspection* inspection);
/* These three fail with INVALID_ARGUMENT for an index that there is not. */
ONWARD_API onward_status* onward_inspection_input(const onward_inspection* inspection, size_t index,
                                                  onward_value_info* info);
ONWARD_API onward_status* onward_inspection_output(const onward_inspection* inspection, size_t index,
                                                   onward_value_info* info);
/* An operator, as "Conv" or "domain.Operator", and how many nodes of it there are before optimization. */
ONWARD_API onward_status* onward_inspection_operator(const onward_inspection* inspection, size_t index,
                                                     const char** name, size_t* nodes);
ONWARD_API size_t onward_inspection_operator_count(const onward_inspection* inspection);
ONWARD_API size_t onward_inspection_weight_count(const onward_inspection* inspection); /* tensors */
ONWARD_API size_t onward_inspection_weight_bytes(const onward_inspection* inspection);
ONWARD_API void onward_inspection_free(onward_inspection* inspection); /* NULL is fine */

/* --- quantizing -------------------------------------------------------------------------------------------------- */

typedef enum onward_quantize_mode {
  ONWARD_QUANTIZE_AUTO = 0, /* measures, and keeps what helps: never slower than the float model */
  ONWARD_QUANTIZE_STATIC = 1,
  ONWARD_QUANTIZE_DYNAMIC = 2,
  ONWARD_QUANTIZE_WEIGHTS8 = 3,
  ONWARD_QUANTIZE_WEIGHTS4 = 4,
  ONWARD_QUANTIZE_FLOAT16 = 5
} onward_quantize_mode;

/* Fills in `count` inputs of sample `index`, in the model's order; what they point to stays as it is until the next
 * call. Gives 0 when all went well; anything else ends the quantization with ABORTED. */
typedef int (*onward_sample_function)(void* context, size_t index, onward_tensor* inputs, size_t count);

typedef struct onward_quantize_options {
  size_t size;
  onward_quantize_mode mode;
  int opset;                             /* 0: the model's own, 18 at least */
  const onward_convert_options* reading; /* signature and input shapes; may be NULL */
  /* Samples to calibrate and measure with: a folder with one .npz or image each, */
  const char* calibration;
  /* or `sample_count` times what `sample` fills in, called from the calling thread, several times for the same index.
   * Without either a few random inputs stand in. */
  size_t sample_count;
  size_t sample_inputs; /* how many inputs the model has */
  onward_sample_function sample;
  void* sample_context;
  double max_drop;            /* how much worse the answers may be, as a fraction; negative: no limit of your own */
  size_t max_bytes;           /* how large the file may be; 0: any size */
  const char* const* exclude; /* layers to leave in float: names, paths or operators, with * for anything */
  size_t exclude_count;
  const char* const* only; /* the layers to quantize; none: all */
  size_t only_count;
  const char* const* custom_ops; /* libraries of custom operators for ONNX Runtime */
  size_t custom_op_count;
} onward_quantize_options;
#define ONWARD_QUANTIZE_OPTIONS_INIT                                                                                   \
  {                                                                                                                    \
    sizeof(onward_quantize_options), ONWARD_QUANTIZE_AUTO, 0, NULL, NULL, 0, 0, NULL, NULL, -1.0, 0, NULL, 0, NULL, 0, \
        NULL, 0                                                                                                        \
  }

typedef struct onward_quantization onward_quantization;

/* Any supported file → a smaller ONNX file, whole or not at all. Measures for some seconds; run one at a time.
 * `options` may be NULL, and so may `quantization`, which the caller frees. */
ONWARD_API onward_status* onward_quantize_file(const char* source, const char* target,
                                               const onward_quantize_options* options,
                                               onward_quantization** quantization);
ONWARD_API size_t onward_quantization_bytes_before(const onward_quantization* quantization);
ONWARD_API size_t onward_quantization_bytes_after(const onward_quantization* quantization);
ONWARD_API double onward_quantization_milliseconds_before(const onward_quantization* quantization); /* a prediction */
ONWARD_API double onward_quantization_milliseconds_after(const onward_quantization* quantization);
ONWARD_API double onward_quantization_sqnr(const onward_quantization* quantization); /* decibels; 200: no difference */
ONWARD_API double onward_quantization_cosine(const onward_quantization* quantization);
/* Everything, as JSON: what docs/quantization.md describes. Valid until the quantization is freed. */
ONWARD_API const char* onward_quantization_report(const onward_quantization* quantization);
ONWARD_API void onward_quantization_free(onward_quantization* quantization); /* NULL is fine */

/* --- predicting -------------------------------------------------------------------------------------------------- */

typedef struct onward_model onward_model;

typedef struct onward_load_options {
  size_t size;
  const onward_convert_options* convert; /* of a file that is not ONNX; may be NULL */
  const char* const* custom_ops;         /* libraries of custom operators for ONNX Runtime */
  size_t custom_op_count;
} onward_load_options;
#define ONWARD_LOAD_OPTIONS_INIT \
  { sizeof(onward_load_options), NULL, NULL, 0 }

/* A file or SavedModel folder of any supported format. `options` may be NULL. */
ONWARD_API onward_status* onward_model_load(const char* path, const onward_load_options* options, onward_model** model);
ONWARD_API void onward_model_free(onward_model* model); /* NULL is fine */

/* Thread safe, like all that takes a const model. What they give is valid as long as the model. */
ONWARD_API size_t onward_model_input_count(const onward_model* model);
ONWARD_API size_t onward_model_output_count(const onward_model* model);
/* Fails with INVALID_ARGUMENT for an index that there is not. */
ONWARD_API onward_status* onward_model_input(const onward_model* model, size_t index, onward_value_info* info);
ONWARD_API onward_status* onward_model_output(const onward_model* model, size_t index, onward_value_info* info);

typedef struct onward_answer onward_answer;

/* `inputs` in the model's order; they are read where they lie and may go afterwards. The answer, which the caller
 * frees, has all outputs in the model's order and may outlive the model. */
ONWARD_API onward_status* onward_model_predict(const onward_model* model, const onward_tensor* inputs,
                                               size_t input_count, onward_answer** answer);
ONWARD_API size_t onward_answer_count(const onward_answer* answer);
/* Valid until the answer is freed. Fails with INVALID_ARGUMENT for an index that there is not, and with UNIMPLEMENTED
 * for a string that has a zero inside. */
ONWARD_API onward_status* onward_answer_tensor(const onward_answer* answer, size_t index, onward_tensor* tensor);
ONWARD_API void onward_answer_free(onward_answer* answer); /* NULL is fine */

/* --- serving ----------------------------------------------------------------------------------------------------- */

typedef struct onward_server onward_server;

typedef struct onward_server_options {
  size_t size;
  const char* host; /* NULL: "127.0.0.1" */
  uint16_t port;    /* HTTP; 0: any free one */
  int grpc_port;    /* -1: no gRPC; 0: any free one */
} onward_server_options;
#define ONWARD_SERVER_OPTIONS_INIT \
  { sizeof(onward_server_options), NULL, 0, -1 }

/* Begins to serve, without a model yet, on threads of its own. `options` may be NULL. */
ONWARD_API onward_status* onward_server_start(const onward_server_options* options, onward_server** server);
/* Thread safe. */
ONWARD_API onward_status* onward_server_add(onward_server* server, const char* name, const char* path);
ONWARD_API uint16_t onward_server_port(const onward_server* server);
ONWARD_API int onward_server_grpc_port(const onward_server* server); /* -1: no gRPC */
/* Answers what was asked, ends and frees the server. NULL is fine. */
ONWARD_API void onward_server_stop(onward_server* server);

#ifdef __cplusplus
}
#endif

#endif
