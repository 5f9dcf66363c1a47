// From protobuf messages to plain structs, piece by piece: internal to formats/tensorflow, the only code that sees
// TensorFlow's protobuf. What is large is moved out of the message.
#pragma once

#include "formats/tensorflow/graph.h"
#include "formats/tensorflow/proto/graph.pb.h"

namespace onward::tensorflow {

PartialShape read_shape(const proto::TensorShapeProto& message);
// Throws Error(kDataLoss) unless content, dtype and shape fit together.
Array read_tensor(proto::TensorProto& message, const std::string& what);
Attrs read_attrs(google::protobuf::Map<std::string, proto::AttrValue>& message, const std::string& what);
Graph read_graph(proto::GraphDef& message);

// Parses `file`; throws Error(kDataLoss).
void parse_binary(const Bytes& file, std::string_view what, google::protobuf::Message& message);
void parse_text(const Bytes& file, std::string_view what, google::protobuf::Message& message);

}  // namespace onward::tensorflow
