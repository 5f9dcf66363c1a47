// One call of an operator as the three importers have it, in one form.
#pragma once

#include <string>
#include <string_view>

#include "import/keras/custom.h"
#include "import/tensorflow/custom.h"
#include "import/torch/custom.h"
#include "onward/translation.h"

namespace onward::api {

// Throws Error like the importers' own accessors.
class TranslationSource {
 public:
  TranslationSource() = default;
  TranslationSource(const TranslationSource&) = delete;
  TranslationSource& operator=(const TranslationSource&) = delete;
  virtual ~TranslationSource() = default;

  virtual ir::Builder& builder() = 0;
  virtual std::string name() const = 0;  // "mylib::scale"
  virtual ir::Values inputs() = 0;
  virtual ir::Value* input(std::string_view name) = 0;
  virtual std::optional<Attribute> attribute(std::string_view name) = 0;
  virtual ir::Value* weight(const std::string& name) = 0;
};

class TorchSource final : public TranslationSource {
 public:
  explicit TorchSource(importer::torch::Call& call) : call_(call) {}
  ir::Builder& builder() override { return call_.b; }
  std::string name() const override { return call_.signature().name; }
  ir::Values inputs() override;
  ir::Value* input(std::string_view name) override;
  std::optional<Attribute> attribute(std::string_view name) override;
  ir::Value* weight(const std::string& name) override;

 private:
  const importer::torch::Arg& argument(std::string_view name) const;
  importer::torch::Call& call_;
};

class TensorFlowSource final : public TranslationSource {
 public:
  explicit TensorFlowSource(importer::tf::Call& call) : call_(call) {}
  ir::Builder& builder() override { return call_.b; }
  std::string name() const override { return call_.node().op; }
  ir::Values inputs() override { return call_.inputs(); }
  ir::Value* input(std::string_view name) override;
  std::optional<Attribute> attribute(std::string_view name) override;
  ir::Value* weight(const std::string& name) override;

 private:
  importer::tf::Call& call_;
};

class KerasSource final : public TranslationSource {
 public:
  explicit KerasSource(importer::keras::Context& context) : context_(context) {}
  ir::Builder& builder() override;
  std::string name() const override;
  ir::Values inputs() override;
  ir::Value* input(std::string_view name) override;
  std::optional<Attribute> attribute(std::string_view name) override;
  ir::Value* weight(const std::string& name) override;

 private:
  importer::keras::Context& context_;
};

}  // namespace onward::api
