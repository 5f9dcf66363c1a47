// A library of custom operators for ONNX Runtime: mylib.Scale(x) = x * by. Built against ONNX Runtime's headers alone.
#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

namespace {

struct ScaleKernel {
  ScaleKernel(const OrtApi&, const OrtKernelInfo* info) : by(Ort::ConstKernelInfo(info).GetAttribute<float>("by")) {}

  void Compute(OrtKernelContext* context) {
    Ort::KernelContext call(context);
    const Ort::ConstValue x = call.GetInput(0);
    const auto shape = x.GetTensorTypeAndShapeInfo();
    Ort::UnownedValue y = call.GetOutput(0, shape.GetShape());
    const float* from = x.GetTensorData<float>();
    float* to = y.GetTensorMutableData<float>();
    for (size_t i = 0; i < shape.GetElementCount(); ++i) to[i] = from[i] * by;
  }

  float by;
};

struct ScaleOp : Ort::CustomOpBase<ScaleOp, ScaleKernel> {
  void* CreateKernel(const OrtApi& api, const OrtKernelInfo* info) const { return new ScaleKernel(api, info); }
  const char* GetName() const { return "Scale"; }
  size_t GetInputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetInputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; }
  size_t GetOutputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetOutputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(OrtSessionOptions* options,
                                                                               const OrtApiBase* base) {
  Ort::InitApi(base->GetApi(ORT_API_VERSION));
  try {
    static const ScaleOp scale;
    static Ort::CustomOpDomain domain = [] {
      Ort::CustomOpDomain made("mylib");
      made.Add(&scale);
      return made;
    }();
    Ort::UnownedSessionOptions(options).Add(domain);
    return nullptr;
  } catch (const std::exception& error) {
    return Ort::GetApi().CreateStatus(ORT_FAIL, error.what());
  }
}
