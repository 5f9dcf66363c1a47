#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/utf8.h"
#include "server/protocol/base64.h"
#include "server/protocol/beside.h"
#include "server/protocol/float_text.h"
#include "server/protocol/json_tensor.h"

namespace onward::server {
namespace {

using ir::Dims;
using ir::DType;
using ir::Tensor;

// Gathers text in a small buffer, so that a number costs no call of the string.
class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}
  ~Printer() { flush(); }
  Printer(const Printer&) = delete;
  Printer& operator=(const Printer&) = delete;

  void put(char c) {
    *room(1) = c;
    ++at_;
  }
  void put(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    at_ += text.size();
  }
  // For text of any length.
  std::string& string() {
    flush();
    return out_;
  }

  void number(float value) {
    if (!std::isfinite(value)) return special(value);
    char* const begin = room(kMaxFloatText);
    at_ += static_cast<size_t>(write_shortest(begin, value) - begin);
  }
  // The float at `index` of `count`, which are mostly asked for one after another.
  void number_of(const std::byte* floats, size_t index, size_t count) {
    if (index - first_ >= prepared_) {
      first_ = index;
      prepared_ = std::min(FloatTexts::kMost, count - index);
      texts_.prepare(floats + index * sizeof(float), prepared_);
    }
    const float value = texts_.value(index - first_);
    if (!std::isfinite(value)) return special(value);
    char* const begin = room(kMaxFloatText);
    at_ += static_cast<size_t>(texts_.write(begin, index - first_) - begin);
  }
  template <class T>
  void number(T value) {
    constexpr size_t kLongest = 40;
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) return special(value);
    }
    char* const begin = room(kLongest);
    at_ += static_cast<size_t>(std::to_chars(begin, begin + kLongest, value).ptr - begin);
  }

  void flush() {
    out_.append(buffer_.data(), at_);
    at_ = 0;
  }

 private:
  void special(double value) { put(std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity"); }
  char* room(size_t size) {
    if (at_ + size > buffer_.size()) flush();
    return buffer_.data() + at_;
  }

  std::string& out_;
  std::array<char, 1024> buffer_;
  size_t at_ = 0;
  FloatTexts texts_;  // of the floats from first_ on
  size_t first_ = 0;
  size_t prepared_ = 0;
};

void print_text(Printer& printer, const std::string& text) {
  std::string& out = printer.string();
  if (decode_utf8(text)) return write_json_string(out, text);
  out.append("{\"b64\":\"").append(base64_encode(text)).append("\"}");
}

// Calls `print` with a function that prints the element of an index.
template <class Print>
void with_printing(const Tensor& tensor, const Print& print) {
  const std::byte* const data = tensor.bytes().data();
  const auto load = [data](auto zero, size_t i) {
    std::memcpy(&zero, data + i * sizeof zero, sizeof zero);
    return zero;
  };
  switch (tensor.dtype()) {
    case DType::kString:
      return print([&](Printer& out, size_t i) { print_text(out, tensor.strings()[i]); });
    case DType::kFloat:
      return print([&](Printer& out, size_t i) { out.number_of(data, i, tensor.count()); });
    case DType::kFloat16:
      return print([&](Printer& out, size_t i) { out.number(ir::half_to_float(load(uint16_t{}, i))); });
    case DType::kBFloat16:
      return print([&](Printer& out, size_t i) { out.number(ir::bfloat16_to_float(load(uint16_t{}, i))); });
    case DType::kBool:
      return print([&](Printer& out, size_t i) { out.put(data[i] != std::byte{0} ? "true" : "false"); });
    default:
      ir::with_native(tensor.dtype(), [&](auto zero) {
        if constexpr (!std::is_same_v<decltype(zero), bool>) {
          print([&](Printer& out, size_t i) { out.number(load(zero, i)); });
        }
      });
  }
}

// Of a tensor with elements, rather too much: growing copies.
size_t estimated_size(const Tensor& tensor, const Dims& dims) {
  const size_t brackets = dims.empty() ? 0 : 2 * tensor.count() / static_cast<size_t>(dims.back());
  return tensor.count() * (ir::is_floating(tensor.dtype()) ? 14 : 8) + brackets + 64;
}

// Lists without a single element: [[],[]].
void print_empty(Printer& out, const Dims& dims, size_t depth = 0) {
  out.put('[');
  for (int64_t i = 0; i < dims[depth]; ++i) {
    if (i > 0) out.put(',');
    print_empty(out, dims, depth + 1);
  }
  out.put(']');
}

// The elements [first, last) with the commas and brackets before and after them.
template <class Print>
void print_range(Printer& out, const Dims& dims, size_t first, size_t last, const Print& print) {
  Dims place(dims.size());
  size_t rest = first;
  for (size_t i = dims.size(); i-- > 0; rest /= static_cast<size_t>(dims[i])) {
    place[i] = static_cast<int64_t>(rest % static_cast<size_t>(dims[i]));
  }
  size_t opening = 0;
  while (opening < dims.size() && place[dims.size() - 1 - opening] == 0) ++opening;
  for (size_t index = first; index < last; ++index) {
    if (index > 0) out.put(',');
    for (; opening > 0; --opening) out.put('[');
    print(out, index);
    for (size_t i = dims.size(); i > 0 && ++place[i - 1] == dims[i - 1]; --i) {
      place[i - 1] = 0;
      ++opening;
      out.put(']');
    }
  }
}

void print_tensor(std::string& text, const Tensor& tensor, const Dims& dims) {
  if (tensor.count() == 0) {
    Printer out(text);
    return print_empty(out, dims);
  }
  constexpr size_t kWorthAThread = 65'536;
  const size_t parts = parts_of(tensor.count(), kWorthAThread);
  text.reserve(text.size() + estimated_size(tensor, dims));
  with_printing(tensor, [&](const auto& print) {
    const auto border = [&](size_t part) { return tensor.count() * part / parts; };
    std::vector<std::future<std::string>> others;
    for (size_t part = 1; part < parts; ++part) {
      others.push_back(beside([&, part] {
        std::string piece;
        piece.reserve(estimated_size(tensor, dims) / parts);
        Printer out(piece);
        print_range(out, dims, border(part), border(part + 1), print);
        out.flush();
        return piece;
      }));
    }
    {
      Printer out(text);
      print_range(out, dims, 0, border(1), print);
    }
    for (auto& other : others) text += other.get();
  });
}

}  // namespace

void write_json_string(std::string& out, std::string_view text) {
  const auto plain = [](char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; };
  out.push_back('"');
  while (!text.empty()) {
    const auto length = static_cast<size_t>(std::find_if_not(text.begin(), text.end(), plain) - text.begin());
    out.append(text.substr(0, length));
    if (length == text.size()) break;
    const char c = text[length];
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    }
    text.remove_prefix(length + 1);
  }
  out.push_back('"');
}

void write_tensor(std::string& out, const Tensor& tensor) { print_tensor(out, tensor, tensor.dims()); }

void write_flat(std::string& out, const Tensor& tensor) {
  print_tensor(out, tensor, {static_cast<int64_t>(tensor.count())});
}

void write_element(std::string& out, const Tensor& tensor, size_t index) {
  with_printing(tensor, [&](const auto& print) {
    Printer printer(out);
    print(printer, index);
  });
}

}  // namespace onward::server
