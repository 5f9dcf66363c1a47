#include "runtime/watch.h"

namespace onward::runtime {
namespace {

ir::Tensor view_of(const Ort::ConstValue& value) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  const auto dtype = static_cast<ir::DType>(info.GetElementType());
  const size_t size = ir::dtype_bytes(dtype, info.GetElementCount());
  return ir::Tensor(dtype, info.GetShape(), Bytes({static_cast<const std::byte*>(value.GetTensorRawData()), size}, {}));
}

struct Kernel {
  void Compute(OrtKernelContext* raw) {  // NOLINT(readability-identifier-naming): ONNX Runtime's name
    const Ort::KernelContext context(raw);
    watch(index, view_of(context.GetInput(0)));
    context.GetOutput(0, {0});
  }

  const Watch& watch;
  size_t index;
};

// NOLINTBEGIN(readability-identifier-naming): ONNX Runtime's names
struct Operator : Ort::CustomOpBase<Operator, Kernel> {
  explicit Operator(Watch given) : watch(std::move(given)) {}

  void* CreateKernel(const OrtApi& /*api*/, const OrtKernelInfo* info) const {
    const Ort::ConstKernelInfo node(info);
    return new Kernel{watch, static_cast<size_t>(node.GetAttribute<int64_t>("index"))};
  }
  const char* GetName() const { return "Watch"; }
  size_t GetInputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetInputType(size_t /*index*/) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED; }
  size_t GetOutputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetOutputType(size_t /*index*/) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; }

  Watch watch;
};
// NOLINTEND(readability-identifier-naming)

}  // namespace

struct WatchOperator::Impl {
  explicit Impl(Watch watch) : one(std::move(watch)) { domain.Add(&one); }

  Operator one;
  Ort::CustomOpDomain domain{kWatchDomain};
};

WatchOperator::WatchOperator(Watch watch) : impl_(std::make_unique<Impl>(std::move(watch))) {}
WatchOperator::~WatchOperator() = default;

void WatchOperator::add_to(Ort::SessionOptions& options) const { options.Add(impl_->domain); }

}  // namespace onward::runtime
