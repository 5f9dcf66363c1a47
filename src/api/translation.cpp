#include "onward/translation.h"

#include <exception>

#include "api/guard.h"
#include "api/translation_source.h"
#include "api/values.h"

namespace onward {
namespace {

ir::Attr to_internal(const Attribute& attribute) {
  return std::visit(
      [](const auto& value) -> ir::Attr {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Tensor>) {
          return api::to_internal(value);
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          return ir::Attr::Floats(value.begin(), value.end());
        } else {
          return value;
        }
      },
      attribute);
}

ir::Attrs to_internal(const Attributes& attributes) {
  ir::Attrs attrs;
  for (const auto& [name, attribute] : attributes) attrs.set(name, to_internal(attribute));
  return attrs;
}

}  // namespace

struct __attribute__((visibility("hidden"))) TranslationContext::Impl {
  api::TranslationSource& source;
  ir::Values inputs;
  std::exception_ptr failure;  // of the first step that failed

  // Throws what failed in it.
  ir::Values run(const Translation& translation);
};

// The result of `step`, or an empty one where this step or one before it failed.
template <class T, class Step>
T TranslationContext::step(const Step& step) {
  if (impl_.failure) return T();
  try {
    return step(impl_.source.builder());
  } catch (...) {
    impl_.failure = std::current_exception();
    return T();
  }
}

namespace {

ir::Value* value_of(void* value) { return static_cast<ir::Value*>(value); }

template <class T>
T as(const std::string& op, std::string_view name, const std::optional<Attribute>& attribute, T fallback) {
  if (!attribute) return fallback;
  if (const T* value = std::get_if<T>(&*attribute)) return *value;
  fail_unsupported("[" + op + "] its attribute \"" + std::string(name) +
                   "\" has another type than the translation wants");
}

}  // namespace

size_t TranslationContext::input_count() const { return impl_.inputs.size(); }

GraphValue TranslationContext::input(size_t index) {
  return step<GraphValue>([&](ir::Builder&) {
    if (index >= impl_.inputs.size()) {
      fail_invalid("[" + impl_.source.name() + "] has " + std::to_string(impl_.inputs.size()) + " inputs, number " +
                   std::to_string(index) + " was asked for");
    }
    return GraphValue(impl_.inputs[index]);
  });
}

GraphValue TranslationContext::input(std::string_view name) {
  return step<GraphValue>([&](ir::Builder&) { return GraphValue(impl_.source.input(name)); });
}

std::optional<Attribute> TranslationContext::attribute(std::string_view name) {
  return step<std::optional<Attribute>>([&](ir::Builder&) { return impl_.source.attribute(name); });
}

int64_t TranslationContext::integer(std::string_view name, int64_t fallback) {
  return step<int64_t>(
      [&](ir::Builder&) { return as(impl_.source.name(), name, impl_.source.attribute(name), fallback); });
}

double TranslationContext::number(std::string_view name, double fallback) {
  return step<double>([&](ir::Builder&) {
    const std::optional<Attribute> attribute = impl_.source.attribute(name);
    if (attribute) {
      if (const auto* integer = std::get_if<int64_t>(&*attribute)) return static_cast<double>(*integer);
    }
    return as(impl_.source.name(), name, attribute, fallback);
  });
}

std::string TranslationContext::text(std::string_view name, std::string fallback) {
  return step<std::string>(
      [&](ir::Builder&) { return as(impl_.source.name(), name, impl_.source.attribute(name), std::move(fallback)); });
}

std::vector<int64_t> TranslationContext::integers(std::string_view name, std::vector<int64_t> fallback) {
  return step<std::vector<int64_t>>(
      [&](ir::Builder&) { return as(impl_.source.name(), name, impl_.source.attribute(name), std::move(fallback)); });
}

GraphValue TranslationContext::weight(const std::string& name) {
  return step<GraphValue>([&](ir::Builder&) { return GraphValue(impl_.source.weight(name)); });
}

DType TranslationContext::dtype(GraphValue value) const {
  return value ? static_cast<DType>(value_of(value.value_)->dtype) : DType::kUndefined;
}

std::optional<Shape> TranslationContext::shape(GraphValue value) const {
  if (!value || !value_of(value.value_)->shape) return std::nullopt;
  return api::to_public(*value_of(value.value_)->shape);
}

std::optional<Tensor> TranslationContext::constant(GraphValue value) const {
  if (!value || !value_of(value.value_)->is_constant()) return std::nullopt;
  return api::to_public(*value_of(value.value_)->constant());
}

GraphValue TranslationContext::op(std::string_view type, const GraphValues& inputs, const Attributes& attributes) {
  const GraphValues results = ops(type, inputs, 1, attributes);
  return results.empty() ? GraphValue() : results.front();
}

GraphValues TranslationContext::ops(std::string_view type, const GraphValues& inputs, size_t outputs,
                                    const Attributes& attributes) {
  return step<GraphValues>([&](ir::Builder& b) {
    ir::Values given;
    for (const GraphValue& input : inputs) given.push_back(value_of(input.value_));
    GraphValues results;
    for (ir::Value* value : b.ops(type, given, outputs, to_internal(attributes))) results.push_back(GraphValue(value));
    return results;
  });
}

GraphValues TranslationContext::custom_ops(std::string_view domain, std::string_view type, const GraphValues& inputs,
                                           const std::vector<ValueInfo>& outputs, const Attributes& attributes) {
  return step<GraphValues>([&](ir::Builder& b) {
    if (domain.empty() || domain == "tf" || domain == "keras" || domain == "torch") {
      fail_invalid("\"" + std::string(domain) + "\" is no domain for custom operators",
                   "use the one that the library registers them in");
    }
    ir::Values given;
    for (const GraphValue& input : inputs) given.push_back(value_of(input.value_));
    const ir::Values values = b.foreign(domain, type, given, outputs.size(), to_internal(attributes));
    GraphValues results;
    for (size_t i = 0; i < values.size(); ++i) {
      values[i]->dtype = static_cast<ir::DType>(outputs[i].dtype);
      values[i]->shape = api::to_internal(outputs[i].shape);
      results.push_back(GraphValue(values[i]));
    }
    return results;
  });
}

GraphValue TranslationContext::constant(const Tensor& tensor) {
  return step<GraphValue>([&](ir::Builder& b) { return GraphValue(b.constant(api::to_internal(tensor))); });
}

GraphValue TranslationContext::scalar(double value, GraphValue like) {
  return step<GraphValue>([&](ir::Builder& b) {
    if (!like) fail_invalid("[" + impl_.source.name() + "] a number needs a tensor whose dtype it takes");
    return GraphValue(b.number_like(value, value_of(like.value_)));
  });
}

GraphValue TranslationContext::fail(const std::string& message, const std::string& hint) {
  return step<GraphValue>(
      [&](ir::Builder&) -> GraphValue { fail_unsupported("[" + impl_.source.name() + "] " + message, hint); });
}

bool TranslationContext::failed() const { return impl_.failure != nullptr; }

ir::Values TranslationContext::Impl::run(const Translation& translation) {
  TranslationContext context(*this);
  GraphValues results;
  try {
    results = translation(context);
  } catch (const std::exception& error) {
    fail_unsupported("[" + source.name() + "] its translation threw an exception: " + error.what());
  }
  if (failure) std::rethrow_exception(failure);
  ir::Values values;
  for (const GraphValue& result : results) {
    if (!result) fail_unsupported("[" + source.name() + "] its translation gave an empty result");
    values.push_back(value_of(result.value_));
  }
  return values;
}

namespace {

// A translation that gets the call in an importer's form.
template <class Source, class Call>
std::function<ir::Values(Call&)> adapted(Translation translation) {
  return [translation = std::move(translation)](Call& call) {
    Source source(call);
    TranslationContext::Impl impl{source, source.inputs(), nullptr};
    return impl.run(translation);
  };
}

}  // namespace

Status register_translation(Framework framework, const std::string& name, Translation translation,
                            const TranslationOptions& options) {
  return api::guarded([&] {
    if (translation == nullptr) fail_invalid("the translation of " + name + " is no function");
    switch (framework) {
      case Framework::kTorch:
        return importer::torch::add_custom(name, adapted<api::TorchSource, importer::torch::Call>(translation));
      case Framework::kTensorFlow:
        return importer::tf::add_custom(name, adapted<api::TensorFlowSource, importer::tf::Call>(translation));
      case Framework::kKeras:
        return importer::keras::add_custom(name, adapted<api::KerasSource, importer::keras::Context>(translation),
                                           options.weights);
    }
    fail_invalid("there is no such framework");
  });
}

}  // namespace onward
