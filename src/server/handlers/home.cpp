#include <fmt/format.h>

#include "server/handlers/handlers.h"
#include "server/protocol/oip.h"

namespace onward::server {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string values(const std::vector<runtime::ValueInfo>& infos) {
  std::string text;
  for (const runtime::ValueInfo& info : infos) {
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", escaped(info.name), oip::datatype(info.dtype),
                        escaped(ir::shape_text(info.shape)));
  }
  return text;
}

}  // namespace

void home(const Call& call) {
  std::string rows;
  for (const serving::ModelPtr& model : call.context.repository.models()) {
    rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", escaped(model->name()),
                        model->version_text(), values(model->session().inputs()), values(model->session().outputs()));
  }
  call.respond(http::text_response(
      fmt::format("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Onward</title>\n"
                  "<style>body{{font:16px system-ui;margin:2em}}td,th{{padding:.3em 1em;text-align:left}}</style>\n"
                  "<h1>Onward</h1>\n<table><tr><th>Model</th><th>Version</th><th>Inputs</th><th>Outputs</th></tr>\n"
                  "{}</table>\n<p>POST /predict &middot; <a href=\"/openapi.json\">openapi.json</a> &middot; "
                  "<a href=\"/metrics\">metrics</a></p>\n</html>\n",
                  rows),
      "text/html; charset=utf-8"));
}

}  // namespace onward::server
