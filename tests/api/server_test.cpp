#include "onward/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include "files.h"

namespace onward {
namespace {

using testing::HasSubstr;

// The answer to one HTTP request; empty where nobody listens.
std::string asked(uint16_t port, const std::string& path, const std::string& body) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request =
        "POST " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    EXPECT_EQ(::send(socket, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t got = 0; (got = ::recv(socket, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
  }
  ::close(socket);
  return answer;
}

const std::string kInput = R"({"instances": [[1, 2, 3]]})";

TEST(Server, AnswersFromThisProcess) {
  Server server = *Server::start({.models = {{"m", fixture("linear")}}});
  EXPECT_GT(server.port(), 0);
  EXPECT_EQ(server.grpc_port(), -1);
  EXPECT_THAT(asked(server.port(), "/v1/models/m:predict", kInput), HasSubstr("[3,5,7]"));
  server.stop();
  EXPECT_EQ(asked(server.port(), "/v1/models/m:predict", kInput), "");
}

TEST(Server, ModelsComeAndGo) {
  Server server = *Server::start({});
  EXPECT_THAT(asked(server.port(), "/v1/models/m:predict", kInput), HasSubstr("404"));
  ASSERT_TRUE(server.add("m", fixture("linear")).ok());
  EXPECT_THAT(asked(server.port(), "/v1/models/m:predict", kInput), HasSubstr("[3,5,7]"));
  ASSERT_EQ(server.models().size(), 1);
  EXPECT_TRUE(server.models().front().ready);
  EXPECT_EQ(server.add("m", fixture("linear_v2")).code(), StatusCode::kAlreadyExists);
  EXPECT_FALSE(server.add("other", written("broken.onnx", "no model")).ok());
  EXPECT_EQ(server.models().size(), 1);
  ASSERT_TRUE(server.remove("m").ok());
  EXPECT_THAT(asked(server.port(), "/v1/models/m:predict", kInput), HasSubstr("404"));
  EXPECT_EQ(server.remove("m").code(), StatusCode::kNotFound);
  ASSERT_TRUE(server.add("m", fixture("linear_v2")).ok());
}

TEST(Server, APortInUseIsAStatus) {
  const Server first = *Server::start({});
  EXPECT_EQ(Server::start({.port = first.port()}).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Server::start({.models = {{"m", "no/such/file"}}}).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace onward
