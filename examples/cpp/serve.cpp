// Serves a model from this process until standard input ends.
//
//   serve NAME MODEL
#include "shared.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: serve NAME MODEL\n");
    return 2;
  }
  onward::Server server = sure(onward::Server::start({.port = 0}));
  sure(server.add(argv[1], argv[2]));
  std::printf("serving on http://127.0.0.1:%d\n", static_cast<int>(server.port()));
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server.stop();
  std::printf("stopped\n");
  return 0;
}
