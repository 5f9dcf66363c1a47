// Tensors as TensorFlow's protobuf messages hold them.
#pragma once

#include <memory>
#include <string_view>

#include "ir/tensor.h"
#include "runtime/session.h"
#include "server/grpc/proto/tensorflow_serving.pb.h"

namespace onward::server::grpc {

// The bytes of `tensor_content`, or of values of a type's own width, stay where they lie: in a message that `owner`
// keeps alive. One value (or a shorter list, whose last one repeats) fills the whole shape. Throws
// Error(kInvalidArgument) with `what`.
ir::Tensor from_proto(const tensorflow::serving::TensorProto& proto, const std::shared_ptr<const void>& owner,
                      std::string_view what);
void to_proto(const ir::Tensor& tensor, tensorflow::serving::TensorProto& proto);

tensorflow::serving::DataType data_type(ir::DType dtype);
// Name, dtype and shape; -1 where a dimension is free.
void describe(const runtime::ValueInfo& info, tensorflow::serving::TensorInfo& proto);

}  // namespace onward::server::grpc
