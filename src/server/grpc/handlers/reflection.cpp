#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "server/grpc/handlers/handlers.h"
#include "server/grpc/proto/reflection.pb.h"

namespace onward::server::grpc {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using ::grpc::reflection::v1alpha::ServerReflectionRequest;
using ::grpc::reflection::v1alpha::ServerReflectionResponse;

void list_services(ServerReflectionResponse& response) {
  std::set<std::string_view> names;
  for (const Method& method : methods()) names.insert(method.path.substr(1, method.path.rfind('/') - 1));
  for (const std::string_view name : names) {
    response.mutable_list_services_response()->add_service()->set_name(std::string(name));
  }
}

void fail(ServerReflectionResponse& response, Code code, const std::string& what) {
  response.mutable_error_response()->set_error_code(static_cast<int>(code));
  response.mutable_error_response()->set_error_message(what);
}

// The file and those it imports, itself first.
void add_files(const FileDescriptor* file, std::set<std::string>& seen, ServerReflectionResponse& response) {
  if (!seen.insert(file->name()).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file->dependency_count(); ++i) add_files(file->dependency(i), seen, response);
}

void describe(const FileDescriptor* file, const std::string& wanted, ServerReflectionResponse& response) {
  if (file == nullptr) return fail(response, Code::kNotFound, "there is no " + wanted);
  std::set<std::string> seen;
  add_files(file, seen, response);
}

}  // namespace

void reflect(const CallPtr& call, const Incoming& message) {
  ServerReflectionRequest request;
  message.parse(request);
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices:
      list_services(response);
      break;
    case ServerReflectionRequest::kFileByFilename:
      describe(pool.FindFileByName(request.file_by_filename()), request.file_by_filename(), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol: {
      // v1 has the messages of v1alpha.
      std::string symbol = request.file_containing_symbol();
      constexpr std::string_view kV1 = "grpc.reflection.v1.";
      if (symbol.starts_with(kV1)) symbol.insert(kV1.size() - 1, "alpha");
      describe(pool.FindFileContainingSymbol(symbol), symbol, response);
      break;
    }
    case ServerReflectionRequest::kFileContainingExtension:
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      fail(response, Code::kNotFound, "no message has extensions");
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      fail(response, Code::kInvalidArgument, "the request asks for nothing");
      break;
  }
  call->answer(serialized(response));
}

}  // namespace onward::server::grpc
