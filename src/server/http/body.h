// Inside src/server/http only: a body type for Beast that lets binary tensors start on an aligned byte.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>
#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

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
      data_.resize(lead_);
    }
    void reserve(size_t size) { data_.reserve(lead_ + size); }
    void append(const void* data, size_t size) {
      const char* const bytes = static_cast<const char*>(data);
      data_.insert(data_.end(), bytes, bytes + size);
    }
    size_t size() const { return data_.size() - lead_; }
    Bytes take() && {
      const auto owner = std::make_shared<std::vector<char>>(std::move(data_));
      return Bytes(std::as_bytes(std::span(*owner)).subspan(lead_), owner);
    }

   private:
    static constexpr size_t kAlignment = 16;
    std::vector<char> data_;
    size_t lead_ = 0;
  };

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(boost::beast::http::header<is_request, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<uint64_t>& length, boost::system::error_code& error) {
      error = {};
      // A client that only announces a large body gets no memory for it.
      constexpr uint64_t kTrusted = 16U << 20;
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
