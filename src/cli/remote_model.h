// A model that some server offers over the Open Inference Protocol v2 (KServe, Triton, Onward itself).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/http.h"
#include "runtime/session.h"

namespace onward::cli {

class RemoteModel {
 public:
  // `url` is the model, http://HOST:PORT/v2/models/NAME[/versions/V], or a server that offers only one. Throws Error:
  // kInvalidArgument lists the models where there are several, kFailedPrecondition says what the server answered.
  RemoteModel(const std::string& url, client::Headers headers);

  const std::vector<runtime::ValueInfo>& inputs() const { return inputs_; }

  // What one prediction sends, in the protocol's binary form.
  struct Request {
    std::string body;
    client::Headers headers;
  };
  Request request(const std::vector<ir::Tensor>& inputs) const;
  std::unique_ptr<client::Connection> connect() const;
  // Throws Error(kFailedPrecondition) for another answer than 200.
  void predict(client::Connection& connection, const Request& request) const;

 private:
  std::string only_model(client::Connection& connection) const;

  client::Url url_;
  client::Headers headers_;
  std::vector<runtime::ValueInfo> inputs_;
};

}  // namespace onward::cli
