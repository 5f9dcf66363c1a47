// Inside src/server/http only: a body type for Beast that lets binary tensors start on an aligned byte.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "base/bytes.h"

namespace onward::server::http {

struct AlignedBody {
  // A request with tensors behind a JSON header of N bytes is stored so that byte N is aligned.
  class value_type {
   public:
    void align_after(std::string_view header_length) {
      size_t length = 0;
      std::from_chars(header_length.data(), header_length.data() + header_length.size(), length);
      lead_ = (kAlignment - length % kAlignment) % kAlignment;
    }
    void reserve(size_t size) {
      if (size <= capacity_) return;
      char* const moved = static_cast<char*>(std::realloc(data_.get(), lead_ + size));
      if (moved == nullptr) throw std::bad_alloc();
      static_cast<void>(data_.release());
      data_.reset(moved);
      capacity_ = size;
    }
    void append(const void* data, size_t size) {
      if (size == 0) return;
      const boost::asio::mutable_buffer room = free_room(size);
      std::memcpy(room.data(), data, size);
      size_ += size;
    }
    // Room behind what is there for at least this many bytes; commit() takes in what was written to it.
    boost::asio::mutable_buffer free_room(size_t size) {
      if (size_ + size > capacity_) reserve(std::max(size_ + size, 2 * capacity_));
      return {data_.get() + lead_ + size_, size};
    }
    void commit(size_t size) { size_ += size; }
    size_t size() const { return size_; }
    Bytes take() && {
      if (size_ == 0) return {};
      const ByteView bytes(reinterpret_cast<const std::byte*>(data_.get() + lead_), size_);
      return {bytes, std::shared_ptr<char>(std::move(data_))};
    }

   private:
    static constexpr size_t kAlignment = 16;
    struct Free {
      void operator()(char* data) const { std::free(data); }
    };
    std::unique_ptr<char, Free> data_;  // not cleared before it is written to
    size_t lead_ = 0;
    size_t capacity_ = 0;
    size_t size_ = 0;
  };

  // A client that only announces a large body gets no memory for it.
  static constexpr uint64_t kTrusted = 16U << 20;

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(boost::beast::http::header<is_request, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<uint64_t>& length, boost::system::error_code& error) {
      error = {};
      if (length) body_.reserve(static_cast<size_t>(std::min(*length, kTrusted)));
    }
    template <class Buffers>
    size_t put(const Buffers& buffers, boost::system::error_code& error) {
      error = {};
      size_t taken = 0;
      for (auto it = boost::asio::buffer_sequence_begin(buffers); it != boost::asio::buffer_sequence_end(buffers);
           ++it) {
        const boost::asio::const_buffer part(*it);
        body_.append(part.data(), part.size());
        taken += part.size();
      }
      return taken;
    }
    void finish(boost::system::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

}  // namespace onward::server::http
