#include "formats/pickle.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <unordered_map>

#include "base/error.h"
#include "base/utf8.h"

namespace onward::pickle {
namespace {

constexpr size_t kMaxLongBytes = 256;

double big_endian_double(ByteView bytes) {
  uint64_t bits = 0;
  for (const std::byte byte : bytes) bits = bits << 8 | std::to_integer<uint64_t>(byte);
  double value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Decimal text of a little-endian two's complement number.
std::string decimal(ByteView bytes) {
  std::vector<uint32_t> digits;  // base 256, most significant first
  const bool negative = !bytes.empty() && (std::to_integer<unsigned>(bytes.back()) & 0x80U) != 0;
  unsigned carry = negative ? 1 : 0;
  for (const std::byte byte : bytes) {
    const unsigned raw = std::to_integer<unsigned>(byte);
    const unsigned digit = (negative ? (~raw & 0xffU) : raw) + carry;
    carry = digit >> 8;
    digits.push_back(digit & 0xffU);
  }
  if (carry != 0) digits.push_back(carry);
  std::reverse(digits.begin(), digits.end());
  std::string text;
  bool zero = false;
  while (!zero) {
    unsigned rest = 0;
    zero = true;
    for (uint32_t& digit : digits) {
      const unsigned value = rest * 256 + digit;
      digit = value / 10;
      rest = value % 10;
      zero = zero && digit == 0;
    }
    text.push_back(static_cast<char>('0' + rest));
  }
  if (negative) text.push_back('-');
  std::reverse(text.begin(), text.end());
  return text;
}

class Machine {
 public:
  Machine(ByteView bytes, std::string_view what, const std::function<void(const std::string&)>& allow,
          const Limits& limits)
      : what_(what), reader_(bytes, what), allow_(allow), limits_(limits) {}

  const Value* run() {
    while (true) {
      if (reader_.at_end()) damaged("it ends without a STOP opcode");
      const auto opcode = reader_.read<uint8_t>();
      if (opcode == '.') break;
      step(opcode);
    }
    return pop();
  }

  size_t offset() const { return reader_.offset(); }
  std::deque<Value> take_values() { return std::move(values_); }

 private:
  [[noreturn]] void damaged(const std::string& why) const {
    fail_data(std::string(what_) + ": damaged pickle at offset " + std::to_string(reader_.offset()) + ": " + why);
  }

  // -- values ---------------------------------------------------------------------------------------------------------

  Value* make(Kind kind) {
    if (values_.size() >= limits_.values) {
      throw Error(Code::kResourceExhausted,
                  std::string(what_) + ": the pickle holds more than " + std::to_string(limits_.values) + " values");
    }
    Value& value = values_.emplace_back();
    value.kind = kind;
    return &value;
  }

  template <class T>
  void push_new(Kind kind, T data) {
    Value* value = make(kind);
    value->data = std::move(data);
    push(value);
  }
  void push_text(Kind kind, ByteView bytes) { push_new(kind, std::string(as_text(bytes))); }
  void push_items(Kind kind, Items items) { push_new(kind, std::move(items)); }
  void push_int(int64_t number) { push_new(Kind::kInt, number); }

  void push_long(ByteView bytes) {
    if (bytes.size() > kMaxLongBytes) damaged("an integer of " + std::to_string(bytes.size()) + " bytes");
    if (bytes.size() > 8) {
      const std::string text = decimal(bytes);
      push_decimal(text);
      return;
    }
    const bool negative = !bytes.empty() && (std::to_integer<unsigned>(bytes.back()) & 0x80U) != 0;
    uint64_t value = negative ? ~uint64_t{0} : 0;
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    push_int(static_cast<int64_t>(value));
  }

  void push_decimal(std::string_view text) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) {
      push_int(value);
      return;
    }
    const size_t start = text.starts_with('-') ? 1 : 0;
    const bool digits = text.size() > start && text.find_first_not_of("0123456789", start) == std::string_view::npos;
    if (!digits || text.size() > 3 * kMaxLongBytes)
      damaged("\"" + std::string(text.substr(0, 40)) + "\" is no integer");
    push_new(Kind::kBigInt, std::string(text));
  }

  void push_global(std::string name) {
    if (allow_) allow_(name);
    push_new(Kind::kGlobal, std::move(name));
  }

  // -- stack ----------------------------------------------------------------------------------------------------------

  void push(const Value* value) {
    if (stack_.size() >= limits_.stack) {
      throw Error(Code::kResourceExhausted, std::string(what_) + ": the pickle's stack grows over its limit");
    }
    stack_.push_back(const_cast<Value*>(value));
  }

  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Value* pop() {
    if (stack_.size() <= floor()) damaged("it takes a value from an empty stack");
    Value* value = stack_.back();
    stack_.pop_back();
    return value;
  }

  Value* top() {
    if (stack_.size() <= floor()) damaged("it takes a value from an empty stack");
    return stack_.back();
  }

  Items pop_to_mark() {
    if (marks_.empty()) damaged("a mark is missing");
    const size_t mark = marks_.back();
    marks_.pop_back();
    Items items(stack_.begin() + static_cast<std::ptrdiff_t>(mark), stack_.end());
    stack_.resize(mark);
    return items;
  }

  Items pop_count(size_t count) {
    Items items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    return items;
  }

  // -- operands -------------------------------------------------------------------------------------------------------

  std::string_view line() {
    const size_t start = reader_.offset();
    size_t length = 0;
    while (std::to_integer<char>(reader_.take(1)[0]) != '\n') ++length;
    reader_.seek(start);
    std::string_view text = as_text(reader_.take(length));
    reader_.skip(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

  template <class Length>
  ByteView counted() {
    const auto length = reader_.read<Length>();
    if (length > reader_.remaining()) damaged("a value reaches past the end");
    return reader_.take(static_cast<size_t>(length));
  }

  uint32_t line_index() {
    const std::string_view text = line();
    uint32_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error != std::errc() || end != text.data() + text.size()) damaged("a memo index is no number");
    return index;
  }

  // The characters of a quoted Python literal, as protocol 0 writes byte strings.
  std::string unquoted(std::string_view text) {
    if (text.size() < 2 || text.front() != text.back() || (text.front() != '\'' && text.front() != '"')) {
      damaged("a string without quotes");
    }
    return unescaped(text.substr(1, text.size() - 2), false);
  }

  // Python's backslash escapes; of those only \u and \U in a unicode line (`raw_unicode`).
  std::string unescaped(std::string_view text, bool raw_unicode) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
      if (text[i] != '\\' || i + 1 >= text.size()) {
        if (raw_unicode) {
          append_utf8(out, static_cast<unsigned char>(text[i++]));  // a line is latin-1
        } else {
          out.push_back(text[i++]);
        }
        continue;
      }
      const char code = text[i + 1];
      const size_t hex = code == 'u' ? 4 : code == 'U' ? 8 : code == 'x' && !raw_unicode ? 2 : 0;
      if (hex != 0) {
        uint32_t value = 0;
        const char* first = text.data() + i + 2;
        if (i + 2 + hex > text.size()) damaged("an escape is cut off");
        const auto [end, error] = std::from_chars(first, first + hex, value, 16);
        if (error != std::errc() || end != first + hex || value > 0x10ffff) damaged("an escape is no number");
        if (hex == 2) {
          out.push_back(static_cast<char>(value));
        } else {
          append_utf8(out, value);
        }
        i += 2 + hex;
        continue;
      }
      static constexpr std::string_view kFrom = "\\'\"nrtabfv0";
      static constexpr std::string_view kTo = std::string_view("\\'\"\n\r\t\a\b\f\v\0", 11);
      const size_t found = raw_unicode ? std::string_view::npos : kFrom.find(code);
      if (found == std::string_view::npos) {
        out.push_back('\\');
        ++i;
      } else {
        out.push_back(kTo[found]);
        i += 2;
      }
    }
    return out;
  }

  // -- memo -----------------------------------------------------------------------------------------------------------

  void put(uint32_t index) { memo_[index] = top(); }
  void get(uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) damaged("memo entry " + std::to_string(index) + " was never stored");
    push(found->second);
  }

  // -- containers and objects -----------------------------------------------------------------------------------------

  void append(Value* target, const Items& items) {
    Items* list = std::get_if<Items>(&target->data);
    if (target->kind == Kind::kObject) list = &std::get<std::unique_ptr<Object>>(target->data)->items;
    if (list == nullptr || target->kind == Kind::kTuple) {
      damaged("it appends to " + std::string(kind_name(target->kind)));
    }
    list->insert(list->end(), items.begin(), items.end());
  }

  void set_items(Value* target, const Items& items) {
    Entries* entries = std::get_if<Entries>(&target->data);
    if (target->kind == Kind::kObject) entries = &std::get<std::unique_ptr<Object>>(target->data)->entries;
    if (entries == nullptr) damaged("it sets items of " + std::string(kind_name(target->kind)));
    if (items.size() % 2 != 0) damaged("a key without a value");
    for (size_t i = 0; i < items.size(); i += 2) entries->emplace_back(items[i], items[i + 1]);
  }

  void push_dict(const Items& items) {
    Value* dict = make(Kind::kDict);
    dict->data = Entries();
    set_items(dict, items);
    push(dict);
  }

  void push_object(const Value* callable, const Value* args, const Value* kwargs, bool created) {
    auto object = std::make_unique<Object>();
    object->callable = callable;
    object->args = args;
    object->kwargs = kwargs;
    object->created = created;
    push_new(Kind::kObject, std::move(object));
  }

  void push_object_of(Items items) {
    if (items.empty()) damaged("an object without a class");
    const Value* callable = items.front();
    items.erase(items.begin());
    Value* args = make(Kind::kTuple);
    args->data = std::move(items);
    push_object(callable, args, nullptr, false);
  }

  void build() {
    const Value* state = pop();
    Value* target = top();
    if (target->kind != Kind::kObject) return;  // attributes of a plain value, such as a dict's metadata
    std::get<std::unique_ptr<Object>>(target->data)->state = state;
  }

  void push_persistent(const Value* id) { push_new(Kind::kPersistent, id); }

  // -- opcodes --------------------------------------------------------------------------------------------------------

  void step(uint8_t opcode) {
    if (constant(opcode) || text_or_bytes(opcode) || container(opcode) || stack_or_memo(opcode) || object(opcode)) {
      return;
    }
    if (opcode == 0x82 || opcode == 0x83 || opcode == 0x84 || opcode == 0x97 || opcode == 0x98) {
      fail_unsupported(std::string(what_) + ": the pickle uses extension codes or out-of-band buffers",
                       "save the object again with pickle's defaults");
    }
    damaged("unknown opcode " + std::to_string(opcode));
  }

  bool constant(uint8_t opcode) {
    switch (opcode) {
      case 'N':
        push(make(Kind::kNone));
        return true;
      case 0x88:
        push_new(Kind::kBool, true);
        return true;
      case 0x89:
        push_new(Kind::kBool, false);
        return true;
      case 'J':
        push_int(reader_.read<int32_t>());
        return true;
      case 'K':
        push_int(reader_.read<uint8_t>());
        return true;
      case 'M':
        push_int(reader_.read<uint16_t>());
        return true;
      case 0x8a:
        push_long(counted<uint8_t>());
        return true;
      case 0x8b:
        push_long(counted<uint32_t>());
        return true;
      case 'G':
        push_new(Kind::kFloat, big_endian_double(reader_.take(8)));
        return true;
      case 'F':
        push_float(line());
        return true;
      case 'I':
        push_int_line(line());
        return true;
      case 'L':
        push_long_line(line());
        return true;
      default:
        return false;
    }
  }

  void push_float(std::string_view text) {
    const std::string copy(text);
    char* end = nullptr;
    const double value = std::strtod(copy.c_str(), &end);
    if (copy.empty() || end != copy.c_str() + copy.size()) damaged("\"" + copy.substr(0, 40) + "\" is no number");
    push_new(Kind::kFloat, value);
  }
  void push_int_line(std::string_view text) {
    if (text == "00" || text == "01") {
      push_new(Kind::kBool, text == "01");
    } else {
      push_decimal(text);
    }
  }
  void push_long_line(std::string_view text) {
    if (text.ends_with('L')) text.remove_suffix(1);
    push_decimal(text);
  }

  bool text_or_bytes(uint8_t opcode) {
    switch (opcode) {
      case 'S':
        push_new(Kind::kString, unquoted(line()));
        return true;
      case 'T':
        push_text(Kind::kString, counted<uint32_t>());
        return true;
      case 'U':
        push_text(Kind::kString, counted<uint8_t>());
        return true;
      case 'V':
        push_new(Kind::kString, unescaped(line(), true));
        return true;
      case 'X':
        push_text(Kind::kString, counted<uint32_t>());
        return true;
      case 0x8c:
        push_text(Kind::kString, counted<uint8_t>());
        return true;
      case 0x8d:
        push_text(Kind::kString, counted<uint64_t>());
        return true;
      case 'B':
        push_text(Kind::kBytes, counted<uint32_t>());
        return true;
      case 'C':
        push_text(Kind::kBytes, counted<uint8_t>());
        return true;
      case 0x8e:
        push_text(Kind::kBytes, counted<uint64_t>());
        return true;
      case 0x96:
        push_text(Kind::kBytes, counted<uint64_t>());
        return true;
      default:
        return false;
    }
  }

  bool container(uint8_t opcode) {
    switch (opcode) {
      case ']':
        push_items(Kind::kList, {});
        return true;
      case 'l':
        push_items(Kind::kList, pop_to_mark());
        return true;
      case ')':
        push_items(Kind::kTuple, {});
        return true;
      case 't':
        push_items(Kind::kTuple, pop_to_mark());
        return true;
      case 0x85:
        push_items(Kind::kTuple, pop_count(1));
        return true;
      case 0x86:
        push_items(Kind::kTuple, pop_count(2));
        return true;
      case 0x87:
        push_items(Kind::kTuple, pop_count(3));
        return true;
      case 0x8f:
        push_items(Kind::kSet, {});
        return true;
      case 0x91:
        push_items(Kind::kFrozenSet, pop_to_mark());
        return true;
      case '}':
        push_dict({});
        return true;
      case 'd':
        push_dict(pop_to_mark());
        return true;
      case 'a': {
        const Items items = pop_count(1);
        append(top(), items);
        return true;
      }
      case 'e':
      case 0x90: {
        const Items items = pop_to_mark();
        append(top(), items);
        return true;
      }
      case 's': {
        const Items items = pop_count(2);
        set_items(top(), items);
        return true;
      }
      case 'u': {
        const Items items = pop_to_mark();
        set_items(top(), items);
        return true;
      }
      default:
        return false;
    }
  }

  bool stack_or_memo(uint8_t opcode) {
    switch (opcode) {
      case '(':
        if (marks_.size() >= limits_.stack) damaged("too many marks");
        marks_.push_back(stack_.size());
        return true;
      case '0':
        if (stack_.size() > floor()) {
          stack_.pop_back();
        } else {
          (void)pop_to_mark();
        }
        return true;
      case '1':
        (void)pop_to_mark();
        return true;
      case '2':
        push(top());
        return true;
      case 'g':
        get(line_index());
        return true;
      case 'h':
        get(reader_.read<uint8_t>());
        return true;
      case 'j':
        get(reader_.read<uint32_t>());
        return true;
      case 'p':
        put(line_index());
        return true;
      case 'q':
        put(reader_.read<uint8_t>());
        return true;
      case 'r':
        put(reader_.read<uint32_t>());
        return true;
      case 0x94:
        put(static_cast<uint32_t>(memo_.size()));
        return true;
      case 0x95:
        reader_.skip(8);
        return true;
      case 0x80:
        if (const auto protocol = reader_.read<uint8_t>(); protocol > 5) {
          damaged("protocol " + std::to_string(protocol) + " is unknown");
        }
        return true;
      default:
        return false;
    }
  }

  bool object(uint8_t opcode) {
    switch (opcode) {
      case 'c': {
        const std::string module(line());
        push_global(module + "." + std::string(line()));
        return true;
      }
      case 0x93: {
        const Value* name = pop();
        const Value* module = pop();
        if (!name->is_string() || !module->is_string()) damaged("a global's name is no string");
        push_global(module->text() + "." + name->text());
        return true;
      }
      case 'R': {
        const Value* args = pop();
        push_object(pop(), args, nullptr, false);
        return true;
      }
      case 0x81: {
        const Value* args = pop();
        push_object(pop(), args, nullptr, true);
        return true;
      }
      case 0x92: {
        const Value* kwargs = pop();
        const Value* args = pop();
        push_object(pop(), args, kwargs, true);
        return true;
      }
      case 'o':
        push_object_of(pop_to_mark());
        return true;
      case 'i': {
        const std::string module(line());
        const std::string name(line());
        Items items = pop_to_mark();
        push_global(module + "." + name);
        items.insert(items.begin(), pop());
        push_object_of(std::move(items));
        return true;
      }
      case 'b':
        build();
        return true;
      case 'P':
        push_text(Kind::kString, as_bytes(line()));
        push_persistent(pop());
        return true;
      case 'Q':
        push_persistent(pop());
        return true;
      default:
        return false;
    }
  }

  std::string_view what_;
  ByteReader reader_;
  const std::function<void(const std::string&)>& allow_;
  const Limits& limits_;
  std::deque<Value> values_;
  std::vector<Value*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, Value*> memo_;
};

}  // namespace

Document Document::read(ByteView bytes, std::string_view what, size_t* end,
                        const std::function<void(const std::string&)>& allow, const Limits& limits) {
  Machine machine(bytes, what, allow, limits);
  Document document;
  document.root_ = machine.run();
  if (end != nullptr) *end = machine.offset();
  document.values_ = std::make_shared<const std::deque<Value>>(machine.take_values());
  return document;
}

}  // namespace onward::pickle
